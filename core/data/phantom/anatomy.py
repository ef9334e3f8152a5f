"""Soft tissue and air: body, lungs, heart, airways, diaphragm, stomach, breasts.

Each part gives a thickness in centimetres along the ray. Coordinates are body centimetres as on ``Canvas``; the
patient's left is the image's right. Depth (z, towards the breast bone) matters only where the patient is turned: a part
at depth z moves by z * sin(rotation).
"""

from dataclasses import dataclass

import cv2
import numpy as np

from core.data.phantom.canvas import Canvas, curve, ramp
from core.data.phantom.parameters import Acquisition, Patient, stream

# The right half of the rib cage's inner outline, apex to below the diaphragm; the left half mirrors it.
# fmt: off
CAGE = np.array([
    (-2.6, -13.2), (-4.6, -14.9), (-7.0, -14.5), (-9.6, -12.2), (-11.5, -8.8), (-12.8, -4.5), (-13.6, 0.5),
    (-14.0, 6.0), (-14.1, 11.0), (-13.6, 17.0),
])
# Heart and great vessels, from the neck down the patient's right border, then up the left one from the apex.
RIGHT_BORDER = np.array([
    (-2.3, -17.0), (-2.4, -12.5), (-2.7, -9.0), (-3.0, -5.5), (-3.2, -2.6), (-4.1, 0.6), (-4.6, 3.6), (-4.3, 6.8),
    (-3.4, 9.4), (-2.5, 13.0),
])
LEFT_BORDER = np.array([
    (3.0, 13.0), (7.2, 11.0), (8.6, 9.2), (8.8, 7.4), (8.0, 4.6), (6.3, 1.2), (4.5, -1.4), (4.0, -3.2), (3.1, -4.8),
    (3.3, -6.3), (3.8, -7.7), (3.3, -9.2), (2.4, -12.0), (2.4, -17.0),
])
# fmt: on
HILA = {"right": np.array([-4.0, -1.9]), "left": np.array([4.3, -2.7])}


@dataclass(frozen=True, eq=False)
class Chest:
    """Everything soft on one film; arrays are float64 (size, size)."""

    tissue: np.ndarray
    """cm of water-like tissue, lungs taken as if full of it"""
    air: np.ndarray
    """cm of air in the lungs before any finding"""
    hollow: np.ndarray
    """cm of air elsewhere: trachea, main bronchi, stomach"""
    lungs: np.ndarray
    """bool: the lung fields a reader sees, without heart and below-dome recess"""
    edge: np.ndarray
    """cm from each lung pixel to the nearest edge of the rib cage"""
    domes: dict[str, float]
    """y (cm) of each dome's top"""


def chest(canvas: Canvas, patient: Patient, acquisition: Acquisition) -> Chest:
    """Draw the soft parts of a patient as this acquisition sees them."""
    rng = stream(patient.seed, 10)
    x, y = canvas.grid
    turn = np.sin(np.deg2rad(acquisition.rotation))
    bedside = acquisition.view == "AP"
    cage = rib_cage(patient, acquisition, rng)
    inside = canvas.fill(cage)
    edge = cv2.distanceTransform((inside > 127).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5).astype(np.float64)
    edge /= canvas.length(1.0)
    rib_cover = canvas.soft(inside / 255.0, 0.12)

    domes = _dome_tops(patient, acquisition)
    side = np.where(x < 0, -1.0, 1.0)
    above = _above_dome(x, y, np.where(x < 0, domes["right"], domes["left"]), side)
    recess = 0.16 * np.exp(-np.clip(y - domes["right"], 0, None) / 4.0)
    centre = canvas.cover(mediastinum(patient, acquisition, rng), soften=0.17)
    heart_body = centre * (0.62 + 0.33 * canvas.soft(centre, 1.6))

    bulge = np.sqrt(np.clip(1 - (1 - np.clip(edge / 6.5, 0, 1)) ** 2, 0, 1))
    depth = 15.5 * bulge * rib_cover * (1 + 0.5 * turn * x / 14) * (0.86 + 0.14 * acquisition.inspiration)
    air = depth * (above + (1 - above) * recess) * (1 - heart_body) * 0.74
    air *= 1 + 0.02 * canvas.noise(rng, 1.2, 3)
    lungs = (rib_cover > 0.5) & (above > 0.5) & (centre < 0.5)

    small = canvas.half
    tissue = canvas.enlarge(_body(small, patient, bedside, turn) + _breasts(small, patient, rng, turn))
    tissue *= 1 + 0.006 * canvas.noise(rng, 1.6, 3)
    hollow = canvas.enlarge(_airways(small, turn) + _stomach(small, rng, domes["left"], bedside))
    return Chest(tissue, air, hollow, lungs, edge, domes)


