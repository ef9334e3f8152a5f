"""What films are like before any model: brightness, contrast, border and size of one; the mean of many."""

from collections.abc import Iterable

import numpy as np

NAMES = (
    "mean grey, 0-255",
    "contrast (standard deviation), 0-255",
    "mean grey of the border, 0-255",
    "height, px",
    "width over height",
)
RIM = 12  # the border measured is this part of height and width


def measures(pixels: np.ndarray) -> dict[str, float]:
    """Brightness, contrast and size of a film, uint8 (H, W), by their names for people."""
    height, width = pixels.shape
    rim = np.concatenate(
        [pixels[: height // RIM].ravel(), pixels[:, : width // RIM].ravel(), pixels[:, -(width // RIM) :].ravel()]
    )
    values = float(pixels.mean()), float(pixels.std()), float(rim.mean()), float(height), width / height
    return dict(zip(NAMES, values, strict=True))


def mean_film(films: Iterable[np.ndarray], side: int = 192) -> np.ndarray:
    """The mean of films, uint8 (H, W) each, squeezed to a square: float32 (side, side), 0-255."""
    import cv2

    total, count = np.zeros((side, side)), 0
    for film in films:
        total += cv2.resize(film, (side, side), interpolation=cv2.INTER_AREA)
        count += 1
    return (total / max(count, 1)).astype(np.float32)
