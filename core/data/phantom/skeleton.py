"""Bones: vertebral column, twelve pairs of ribs, clavicles, scapulae, upper arms. Thickness in cm of compact bone."""

import numpy as np

from core.data.phantom.canvas import Canvas, band, curve, oval
from core.data.phantom.parameters import Acquisition, Patient, stream

_VERTEBRA = 2.28  # cm from one vertebra to the next
_FIRST = -14.4  # y of the first thoracic vertebra
# For ribs 1-12: half-width of the arc, drop from back to front (cm), how far round it reaches (degrees, 0 = spine).
_HALF_WIDTH = (5.4, 8.2, 10.6, 12.2, 13.2, 13.8, 14.2, 14.4, 14.3, 13.9, 12.6, 9.5)
_DROP = (3.4, 6.2, 8.2, 9.6, 10.6, 11.4, 12.0, 12.4, 12.6, 12.4, 11.4, 9.6)
_REACH = (150, 148, 146, 144, 142, 140, 136, 128, 120, 112, 88, 62)

# A vertebral body seen from the front, waisted: half-width 1, half-height 0.98.
_BODY = curve(
    [(-1, -0.98), (0, -0.91), (1, -0.98), (0.9, 0), (1, 0.98), (0, 0.91), (-1, 0.98), (-0.9, 0)], 3
)  # fmt: skip
_BLADE = curve([(10.6, -12.0), (11.2, -8.5), (12.4, -3.4), (13.4, 0.4), (14.6, -1.2), (15.6, -6.0), (16.4, -8.6),
                (15.8, -11.2), (13.0, -11.4)])  # fmt: skip


def skeleton(canvas: Canvas, patient: Patient, acquisition: Acquisition) -> np.ndarray:
    """Thickness of bone along each ray, float64 (size, size)."""
    strength = 1.05 - 0.0045 * max(0, patient.age - 45)
    turn = np.sin(np.deg2rad(acquisition.rotation))
    rng = stream(patient.seed, 30)
    bones = _spine(canvas, rng, turn) + _ribs(canvas, rng, turn, patient.girth, acquisition.inspiration)
    bones += _girdle(canvas, rng, turn, acquisition.view == "AP", patient.habitus)
    return canvas.soft(bones, 0.05) * strength


def _spine(canvas: Canvas, rng: np.random.Generator, turn: float) -> np.ndarray:
    """Bodies with dense end plates, gaps for the discs, pedicles and spinous processes."""
    sheet, detail = canvas.blank(), canvas.blank()
    bend, start = rng.normal(0, 0.3), rng.normal(_FIRST, 0.5)
    level = np.arange(-3, 16)
    half = 1.45 + 0.028 * np.maximum(level, 0)
    x = -6.5 * turn + bend * np.sin(level / 4)
    y = start + level * _VERTEBRA

    def each(shape: np.ndarray, across: np.ndarray, down: float = 0.0) -> np.ndarray:
        """A shape at every vertebra, (levels, N, 2), moved by ``across`` and ``down``."""
        rib: np.ndarray = shape + np.stack([x + across, y + down], axis=-1)[:, None]
        return rib

    wide = np.stack([half, np.ones_like(half)], axis=-1)[:, None]
    canvas.fill(each(_BODY * wide, np.zeros_like(x)), sheet, 160)
    canvas.fill(each(_BODY * (0.72 * wide + np.array((0.12, 0))), np.zeros_like(x)), sheet, 125)
    for side in (-1, 1):
        canvas.fill(each(oval((0, 0), 0.3, 0.42), side * 0.62 * half, -0.25), detail, 100)
        process = band(np.array([(0.0, -0.2), (1.4 * side, -0.5)]), 0.75)
        canvas.fill(each(process, side * half), detail, 70)
    canvas.fill(each(oval((0, 0), 0.24, 0.62), -2.3 * turn * np.ones_like(x), 0.75), detail, 110)
    return canvas.soft(sheet / 255.0, 0.16) * 1.25 + canvas.soft(detail / 255.0, 0.08) * 0.8


