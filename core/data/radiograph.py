"""A file or bytes become one grey film, or an error that says why not.

The content decides, never the extension. Sizes are read from the header and limited before a pixel is decoded. Of what
a file says about its patient only view, sex and age are kept, and of its path only the base name.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from core.data.foreign import describe
from core.errors import FilmError

MAX_BYTES = 200_000_000
MAX_PIXELS = 64_000_000  # the largest detectors make 18 million
MIN_SIDE = 16
EXPECTED = "one chest film as PNG, JPEG, TIFF, BMP, WebP or DICOM"
REMEDY = "Export the film as PNG or DICOM and try again"

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
_ORIENTATION = 0x0112  # EXIF
_WHITE_IS_ZERO = 0  # TIFF photometric interpretation


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One film, as every room of the house sees it.

    Args:
        pixels: uint8 (H, W), read-only, 0 = black, 255 = white; dense tissue is white.
        name: file name without its folder.
        sha256: hex digest of the file's bytes (of the pixels for drawn or altered films).
        source_shape: (H, W) in pixels, as stored.
        bit_depth: bits per stored sample.
        format: "PNG", "JPEG", "TIFF", "BMP", "WEBP", "DICOM", or "pixels" for films that were never a file.
        tags: only the keys view, sex, age, photometric and modality, each where known.
        notes: what the reader did to the film, in words.
        colour: mean saturation (max - min of the channels), 0 = grey to 1; high in photographs.
    """

    pixels: np.ndarray
    name: str
    sha256: str
    source_shape: tuple[int, int]
    bit_depth: int = 8
    format: str = "pixels"
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    colour: float = 0.0

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 2:
            came = f'"{self.name}" holds {self.pixels.dtype} pixels of shape {self.pixels.shape}'
            raise FilmError(came, "uint8 pixels of shape (height, width)", REMEDY)
        frozen = np.ascontiguousarray(self.pixels).view()
        frozen.flags.writeable = False
        object.__setattr__(self, "pixels", frozen)

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def with_pixels(self, pixels: np.ndarray, note: str) -> "Radiograph":
        """The same film altered: other pixels uint8 (H, W), one more note, and a digest of its own."""
        return replace(self, pixels=pixels, sha256=_digest(pixels), notes=(*self.notes, note))


def from_pixels(pixels: np.ndarray, name: str) -> Radiograph:
    """A film that was never a file, from uint8 (H, W)."""
    height, width = pixels.shape[:2]
    return Radiograph(pixels, name, _digest(pixels), (height, width))


def read(source: str | Path | bytes | BinaryIO, name: str | None = None) -> Radiograph:
    """Read one film from a path, bytes or an open binary file.

    Args:
        source: the film. An open file is read from where it stands.
        name: what to call it; by default the file's own name. Folders are cut off.

    Raises:
        FilmError: it is not one readable film; the message says what came, what was expected and what to do.
    """
    given = name or (str(source) if isinstance(source, str | Path) else getattr(source, "name", None))
    name = re.split(r"[/\\]", str(given or "film"))[-1]
    data = _load(source, name)
    if not data:
        raise FilmError(f'"{name}" is empty', EXPECTED, "Copy or download the file again")
    digest = hashlib.sha256(data).hexdigest()
    if _is_dicom(data):
        from core.data import dicom

        return dicom.read(data, name, digest)
    return _read_picture(data, name, digest)


def grey_from_deep(values: np.ndarray, depth: int | None = None) -> tuple[np.ndarray, str]:
    """Samples of more than 8 bits, or real numbers, as uint8 of the same shape, and a note on how.

    Values are scaled by the whole range of the smallest usual depth that holds them (8, 10, 12, 14 or 16 bits, or
    ``depth`` where the file states it), so that equal films stay equal. A film that uses less than a quarter of that
    range would be nearly black: it is stretched between its 0.1 and 99.9 percentiles instead.
    """
    values = np.nan_to_num(values.astype(np.float32))
    highest = float(values.max())
    low, high = (float(v) for v in np.percentile(values, (0.1, 99.9)))
    bits = next((b for b in (depth or 8, 8, 10, 12, 14, 16) if highest < 2**b), None)
    top = 1.0 if 0.0 < highest <= 1.0 else float(2**bits - 1) if bits else 0.0
    if float(values.min()) >= 0.0 and top and high - low >= top / 4:
        low, high = 0.0, top
        note = "" if top == 255.0 else f"values 0 to {top:g} scaled to 8 bits"
    else:
        note = f"values {low:g} to {high:g} (0.1 to 99.9 percentile) stretched to 8 bits"
    scaled = (values - low) * (255.0 / max(high - low, 1e-6))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8), note


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


