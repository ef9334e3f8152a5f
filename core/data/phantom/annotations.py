"""What the department puts on a film: laterality letter, text, electrodes with their wires, shutters."""

import cv2
import numpy as np

from core.data.phantom.canvas import Canvas, curve
from core.data.phantom.parameters import Acquisition, stream

_FONT = cv2.FONT_HERSHEY_DUPLEX


def metal(canvas: Canvas, acquisition: Acquisition) -> np.ndarray:
    """Attenuation of electrodes and wires (size, size): they lie on the skin and are exposed with the body."""
    rng = stream(acquisition.seed, 50)
    sheet = canvas.blank()
    unit = canvas.length(1.0)
    for k in range(acquisition.leads):
        start = np.array([rng.uniform(4, 12) * (-1) ** k, rng.uniform(-10, 9)])
        end = np.array([start[0] + rng.uniform(-3, 3), 20.0])
        sway = rng.normal(0, 2.0, (3, 2)) * (1, 0.4)
        line = curve(
            np.vstack([start, start + (end - start) * np.array([[0.25], [0.5], [0.75]]) + sway, end]), 10, False
        )
        wire = np.round(canvas.pixels(line) * 16).astype(np.int32)
        cv2.polylines(sheet, [wire], False, 130, max(1, round(0.16 * unit)), cv2.LINE_AA, 4)
        at = np.round(canvas.pixels(start) * 16).astype(int).tolist()
        cv2.circle(sheet, at, round(0.95 * unit * 16), 60, -1, cv2.LINE_AA, 4)
        cv2.circle(sheet, at, round(0.42 * unit * 16), 235, -1, cv2.LINE_AA, 4)
    return canvas.soft(sheet / 255.0, 0.03) * 1.3


def annotate(grey: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Lay shutters, then letters, over the developed film; grey 0-1 in and out."""
    size = len(grey)
    film = np.where(field(size, acquisition), grey, acquisition.shutter)
    ink = np.zeros((size, size), np.uint8)
    plate = np.zeros((size, size), np.uint8)
    if acquisition.marker:
        _letter(ink, plate, acquisition)
    if acquisition.label:
        at = (round(0.04 * size), round(0.965 * size))
        cv2.putText(ink, acquisition.label[:16], at, _FONT, size / 640, 215, max(1, size // 300), cv2.LINE_AA)
    film = film + (0.96 - film) * plate / 255.0
    white = ink / 255.0
    return film * (1 - white) + white * np.where(plate > 0, 0.06, 0.97)


def field(size: int, acquisition: Acquisition) -> np.ndarray:
    """bool (size, size): the part of the film the shutters leave open."""
    left, top, right, bottom = (round(size * share) for share in acquisition.collimation)
    mask = np.zeros((size, size), bool)
    mask[top : size - bottom, left : size - right] = True
    return mask


def _letter(ink: np.ndarray, plate: np.ndarray, acquisition: Acquisition) -> None:
    size = len(ink)
    centre = np.array(acquisition.marker_at) * size
    height = 0.045 * size
    scale = cv2.getFontScaleFromHeight(_FONT, max(5, round(height)), 1)
    stroke = max(1, round(size / 170))
    (wide, high), _ = cv2.getTextSize(acquisition.marker, _FONT, scale, stroke)
    corner = (round(centre[0] - wide / 2), round(centre[1] + high / 2))
    middle = tuple(int(v) for v in np.round(centre * 16))
    if acquisition.marker_style == "circle":
        cv2.circle(ink, middle, round(0.85 * height * 16), 255, stroke, cv2.LINE_AA, 4)
    if acquisition.marker_style == "plate":
        half = 0.8 * height
        box = np.round((centre + np.array([(-half, -half), (half, -half), (half, half), (-half, half)])) * 16).astype(
            np.int32
        )
        cv2.fillPoly(plate, [box], 255, cv2.LINE_AA, 4)
    cv2.putText(ink, acquisition.marker, corner, _FONT, scale, 255, stroke, cv2.LINE_AA)
