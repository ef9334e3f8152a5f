"""Masks and boxes of a film, in the frame in which the film is read."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from core.data import outlines

_ORIENTATION = 0x0112  # EXIF
_FEW = 16  # grey values at most of a mask that numbers its parts (1 left lung, 2 right lung); more come of smooth edges


def read(path: Path, film: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Bool (H, W): where a mask is set, in the frame ``shape`` of its film; None for a file that is not a mask.

    A mask lies in the frame of the film as stored; where an EXIF tag turns the film, the mask is turned alike, unless
    it is drawn in the turned frame already (by its own tag or its sides).
    """
    try:
        with Image.open(path) as mask:
            tag = mask.getexif().get(_ORIENTATION, 1)
            inside = Image.fromarray(np.uint8(255 * is_set(ImageOps.exif_transpose(mask))))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    stored, turn = _stored(film)
    if turn is not None and tag == 1 and (_fits(inside.size, stored) or not _fits(inside.size, shape[::-1])):
        inside = inside.transpose(turn)
    resized = inside.resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.asarray(resized) > 127


def is_set(mask: Image.Image) -> np.ndarray:
    """Bool (H, W): the pixels that a mask marks, however it is stored: 0 and 1, 0 and 255, palette, alpha, 16 bits."""
    if mask.mode == "P":
        return np.asarray(mask) > 0  # the palette's colours are for the eye
    bands = mask.getbands()
    values = np.asarray(mask)
    if values.ndim == 3:
        alpha, colours = (values[..., -1], values[..., :-1]) if bands[-1] == "A" else (None, values)
        values = colours.max(axis=-1)
        if alpha is not None and values.max() == values.min():
            values = alpha
    top = values.max(initial=0)
    few = len(np.unique(values)) <= _FEW
    return values > 0 if few else values > top / 2


def boxes_to_mask(boxes: str, shape: tuple[int, int]) -> np.ndarray:
    """Bool (H, W) that is true inside the boxes "x,y,w,h;..." (pixels)."""
    mask = np.zeros(shape, bool)
    for box in filter(None, (part.strip() for part in boxes.split(";"))):
        x, y, w, h = (float(v) for v in box.split(","))
        mask[max(round(y), 0) : max(round(y + h), 0), max(round(x), 0) : max(round(x + w), 0)] = True
    return mask


def of_outlines(place: str, shape: tuple[int, int], finding: str = "") -> np.ndarray | None:
    """Bool (H, W) in the frame ``shape`` of a film from CheXlocalize's outlines, see `core.data.outlines.mask`."""
    found = outlines.mask(place, finding)
    if found is None:
        return None
    inside = Image.fromarray(np.uint8(255 * found))
    return np.asarray(inside.resize((shape[1], shape[0]), Image.Resampling.NEAREST)) > 127


def of_boxes(boxes: str, film: Path, shape: tuple[int, int]) -> np.ndarray:
    """Bool (H, W) in the frame ``shape`` of a film from boxes in pixels of the film as stored."""
    stored, turn = _stored(film)
    if turn is None:
        return boxes_to_mask(boxes, shape)
    inside = Image.fromarray(np.uint8(255 * boxes_to_mask(boxes, (stored[1], stored[0]))))
    return np.asarray(inside.transpose(turn)) > 127


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _stored(film: Path) -> tuple[tuple[int, int], Image.Transpose | None]:
    """Width and height of a picture file as stored, and how its EXIF tag turns it; (0, 0) and None for other files."""
    try:
        with Image.open(film) as picture:
            return picture.size, _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return (0, 0), None


def _fits(size: tuple[int, int], frame: tuple[int, int]) -> bool:
    """Whether both, (width, height), have the same sides to 2 %."""
    return abs(size[0] * frame[1] - size[1] * frame[0]) <= 0.02 * size[1] * max(frame[0], 1)
