"""Branching trees from the hila outwards: pulmonary vessels, and the bronchi that show as air bronchograms."""

import cv2
import numpy as np

from core.data.phantom.anatomy import HILA
from core.data.phantom.canvas import Canvas, oval
from core.data.phantom.parameters import Acquisition, Patient, stream

_SUBPIXEL_BITS = 4


def vessels(canvas: Canvas, patient: Patient, acquisition: Acquisition) -> np.ndarray:
    """Thickness (cm) of the pulmonary vessels, widest at the hilum and tapering to the edge."""
    rng = stream(patient.seed, 20)
    segments = [_tree(rng, side, trunks=11, generations=5, width=0.6) for side in HILA]
    hila = _knots(canvas, rng)
    tree = canvas.soft(_draw(canvas, np.vstack(segments), acquisition), 0.035)
    density: np.ndarray = 3.4 * tree + hila
    return density


def bronchi(canvas: Canvas, seed: int, side: str, acquisition: Acquisition) -> np.ndarray:
    """Thickness (cm) of air-filled bronchi in one lung."""
    rng = stream(seed, 21)
    return canvas.soft(_draw(canvas, _tree(rng, side, trunks=6, generations=4, width=0.3), acquisition), 0.1)


def _tree(rng: np.random.Generator, side: str, trunks: int, generations: int, width: float) -> np.ndarray:
    """Segments (N, 5) as x0, y0, x1, y1, width in cm."""
    outward = -1 if side == "right" else 1
    angle = np.linspace(-1.35, 1.42, trunks) + rng.normal(0, 0.16, trunks)
    at = HILA[side] + np.stack([outward * rng.uniform(-0.4, 0.5, trunks), 0.9 * angle + 0.2], axis=1)
    thick = width * rng.uniform(0.7, 1.15, trunks) * (1 + 0.2 * (angle > 0.3))
    reach = rng.uniform(2.2, 3.2, trunks)
    found = []
    for _ in range(generations):
        for part in range(2):
            angle = angle + rng.normal(0, 0.2, len(angle))
            step = reach / 2
            end = at + np.stack([outward * step * np.cos(angle), step * np.sin(angle)], axis=1)
            found.append(np.hstack([at, end, (thick * (1 - 0.1 * part))[:, None]]))
            at = end
        fork = rng.uniform(0.25, 0.8, len(angle))
        angle = np.concatenate([angle + fork, angle - fork * rng.uniform(0.5, 1.2, len(angle))])
        at = np.vstack([at, at])
        share = rng.uniform(0.5, 0.78, len(angle))
        thick, reach = np.tile(thick, 2) * share, np.tile(reach, 2) * rng.uniform(0.72, 0.98, len(angle))
    return np.vstack(found)


def _draw(canvas: Canvas, segments: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Lay segments on 8-bit sheets; lines thinner than a pixel become fainter instead."""
    turned = segments.copy()
    turned[:, [0, 2]] += 1.0 * np.sin(np.deg2rad(acquisition.rotation))
    ends = canvas.pixels(turned[:, :4].reshape(-1, 2, 2)) * (1 << _SUBPIXEL_BITS)
    ends = np.round(ends).astype(np.int32)
    pixels = canvas.length(1.0) * segments[:, 4]
    lines = np.maximum(1, np.round(pixels)).astype(int)
    sheet = canvas.blank()
    greys = np.clip(np.round(segments[:, 4] * np.minimum(1, pixels / lines) * 250), 1, 255).astype(int)
    order = np.argsort(greys, kind="stable")
    for (start, end), grey, thick in zip(
        ends[order].tolist(), greys[order].tolist(), lines[order].tolist(), strict=True
    ):
        cv2.line(sheet, start, end, grey, thick, cv2.LINE_AA, _SUBPIXEL_BITS)
    return sheet / 250.0


def _knots(canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
    """The denser knot of vessels at each hilum."""
    sheet = canvas.blank()
    for at in HILA.values():
        for wide, high in rng.uniform((0.5, 0.8), (0.9, 1.5), (3, 2)):
            canvas.fill(oval(at + rng.normal((0, 0.3), (0.35, 0.9)), wide, high), sheet, 255)
    return 3.4 * canvas.soft(sheet / 255.0, 0.45)
