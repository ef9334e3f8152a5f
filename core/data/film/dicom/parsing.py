"""Bytes -> data set: with or without preamble, meta header and transfer syntax, and inflated only within a limit."""

import struct
import warnings
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from core.data.film.limits import EXPECTED, MAX_BYTES, REMEDY
from core.errors import FilmError

if TYPE_CHECKING:
    from pydicom import Dataset

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_PIXEL_DATA = 0x7FE00010
_LONG = (b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN")  # explicit VRs with a length of four bytes (PS3.5 7.1.2)


def parse(data: bytes, name: str) -> tuple["Dataset", str]:
    """The data set of a DICOM file and its transfer syntax UID (guessed from the bytes where the file states none).

    Raises:
        FilmError: the file is damaged, cut off, or inflates beyond what a film can hold.
    """
    syntax, start = _meta(data)
    body = data[start:]
    if syntax == DEFLATED:
        body = _inflate(body, name)
    syntax = syntax or _guess(body)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are judged where they are used
            return _dataset(body, syntax, name), syntax
    except FilmError:
        raise
    except Exception:  # hostile bytes make a parser raise almost anything
        raise FilmError(f'"{name}" is a damaged DICOM file', EXPECTED, "Export it again") from None


def _dataset(body: bytes, syntax: str, name: str) -> "Dataset":
    from pydicom.filereader import read_dataset

    stream = BytesIO(body)
    reached = -1

    def watch(tag: int, vr: str | None, length: int) -> bool:
        nonlocal reached
        reached = int(tag)
        return reached > _PIXEL_DATA  # what follows the pixels is padding or a signature

    dataset = read_dataset(stream, syntax == IMPLICIT, syntax != BIG_ENDIAN, stop_when=watch)
    if reached == _PIXEL_DATA and _PIXEL_DATA not in dataset:
        came = f'"{name}" is cut off: its PixelData cannot be decoded to the end'
        raise FilmError(came, "a whole DICOM file", "Copy or export it again")
    return dataset


def _meta(data: bytes) -> tuple[str, int]:
    """The transfer syntax UID that group 0002 states ("" where it states none), and where that group ends."""
    position, syntax = 132 if data[128:132] == b"DICM" else 0, ""
    while data[position : position + 2] == b"\x02\x00" and position + 12 <= len(data):
        vr, element = data[position + 4 : position + 6], data[position + 2 : position + 4]
        if vr in _LONG:
            length, head = struct.unpack_from("<I", data, position + 8)[0], 12
        else:
            length, head = struct.unpack_from("<H", data, position + 6)[0], 8
        if element == b"\x10\x00":
            value = data[position + head : position + head + length]
            syntax = value.decode("ascii", "replace").strip(" \0")
        position += head + length
    return syntax, min(position, len(data))


def _inflate(body: bytes, name: str) -> bytes:
    """Raw deflate (PS3.5 A.5), up to what an uncompressed file may measure."""
    try:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        whole = inflater.decompress(body, MAX_BYTES + 1)
    except zlib.error:
        came = f'"{name}" is a deflated DICOM file that cannot be inflated'
        raise FilmError(came, "a whole DICOM file", "Copy or export it again") from None
    if len(whole) > MAX_BYTES:
        limit = f"at most {MAX_BYTES // 1_000_000} MB"
        raise FilmError(f'"{name}" is a deflated DICOM file that inflates to more', limit, REMEDY)
    if not inflater.eof:
        raise FilmError(f'"{name}" is a deflated DICOM file that is cut off', "a whole DICOM file", "Copy it again")
    return whole


def _guess(body: bytes) -> str:
    """The encoding of a data set that does not state it, from its first element, as dcmtk does."""
    group = struct.unpack_from("<H", body)[0] if len(body) >= 8 else 0
    explicit = body[4:6].isalpha() and body[4:6].isupper()
    if group > 0x00FF and explicit:  # 0008 read the wrong way round is 0800
        return BIG_ENDIAN
    return EXPLICIT if explicit else IMPLICIT