def rib_cage(patient: Patient, acquisition: Acquisition, rng: np.random.Generator) -> np.ndarray:
    """The inner outline of the rib cage, a closed curve (N, 2) in cm; its two sides differ a little."""
    widen = patient.girth + 0.03 * (acquisition.inspiration - 0.8)
    wobble = rng.normal(0, (0.16, 0.3), CAGE.shape)
    wobble[:5, 1] += rng.normal(0, 0.5)
    right = (CAGE + wobble) * (widen, 1)
    left = (CAGE + wobble * (-0.3, 0.8)) * (-widen, 1)
    return curve(np.vstack([[(0.0, -12.4)], left, [(0.0, 18.5)], right[::-1]]))


def mediastinum(patient: Patient, acquisition: Acquisition, rng: np.random.Generator) -> np.ndarray:
    """Outline of heart and great vessels, a closed curve (N, 2) in cm."""
    enlarged = patient.heart / 0.46 * (1.13 if acquisition.view == "AP" else 1.0)
    enlarged *= 1 + 0.12 * (0.8 - acquisition.inspiration)
    unfolded = 1 + 0.35 * max(0, patient.age - 50) / 40
    right = RIGHT_BORDER + rng.normal(0, 0.24, RIGHT_BORDER.shape)
    left = LEFT_BORDER + rng.normal(0, 0.24, LEFT_BORDER.shape)
    chambers = slice(4, 9), slice(1, 7)
    right[chambers[0], 0] *= enlarged
    left[chambers[1], 0] *= enlarged
    left[9:12, 0] *= unfolded
    right[:4, 0] *= 1 + 0.15 * (unfolded - 1) + 0.1 * (acquisition.view == "AP")
    sink = 1.2 * (acquisition.inspiration - 0.8) + rng.normal(0, 0.4)
    outline = curve(np.vstack([right, left]))
    outline[:, 1] += sink
    depth = np.clip(2 + (outline[:, 1] + 5) * 0.35, 0, 6)
    outline[:, 0] += depth * np.sin(np.deg2rad(acquisition.rotation))
    return outline


def _dome_tops(patient: Patient, acquisition: Acquisition) -> dict[str, float]:
    rng = stream(patient.seed, 11)
    level = 8.2 + 3.6 * (acquisition.inspiration - 0.8) - 1.0 * patient.habitus - 0.8 * (acquisition.view == "AP")
    right = level + rng.normal(0, 0.6)
    return {"right": float(right), "left": float(right + rng.uniform(0.7, 1.8))}


def _above_dome(x: np.ndarray, y: np.ndarray, top: np.ndarray, side: np.ndarray) -> np.ndarray:
    """1 above the dome, 0 below: an arch that falls steeply to the costophrenic angle and gently to the heart."""
    out = (side * x - 6.2) * (side * x - 6.2)
    fall = np.where(side * x > 6.2, out * (0.024 + 0.0010 * out), 0.022 * out)
    return ramp(top + fall - y, 0.35)


