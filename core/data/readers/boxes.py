"""Boxes of public tables in pixels of the film as stored, whatever frame they were drawn in."""

from collections.abc import Iterable
from pathlib import Path

from PIL import Image

Box = tuple[float, float, float, float]  # left, top, width, height


def in_film(boxes: Iterable[Box], film: Path, frame: tuple[float, float] | None = None) -> str:
    """Boxes as a cohort keeps them, "x,y,w,h;...".

    Args:
        frame: width and height in which they were drawn; None: those of the film as stored. A DICOM file is taken to be
            the original, in whose frame boxes are drawn.
    """
    across = down = 1.0
    if frame and (stored := _size(film)):
        across, down = stored[0] / frame[0], stored[1] / frame[1]
    return ";".join(f"{x * across:.1f},{y * down:.1f},{w * across:.1f},{h * down:.1f}" for x, y, w, h in boxes)


def _size(film: Path) -> tuple[int, int] | None:
    try:
        with Image.open(film) as picture:
            return picture.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
