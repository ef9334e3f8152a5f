"""PNG, JPEG, TIFF, BMP and WebP to one grey film."""

from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from core.data.film import png
from core.data.film.deep import TIFF, decode_deep, grey_of_channels, has_deep_channels, other_tiff, turned
from core.data.film.file_kind import describe
from core.data.film.grey import colourfulness, grey_from_deep
from core.data.film.limits import EXPECTED, MAX_PIXELS, REMEDY, Room, check_size, unlimited
from core.data.film.radiograph import Radiograph
from core.data.film.values import Values
from core.errors import FilmError, HilumError

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_ORIENTATION = 0x0112  # EXIF
_WHITE_IS_ZERO = 0  # TIFF photometric interpretation


def read(data: bytes, name: str, digest: str, room: Room = unlimited) -> Radiograph:
    """One film from the bytes of a picture file; ``digest`` is the SHA-256 of those bytes, ``room`` as in `opener`.

    Raises:
        FilmError: not one of these formats, animated, damaged, or of a size that is not a film's.
    """
    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        came, limit = f'"{name}" has far too many pixels', f"at most {MAX_PIXELS // 1_000_000} million"
        raise FilmError(came, limit, "Save the film smaller and try again") from None
    except Exception:  # hostile bytes make Pillow raise almost anything
        if data.startswith(TIFF) and (film := _other_tiff(data, name, digest, room)):
            return film
        raise FilmError(f'"{name}" is {describe(data)}', EXPECTED, REMEDY) from None
    check_size(*picture.size, name)
    room(picture.width * picture.height)
    form = "JPEG" if picture.format == "MPO" else str(picture.format)
    remedy = "Copy or download the file again"
    try:
        pages = getattr(picture, "n_frames", 1) if form != "JPEG" else 1
    except Exception as error:  # counting the pages of a TIFF reads them all
        raise FilmError(f'"{name}" is a damaged or cut-off {form} file', EXPECTED, remedy) from error
    if pages > 1:
        came = f'"{name}" holds {pages} pictures'
        raise FilmError(came, "one film per file", "Save the film you mean as a file of its own")
    try:
        depth = _bit_depth(picture, data)
        pixels, notes, colour = _whole(picture, data)
    except Exception as error:
        raise FilmError(f'"{name}" is a damaged or cut-off {form} file', EXPECTED, remedy) from error
    shape = (picture.height, picture.width)
    return Radiograph(pixels, name, digest, shape, depth, form, {}, notes, colour)


def values(data: bytes, film: Radiograph) -> Values:
    """The values of a film that ``read`` read from these bytes: all bits of a deep grey picture, else its grey."""
    if film.bit_depth > 8 and not film.colour:
        try:
            picture = Image.open(BytesIO(data), formats=_FORMATS)
            upright = ImageOps.exif_transpose(picture)
            if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
                white_first = getattr(picture, "tag_v2", {}).get(262) == _WHITE_IS_ZERO
                return Values(np.nan_to_num(np.asarray(upright), posinf=0.0, neginf=0.0), inverse=white_first)
        except Exception:  # several channels, or a TIFF that another reader read: its grey is there
            return Values(film.pixels)
    return Values(film.pixels)


def _other_tiff(data: bytes, name: str, digest: str, room: Room) -> Radiograph | None:
    """A TIFF that Pillow does not open; None for all that is not one."""

    def check(width: int, height: int) -> None:
        check_size(width, height, name)
        room(width * height)

    try:
        known = other_tiff(data, check)
        if known is None:
            return None
        found, orientation, inverse = known
        if found.ndim == 3:
            pixels, notes, colour = grey_of_channels(found, orientation)
        else:
            pixels, note = grey_from_deep(turned(found, orientation))
            notes, colour = (note,) if note else (), 0.0
            pixels = 255 - pixels if inverse else pixels
    except HilumError:
        raise
    except Exception:  # hostile bytes again
        return None
    depth = 8 * found.dtype.itemsize
    return Radiograph(pixels, name, digest, pixels.shape, depth, "TIFF", {}, notes, colour)


def _whole(picture: Image.Image, data: bytes) -> tuple[np.ndarray, tuple[str, ...], float]:
    """Decode, or raise where a part of the picture is damaged or missing."""
    compressed = png.picture_data(data) if picture.format == "PNG" else b""
    if has_deep_channels(picture, data):
        if compressed:
            png.check_whole(data, compressed)
        return decode_deep(data, picture.getexif().get(_ORIENTATION, 1))
    found = _grey(picture)
    # Only pictures with black last rows are inflated twice: reading the others costs no more than before.
    if compressed and png.may_end_early(np.asarray(picture)):
        png.check_whole(data, compressed)
    return found


def _grey(picture: Image.Image) -> tuple[np.ndarray, tuple[str, ...], float]:
    """Decode: uint8 (H, W), notes, colourfulness."""
    notes = []
    upright = ImageOps.exif_transpose(picture) if picture.getexif().get(_ORIENTATION, 1) != 1 else picture
    if upright is not picture:
        notes.append("rotated by EXIF")
    if upright.mode in ("I", "F") or upright.mode.startswith("I;16"):
        pixels, note = grey_from_deep(np.asarray(upright))
        if getattr(picture, "tag_v2", {}).get(262) == _WHITE_IS_ZERO:  # Pillow undoes this for 8 bits only
            pixels, note = 255 - pixels, f"{note}, inverted (white is zero)".lstrip(", ")
        return pixels, (*notes, note) if note else tuple(notes), 0.0
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "black"), upright.convert("RGBA"))
        notes.append("laid on black (it had transparency)")
    if upright.mode in ("1", "L"):
        return np.asarray(upright.convert("L")), tuple(notes), 0.0
    rgb = upright.convert("RGB")
    colour = colourfulness(np.asarray(rgb))
    if colour > 0:
        notes.append("colour averaged to grey")
    return np.asarray(rgb.convert("L")), tuple(notes), colour


def _bit_depth(picture: Image.Image, data: bytes) -> int:
    if picture.format == "PNG":
        return data[24]  # IHDR
    if picture.format == "TIFF":
        stored = getattr(picture, "tag_v2", {}).get(258, 1)
        return int(stored[0] if isinstance(stored, tuple) else stored)
    return 1 if picture.mode == "1" else 8