def _load(source: str | Path | bytes | BinaryIO, name: str) -> bytes:
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            came = f'"{name}" is a folder' if path.is_dir() else f'There is no file "{name}"'
            raise FilmError(came, EXPECTED, "Check the path")
        _check_bytes(path.stat().st_size, name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise FilmError(
                f'"{name}" cannot be read: {error.strerror}', EXPECTED, "Check the file's rights"
            ) from error
    data = bytes(source) if isinstance(source, bytes | bytearray | memoryview) else source.read(MAX_BYTES + 1)
    _check_bytes(len(data), name)
    return data


def _check_bytes(size: int, name: str) -> None:
    if size > MAX_BYTES:
        limit = f"at most {MAX_BYTES // 1_000_000} MB"
        raise FilmError(f'"{name}" has more than {limit[8:]}', limit, "Save the film smaller and try again")


def _is_dicom(data: bytes) -> bool:
    """The mark after the preamble, or, in old files without one, a first element of group 0002 or 0008."""
    return data[128:132] == b"DICM" or (data[:2] in (b"\x02\x00", b"\x08\x00") and data[3:4] == b"\x00")


def _read_picture(data: bytes, name: str, digest: str) -> Radiograph:
    try:
        picture = Image.open(BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError:
        came, limit = f'"{name}" has far too many pixels', f"at most {MAX_PIXELS // 1_000_000} million"
        raise FilmError(came, limit, "Save the film smaller and try again") from None
    except Exception:  # hostile bytes make Pillow raise almost anything
        raise FilmError(f'"{name}" is {describe(data)}', EXPECTED, REMEDY) from None
    check_size(*picture.size, name)
    form = "JPEG" if picture.format == "MPO" else str(picture.format)
    if form != "JPEG" and getattr(picture, "is_animated", False):
        came = f'"{name}" holds {getattr(picture, "n_frames", "several")} pictures'
        raise FilmError(came, "one film a file", "Save the film you mean as a file of its own")
    depth = _bit_depth(picture, data)
    try:
        pixels, notes, colour = _grey(picture)
    except Exception as error:
        remedy = "Copy or download the file again"
        raise FilmError(f'"{name}" is a damaged or cut-off {form} file', EXPECTED, remedy) from error
    shape = (picture.height, picture.width)
    return Radiograph(pixels, name, digest, shape, depth, form, {}, notes, colour)


def _grey(picture: Image.Image) -> tuple[np.ndarray, tuple[str, ...], float]:
    """Decode: uint8 (H, W), notes, colourfulness."""
    notes = []
    turned = ImageOps.exif_transpose(picture) if picture.getexif().get(_ORIENTATION, 1) != 1 else picture
    if turned is not picture:
        notes.append("rotated by EXIF")
    if turned.mode in ("I", "F") or turned.mode.startswith("I;16"):
        pixels, note = grey_from_deep(np.asarray(turned))
        if getattr(picture, "tag_v2", {}).get(262) == _WHITE_IS_ZERO:  # Pillow undoes this for 8 bits only
            pixels, note = 255 - pixels, f"{note}, inverted (white is zero)".lstrip(", ")
        return pixels, (*notes, note) if note else tuple(notes), 0.0
    if "A" in turned.getbands() or "transparency" in turned.info:
        turned = Image.alpha_composite(Image.new("RGBA", turned.size, "black"), turned.convert("RGBA"))
        notes.append("laid on black (it had transparency)")
    if turned.mode in ("1", "L"):
        return np.asarray(turned.convert("L")), tuple(notes), 0.0
    rgb = turned.convert("RGB")
    colour = colourfulness(np.asarray(rgb))
    if colour > 0:
        notes.append("colour averaged to grey")
    return np.asarray(rgb.convert("L")), tuple(notes), colour


def colourfulness(rgb: np.ndarray) -> float:
    """Mean saturation of uint8 (H, W, 3), 0 to 1, read off every fourth row and column."""
    some = rgb[::4, ::4]
    return float((some.max(axis=2) - some.min(axis=2)).mean() / 255)


def _bit_depth(picture: Image.Image, data: bytes) -> int:
    if picture.format == "PNG":
        return data[24]  # IHDR
    if picture.format == "TIFF":
        stored = getattr(picture, "tag_v2", {}).get(258, 1)
        return int(stored[0] if isinstance(stored, tuple) else stored)
    return 1 if picture.mode == "1" else 8


def _digest(pixels: np.ndarray) -> str:
    return hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
