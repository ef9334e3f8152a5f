"""Pictures that Pillow does not read whole: several channels of more than 8 bits each, and some TIFF."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from core.data.film import png
from core.data.film.grey import colourfulness, film_range

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow has it
TIFF = (b"II*\0", b"MM\0*")
_BITS_PER_SAMPLE, _ORIENTATION, _PLANAR = 258, 274, 284
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2  # TIFF photometric interpretations
_OPAQUE = (1023, 4095, 16383, 65535)  # a film of 12 bits may bring an alpha of 12 bits
_TURNS = {
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
    8: lambda a: np.rot90(a, 1),
}


def has_deep_channels(picture: Image.Image, data: bytes) -> bool:
    """Whether an opened PNG or TIFF has several channels of more than 8 bits."""
    if picture.format == "TIFF":
        bits = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, 1)
        return isinstance(bits, tuple) and len(bits) > 1 and max(bits) > 8
    return png.several_deep_channels(data)


def decode_deep(data: bytes, orientation: int) -> tuple[np.ndarray, tuple[str, ...], float]:
    """The bytes of a PNG or TIFF -> uint8 (H, W), notes, colourfulness; ``orientation`` is EXIF's.

    Raises:
        ValueError: OpenCV cannot decode it.
    """
    import cv2

    if data.startswith(TIFF) and (planes := _planes(data)) is not None:  # which OpenCV takes for rows
        return grey_of_channels(planes, orientation)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None or found.ndim != 3:
        raise ValueError("several channels that cannot be decoded")
    return grey_of_channels(found, orientation, upright=data.startswith(TIFF))  # OpenCV turns these itself


def other_tiff(data: bytes, check: Callable[[int, int], None]) -> tuple[np.ndarray, int, bool] | None:
    """One page that neither Pillow nor OpenCV reads: grey and alpha above 8 bits, floats of 64 bits, floats in colour.

    Args:
        check: is given width and height before anything is decoded.

    Returns:
        uint16 or float32, (H, W) or (H, W, C) as OpenCV has it (BGR); the orientation of EXIF; whether white is low.
        None where the file is another.
    """
    import tifffile

    with tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        if (
            len(file.pages) != 1
            or page.samplesperpixel > 4
            or page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB)
        ):
            return None
        check(page.imagewidth, page.imagelength)
        found = page.asarray()
        orientation = page.tags.get(_ORIENTATION)
        planar, inverse = page.planarconfig == 2 and page.samplesperpixel > 1, page.photometric == _WHITE_IS_ZERO
    if found.dtype.kind not in "uif" or found.dtype.itemsize == 1:
        return None
    found = np.moveaxis(found, 0, 2) if planar else found
    found = found if found.dtype == np.uint16 else np.nan_to_num(found.astype(np.float32), posinf=0.0, neginf=0.0)
    if inverse and found.ndim == 3:
        return None
    if found.ndim == 3 and found.shape[2] > 2:
        found = found[..., [2, 1, 0, *range(3, found.shape[2])]]
    return found, int(orientation.value) if orientation else 1, inverse


def _planes(data: bytes) -> np.ndarray | None:
    """Colours that lie in planes, one after the other, as BGR (H, W, C); None where they lie pixel by pixel."""
    import tifffile

    with tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        planar = page.tags.get(_PLANAR)
        if planar is None or int(planar.value) != 2 or page.samplesperpixel < 2:
            return None
        found = np.moveaxis(page.asarray(), 0, 2)
    return found[..., [2, 1, 0, *range(3, found.shape[2])]] if found.shape[2] > 2 else found


def turned(picture: np.ndarray, orientation: int) -> np.ndarray:
    """A picture (H, W, ...) as EXIF's orientation turns it."""
    return _TURNS[orientation](picture) if orientation in _TURNS else picture


def grey_of_channels(
    found: np.ndarray, orientation: int = 1, upright: bool = False
) -> tuple[np.ndarray, tuple[str, ...], float]:
    """uint16 or float32 (H, W, C), grey or BGR with or without alpha -> uint8 (H, W), notes, colourfulness."""
    if found.dtype not in (np.uint16, np.float32):
        raise ValueError(f"channels of {found.dtype}")
    notes = []
    if orientation in _TURNS:
        notes.append("rotated by EXIF")
        found = found if upright else turned(found, orientation)
    rgb = found[..., 2::-1].astype(np.float32) if found.shape[2] > 2 else found[..., :1].repeat(3, axis=2)
    same = bool((rgb == rgb[..., :1]).all())
    grey = rgb[..., 0] if same else rgb @ _LUMA
    low, high, note = film_range(grey, (0.0, 65535.0) if found.dtype == np.uint16 else None)
    notes += [note] if note else []
    if found.shape[2] in (2, 4):
        alpha = found[..., -1].astype(np.float32)
        if not (alpha.min() == alpha.max() and int(alpha.max()) in _OPAQUE):
            share = alpha / np.float32(65535.0 if found.dtype == np.uint16 else 1.0)
            grey, rgb = grey * share, rgb * share[..., None]
            notes.append("laid on black (it had transparency)")
    scale = 255.0 / max(high - low, 1e-9)
    colour = 0.0 if same else colourfulness(_eight_bits(rgb, low, scale))
    if colour > 0.0:
        notes.append("colour averaged to grey")
    return _eight_bits(grey, low, scale), tuple(notes), colour


def _eight_bits(values: np.ndarray, low: float, scale: float) -> np.ndarray:
    return np.clip(np.rint((values - low) * scale), 0, 255).astype(np.uint8)