def _ribs(canvas: Canvas, rng: np.random.Generator, turn: float, girth: float, inspiration: float) -> np.ndarray:
    """Back and front arcs on a sheet each, since they cross; edges denser than the marrow between them."""
    back, front = canvas.blank(), canvas.blank()
    lift = rng.normal(1, 0.1) - 0.15 * (inspiration - 0.8)
    start = rng.normal(_FIRST, 0.5)
    widen = girth + 0.03 * (inspiration - 0.8)
    for side in (-1, 1):
        behind = _arcs(rng, side, turn, widen, lift, start, np.full(12, 4.0), np.minimum(_REACH, 92.0))
        before = _arcs(rng, side, turn, widen, lift, start, np.full(9, 86.0), np.array(_REACH[:9], dtype=float))
        canvas.fill(band(behind, 0.95), back, 200)
        canvas.fill(band(behind, 0.62), back, 150)
        canvas.fill(band(before, 1.2), front, 165)
        canvas.fill(band(before, 0.85), front, 125)
    return canvas.soft(back / 255.0, 0.05) * 0.62 + canvas.soft(front / 255.0, 0.07) * 0.62


def _arcs(
    rng: np.random.Generator,
    side: int,
    turn: float,
    widen: float,
    lift: float,
    top: float,
    first: np.ndarray,
    last: np.ndarray,
) -> np.ndarray:
    """Midlines (ribs, 24, 2) in cm, each from one angle round the body to another (degrees, 0 at the spine)."""
    n = len(first)
    angle = np.deg2rad(np.linspace(first, last, 24, axis=1))
    wide = widen * np.array(_HALF_WIDTH[:n])[:, None] + rng.normal(0, 0.05, (n, 1))
    level = top + np.arange(n)[:, None] * _VERTEBRA + rng.normal(0, 0.06, (n, 1))
    x = 1.7 + (wide - 1.7) * np.sin(angle)
    rise = 0.9 * np.sin(2 * np.minimum(angle, np.pi / 2))
    y = level - rise + lift * np.array(_DROP[:n])[:, None] * np.sin(angle / 2) ** 2
    return np.stack([side * x - 7.5 * np.cos(angle) * turn, y], axis=-1)


def _girdle(canvas: Canvas, rng: np.random.Generator, turn: float, bedside: bool, habitus: float) -> np.ndarray:
    """Clavicles, scapulae, heads of the upper arms; a bedside film lays the scapulae over the lungs."""
    collar, blade, rest = canvas.blank(), canvas.blank(), canvas.blank()
    over = (-2.0 if bedside else 0.6 + 0.6 * habitus) + rng.normal(0, 0.5)
    rise = (-0.9 if bedside else 0.0) + rng.normal(0, 0.5)
    slope = rng.normal(0, 0.6)
    for side in (-1, 1):
        tip = slope + rng.normal(0, 0.3)
        clavicle = curve(
            [(1.6, -9.3 + rise), (4.6, -10.5 + rise), (8.5, -12.1), (12.0, -12.7 + tip), (14.9, -12.6 + tip)], 8, False
        )
        clavicle = clavicle * (side, 1) + np.array((8.0 * turn, 0))
        width = np.interp(np.arange(len(clavicle)), [0, 6, 18, len(clavicle)], [1.7, 1.1, 0.95, 0.7])
        canvas.fill(band(clavicle, width), collar, 225)
        canvas.fill(band(clavicle, width - 0.45), collar, 165)
        scapula = (_BLADE + np.array((over, rng.normal(0, 0.3)))) * (side, 1) + np.array((-6.0 * turn, 0))
        canvas.fill(scapula, blade, 120)
        canvas.fill(scapula * (0.985, 1) + np.array((side * 0.25, -0.1)), blade, 66)
        ridge = np.array([(11.2, -10.4), (14.0, -11.9), (17.6, -13.1)]) + np.array((0.5 * over, 0))
        canvas.fill(band(curve(ridge * (side, 1), 8, False), 1.1), rest, 60)
        joint = 17.6 + 0.8 * habitus
        canvas.fill(oval((side * joint, -9.9), 2.35, 2.5), rest, 120)
        canvas.fill(oval((side * joint, -9.9), 1.9, 2.05), rest, 100)
        shaft = np.array([(joint + 0.5, -8.4), (joint + 4.0, 14.0)]) * (side, 1)
        canvas.fill(band(shaft, 2.1), rest, 130)
        canvas.fill(band(shaft, 1.2), rest, 85)
    return (
        canvas.soft(collar / 255.0, 0.1) * 0.8
        + canvas.soft(blade / 255.0, 0.06) * 0.8
        + canvas.soft(rest / 255.0, 0.2) * 0.9
    )
