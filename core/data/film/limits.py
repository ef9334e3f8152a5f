"""What is refused before a pixel is decoded, and how a refusal ends."""

from collections.abc import Callable

from core.errors import FilmError

MAX_BYTES = 200_000_000
MAX_PIXELS = 64_000_000  # the largest detectors make 18 million
MIN_SIDE = 16
EXPECTED = "one chest film as PNG, JPEG, TIFF, BMP, WebP or DICOM"
REMEDY = "Export the film as PNG or DICOM and try again"

Room = Callable[[int], None]
"""Is told how many bytes a film will take once it is decoded, before it is; raises where there is no room for them."""


def unlimited(size: int) -> None:
    """Room for every film."""


def check_size(width: int, height: int, name: str) -> None:
    """Refuse what is too large to be a film before it is decoded, or too small to show one."""
    if width * height > MAX_PIXELS:
        came = f'"{name}" has {width} x {height} pixels'
        raise FilmError(
            came, f"at most {MAX_PIXELS // 1_000_000} million pixels", "Save the film smaller and try again"
        )
    if min(width, height) < MIN_SIDE:
        remedy = "Use the film itself, not an icon of it"
        raise FilmError(f'"{name}" has {width} x {height} pixels', f"at least {MIN_SIDE} a side", remedy)
