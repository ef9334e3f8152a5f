"""How large a pixel is, and pixels that are not square (PS3.3 C.7.6.3.1.7, 10.7.1, C.8.11.7.1.1) -> square pixels."""

import numpy as np

from core.data.film.dicom.attributes import Attributes
from core.data.film.limits import check_size
from core.data.film.radiograph import Spacing

_SQUARE = 0.01  # difference of height and width that no one sees
_LONGEST = 4.0  # height over width or the inverse; beyond it the attribute is wrong, or the film no radiograph
_ADULT, _CHILD, _LARGEST = 250.0, 80.0, 600.0  # mm: the least that a film's longer side spans, and the most
_GROWN = 15.0  # years from which a chest is an adult's; of unknown age it counts as one
_SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")


def read_aspect(of: Attributes) -> float:
    """Height over width of a pixel; 1 where the file does not say, or says zero.

    Raises:
        FilmError: a ratio beyond 4, or a value that is not a pair of numbers.
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


def read_spacing(of: Attributes, rows: int, columns: int, age: float | None) -> tuple[Spacing | None, str]:
    """How many millimetres a pixel spans once pixels are square, and a note where what the file says is not believed.

    Films that were made smaller often keep the spacing of the original: a chest of 15 cm would then be measured. A
    spacing of zero counts as none.

    Args:
        age: years, or None.
    """
    imager, stated = (of.numbers(keyword) for keyword in ("ImagerPixelSpacing", "PixelSpacing"))
    pairs = {"stated": stated, "detector": imager, "scanned": of.numbers("NominalScannedPixelSpacing")}
    pairs = {plane: pair for plane, pair in pairs.items() if len(pair) == 2 and min(pair) > 0.0}
    if not pairs:
        return None, ""
    plane, (down, across) = next(iter(pairs.items()))
    if plane == "stated" and "detector" in pairs:
        plane = "detector" if stated == imager else "patient"
    if plane == "stated" and of.text("PixelSpacingCalibrationType") in ("GEOMETRY", "FIDUCIAL"):
        plane = "patient"
    longest = max(rows * down, columns * across)
    least = _ADULT if age is None or age >= _GROWN else _CHILD
    if not least <= longest <= _LARGEST:
        size = f"{columns * across / 10:.3g} x {rows * down / 10:.3g} cm"
        return None, f"by its pixel spacing the film would be {size}, which is not a chest film's size: not measured"
    return Spacing(min(down, across), plane), ""


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