def _body(canvas: Canvas, patient: Patient, bedside: bool, turn: float) -> np.ndarray:
    """Thickness of neck, trunk, shoulders and arms, as if solid."""
    x, y = canvas.grid
    fat = patient.habitus
    rows = np.array([-26, -19, -16.6, -14.2, -12.2, -9, -4, 4, 12, 22], dtype=float)
    half = np.array([5.4, 5.4, 7.6, 13.0, 16.2, 16.3, 16.2, 16.4, 16.3, 16.6]) + fat * np.array(
        [0.8, 0.8, 2, 2, 2.5, 3, 4, 5, 6, 7]
    )
    deep = np.array([11.5, 11.5, 13.0, 15, 17, 18.5, 20, 21, 21.5, 22]) + fat * np.array(
        [2, 2, 3, 4, 4, 5, 6, 7, 9, 11]
    )
    across = np.interp(y, rows, half)
    share = np.clip(1 - np.square(np.square(x / across)), 0, 1)
    trunk = np.interp(y, rows, deep) * np.sqrt(share) * (1 + 0.25 * turn * x / across)
    shoulder = 16.8 + 1.6 * fat
    splay = 6.0 if bedside else 3.2
    limb = np.zeros_like(x)
    for side in (-1, 1):
        joint, elbow = np.array([side * shoulder, -9.8]), np.array([side * (shoulder + splay), 16.0])
        limb = np.maximum(limb, _capsule(x, y, joint, elbow, 4.6 + 1.5 * fat))
        limb = np.maximum(limb, _capsule(x, y, np.array([side * 9.0, -14.4]), joint, 3.6 + fat))
    thickness: np.ndarray = np.sqrt(trunk**2 + limb**2)
    return thickness


def _capsule(x: np.ndarray, y: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Thickness of a round limb between two points."""
    along = end - start
    t = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    squared = (x - start[0] - t * along[0]) ** 2 + (y - start[1] - t * along[1]) ** 2
    chord: np.ndarray = 2 * np.sqrt(np.clip(radius**2 - squared, 0, None))
    return chord


def _breasts(canvas: Canvas, patient: Patient, rng: np.random.Generator, turn: float) -> np.ndarray:
    """Two soft domes with a sharper lower fold on women; the faint pectoral folds on men."""
    x, y = canvas.grid
    female = patient.sex == "F"
    thick = (2.2 + 2.2 * patient.habitus if female else 1.0) * rng.uniform(0.85, 1.15)
    radius = (5.6 + 1.6 * patient.habitus, 5.0 + 1.4 * patient.habitus) if female else (6.2, 4.0)
    level = rng.uniform(3.2, 5.4) if female else -3.0
    total = np.zeros_like(x)
    for side in (-1, 1):
        across = (x - side * 8.6 - 8 * turn) / radius[0]
        down = (y - level) / radius[1]
        down = np.where(down > 0, down, down * 0.55)
        total += thick * np.sqrt(np.clip(1 - across**2 - down**2, 0, None))
    return canvas.soft(total, 0.4)


def _airways(canvas: Canvas, turn: float) -> np.ndarray:
    """Air in trachea and main bronchi."""
    x, y = canvas.grid
    x = x - 1.5 * turn
    carina = np.array([0.35, -5.2])
    trachea = _capsule(x, y, np.array([0.0, -22.0]), carina, 0.85)
    right = _capsule(x, y, carina, np.array([-3.4, -2.2]), 0.6)
    left = _capsule(x, y, carina, np.array([4.4, -2.4]), 0.52)
    return 1.8 * canvas.soft(np.maximum(trachea, 0.7 * np.maximum(right, left)), 0.15)


def _stomach(canvas: Canvas, rng: np.random.Generator, dome: float, bedside: bool) -> np.ndarray:
    """The gas bubble under the left dome, flat below when the patient stands; a little gas in the bowel."""
    x, y = canvas.grid
    wide, high = rng.uniform(1.8, 3.4), rng.uniform(1.0, 2.0)
    cx, cy = rng.uniform(5.0, 7.5), dome + high + rng.uniform(0.5, 1.0)
    bubble = 5.0 * np.sqrt(np.clip(1 - ((x - cx) / wide) ** 2 - ((y - cy) / high) ** 2, 0, None))
    if not bedside:
        bubble *= ramp(cy + 0.45 * high - y, 0.3)
    gas = np.clip(canvas.noise(rng, 3.0, 2) - 1.1, 0, None) * ramp(y - dome - 4.5, 2.0)
    return canvas.soft(bubble + 1.6 * gas, 0.12)
