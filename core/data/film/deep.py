"""Pictures of several channels with more than 8 bits each, of which Pillow keeps the high byte only."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from core.data.film import png
from core.data.film.grey import colourfulness, film_range

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow has it
TIFF = (b"II*\0", b"MM\0*")
_BITS_PER_SAMPLE, _ORIENTATION = 258, 274
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

    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None or found.ndim != 3:
        raise ValueError("several channels that cannot be decoded")
    turned = data.startswith(TIFF)  # OpenCV turns these itself
    return grey_of_channels(found, orientation, turned)


def grey_alpha_tiff(data: bytes, check: Callable[[int, int], None]) -> tuple[np.ndarray, int] | None:
    """Grey and alpha of more than 8 bits, which neither Pillow nor OpenCV reads: (H, W, 2), orientation.

    ``check`` is given width and height before anything is decoded. None where the file is another.
    """
    import tifffile

    with tifffile.TiffFile(BytesIO(data)) as file:
        page = file.pages.first
        if len(file.pages) != 1 or page.samplesperpixel != 2 or page.bitspersample <= 8:
            return None
        check(page.imagewidth, page.imagelength)
        found = page.asarray()
        orientation = page.tags.get(_ORIENTATION)
    if found.shape[0] == 2 and page.planarconfig == 2:
        found = np.moveaxis(found, 0, 2)
    return found, int(orientation.value) if orientation else 1


def grey_of_channels(
    found: np.ndarray, orientation: int = 1, turned: bool = False
) -> tuple[np.ndarray, tuple[str, ...], float]:
    """uint16 or float32 (H, W, C), grey or BGR with or without alpha -> uint8 (H, W), notes, colourfulness."""
    if found.dtype not in (np.uint16, np.float32):
        raise ValueError(f"channels of {found.dtype}")
    notes = []
    if orientation in _TURNS:
        notes.append("rotated by EXIF")
        found = found if turned else _TURNS[orientation](found)
    rgb = found[..., 2::-1].astype(np.float32) if found.shape[2] > 2 else found[..., :1].repeat(3, axis=2)
    same = bool((rgb == rgb[..., :1]).all())
    grey = rgb[..., 0] if same else rgb @ _LUMA
    low, high, note = film_range(grey, (0.0, 65535.0))
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
