"""Pixel data -> stored values (PS3.5 section 8): native, RLE, JPEG in all its kinds."""

from typing import TYPE_CHECKING

import numpy as np

from core.data.film.dicom.attributes import Attributes
from core.data.film.dicom.codestream import Codestream, describe, starts_picture, unpack_rle
from core.data.film.dicom.decoders import DECODERS, DecoderError
from core.data.film.dicom.header import PixelHeader, several_frames
from core.data.film.dicom.parsing import BIG_ENDIAN
from core.data.film.limits import REMEDY
from core.errors import FilmError

if TYPE_CHECKING:
    from collections.abc import Callable

RLE = "1.2.840.10008.1.2.5"


def read_samples(of: Attributes, header: PixelHeader, syntax: str) -> np.ndarray:
    """Stored values: int32 (int64 at 32 bits) of shape (rows, columns), or (rows, columns, 3) for colour.

    Colours are as stored for native data and RGB after a JPEG baseline decoder.

    Raises:
        FilmError: fewer or more bytes than the header asks for, several pictures, or a codestream that cannot be
            decoded or contradicts the header.
    """
    element = of.dataset["PixelData"]
    data = bytes(element.value or b"")
    if not element.is_undefined_length:
        swapped = syntax == BIG_ENDIAN
        if swapped and header.allocated == 8 and element.VR == "OW":  # bytes travel in pairs (PS3.5 8.1.1)
            data = np.frombuffer(data[: len(data) // 2 * 2], np.uint16).byteswap().tobytes()
        return values_of(_native(data, header, of.name, swapped), header)
    fragments = _fragments(data, of.name)
    if syntax == RLE or not starts_picture(fragments[0]):
        if len(fragments) > 1:
            raise several_frames(of.name, len(fragments))
        return values_of(_run_lengths(fragments[0], header, of.name), header)
    pictures = sum(map(starts_picture, fragments))
    if pictures > 1:
        raise several_frames(of.name, pictures)
    return _compressed(b"".join(fragments), header, of.name)


def values_of(containers: np.ndarray, header: PixelHeader, precision: int | None = None) -> np.ndarray:
    """Unsigned containers -> values: shifted by the high bit, masked to the stored bits, with their sign.

    ``precision`` is what a codestream says of its samples: with as many bits as are stored, or fewer, they lie at the
    low end whatever the high bit; with fewer the sign bit is the codestream's own.
    """
    stored = min(header.stored, precision or header.stored)
    shift = 0 if precision is not None and precision <= header.stored else header.high + 1 - header.stored
    wide: np.ndarray = containers.astype(np.int64 if header.allocated > 16 else np.int32)
    if shift:
        wide = np.right_shift(wide, shift)
    if stored < 8 * containers.itemsize:
        wide = np.bitwise_and(wide, (1 << stored) - 1)
    if header.signed:
        wide = wide - np.left_shift(np.right_shift(wide, stored - 1), stored)
    return wide


def _native(data: bytes, header: PixelHeader, name: str, swapped: bool) -> np.ndarray:
    """Containers of uncompressed pixel data: unsigned (rows, columns) or (rows, columns, 3)."""
    count = header.rows * header.columns * header.samples
    halved = header.photometric == "YBR_FULL_422"
    bits = count * header.allocated * 2 // 3 if halved else count * header.allocated
    needed = (bits + 7) // 8
    if len(data) < needed:
        came = f'"{name}" is cut off: its PixelData cannot be decoded to the end ({len(data)} of {needed} bytes)'
        raise FilmError(came, "Rows x Columns samples of BitsAllocated bits", "Copy or export it again")
    if len(data) >= 2 * needed and len(data) // needed * needed + 1 >= len(data):
        raise several_frames(name, len(data) // needed)
    if header.allocated == 1:
        flat = np.unpackbits(np.frombuffer(data[:needed], np.uint8), count=count, bitorder="little")
    else:
        order = ">" if swapped else "<"
        flat = np.frombuffer(data[:needed], f"{order}u{header.allocated // 8}")
    if halved:  # Y Y Cb Cr for two pixels side by side
        pairs = flat.reshape(header.rows, header.columns // 2, 4)
        colours = np.repeat(pairs[:, :, None, 2:], 2, axis=2)
        return np.concatenate([pairs[:, :, :2, None], colours], axis=3).reshape(header.rows, header.columns, 3)
    return _shaped(flat, header)


def _shaped(flat: np.ndarray, header: PixelHeader) -> np.ndarray:
    if header.samples == 1:
        return flat.reshape(header.rows, header.columns)
    if header.planar:
        return np.moveaxis(flat.reshape(header.samples, header.rows, header.columns), 0, 2)
    return flat.reshape(header.rows, header.columns, header.samples)


def _fragments(data: bytes, name: str) -> list[bytes]:
    """The fragments of encapsulated pixel data, without the offset table (PS3.5 A.4)."""
    from pydicom.encaps import generate_fragments, parse_basic_offsets

    try:
        offsets = parse_basic_offsets(data)
        found = list(generate_fragments(data))[1:]
    except Exception as error:
        raise _undecodable(name, "fragments", "damaged items") from error
    if len(offsets) > 1:
        raise several_frames(name, len(offsets))
    if not any(found):
        raise _undecodable(name, "fragments", "nothing in them")
    return found


def _run_lengths(frame: bytes, header: PixelHeader, name: str) -> np.ndarray:
    width = header.allocated // 8
    try:
        planes = unpack_rle(frame, header.rows * header.columns, width * header.samples)
    except ValueError as error:
        raise _undecodable(name, "RLE", str(error)) from error
    starts = range(0, len(planes), width)
    samples = [np.ascontiguousarray(planes[k : k + width].T).view(f">u{width}")[:, 0] for k in starts]
    shape = (header.rows, header.columns)
    return samples[0].reshape(shape) if len(samples) == 1 else np.dstack([s.reshape(shape) for s in samples])


def _compressed(stream: bytes, header: PixelHeader, name: str) -> np.ndarray:
    """JPEG, JPEG-LS or JPEG 2000; what the codestream says of its size must be what the data set says."""
    try:
        found = describe(stream)
    except ValueError as error:
        raise _undecodable(name, "compressed", str(error)) from error
    pairs = (
        ("Rows", header.rows, found.rows),
        ("Columns", header.columns, found.columns),
        ("SamplesPerPixel", header.samples, found.samples),
    )
    for keyword, said, is_ in pairs:
        if said != is_:
            raise _undecodable(name, found.kind, f"{keyword} {said}, but {is_} in the codestream")
    if found.precision > header.allocated:
        came = f"BitsAllocated {header.allocated}, but {found.precision} bits in the codestream"
        raise _undecodable(name, found.kind, came)
    decode: Callable[[bytes, Codestream], np.ndarray] = _baseline if _for_pillow(found) else DECODERS.decode
    try:
        pixels = decode(stream, found)
    except (DecoderError, OSError, ValueError, SyntaxError, MemoryError) as error:
        raise _undecodable(name, found.kind, str(error)) from error
    return values_of(pixels.view(f"u{pixels.itemsize}"), header, found.precision)


def _for_pillow(found: Codestream) -> bool:
    return found.precision == 8 and found.kind in ("JPEG baseline", "JPEG")


def _baseline(stream: bytes, found: Codestream) -> np.ndarray:
    from io import BytesIO

    from PIL import Image

    picture = Image.open(BytesIO(stream), formats=("JPEG",))
    return np.asarray(picture if found.samples == 1 else picture.convert("RGB"))


def _undecodable(name: str, kind: str, why: str) -> FilmError:
    came = f'"{name}" holds PixelData that cannot be decoded ({kind}: {why})'
    return FilmError(came, "whole pixels in one of DICOM's encodings", REMEDY)
