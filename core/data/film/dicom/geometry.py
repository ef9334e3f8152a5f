"""Pixels that are not square: spacing or aspect ratio (PS3.3 C.7.6.3.1.7, 10.7.1.1, C.8.11.7.1.1) -> square pixels."""

import numpy as np

from core.data.film.dicom.attributes import Attributes
from core.data.film.limits import check_size

_SQUARE = 0.01  # difference of height and width that no one sees
_LONGEST = 4.0  # height over width or the inverse; beyond it the attribute is wrong, or the film no radiograph
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def read_aspect(of: Attributes) -> float:
    """Height over width of a pixel; 1 where the file does not say, or says zero.

    Raises:
        FilmError: a ratio beyond 4, or a value that is no pair of numbers.
    """
    for keyword in (*_SPACINGS, "PixelAspectRatio"):
        pair = of.numbers(keyword)
        if len(pair) == 2 and min(pair) > 0.0:
            ratio = pair[0] / pair[1]
            if not 1 / _LONGEST <= ratio <= _LONGEST:
                given = "\\".join(f"{v:g}" for v in pair)
                raise of.refused(keyword, given, f"pixels at most {_LONGEST:g} times as long as wide")
            return ratio
    return 1.0


def square(pixels: np.ndarray, aspect: float, name: str) -> tuple[np.ndarray, str]:
    """uint8 (H, W) with pixels ``aspect`` times as high as wide -> square ones, the shorter side stretched; a note."""
    if abs(aspect - 1.0) <= _SQUARE:
        return pixels, ""
    import cv2

    height, width = pixels.shape
    size = (width, round(height * aspect)) if aspect > 1.0 else (round(width / aspect), height)
    check_size(*size, name)
    note = f"pixels {aspect:.3g} times as high as wide made square"
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), note
