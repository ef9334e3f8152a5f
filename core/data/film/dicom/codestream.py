"""What a compressed picture says of itself, read before a decoder sees it."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

Kind = Literal["JPEG baseline", "JPEG", "JPEG lossless", "JPEG-LS", "JPEG 2000"]
_FRAMES: dict[int, Kind] = {
    0xC0: "JPEG baseline",
    0xC1: "JPEG",
    0xC2: "JPEG",
    0xC3: "JPEG lossless",
    0xF7: "JPEG-LS",
}
_J2K = b"\xff\x4f\xff\x51"
_JP2 = b"\x00\x00\x00\x0cjP  "


@dataclass(frozen=True)
class Codestream:
    """Kind, bits per sample, and size in pixels, from the frame header (ITU-T T.81 B.2.2, T.87 C.2.2, T.800 A.5.1)."""

    kind: Kind
    precision: int
    rows: int
    columns: int
    samples: int


def starts_picture(fragment: bytes) -> bool:
    """Whether these bytes begin a JPEG, JPEG-LS or JPEG 2000 picture."""
    return fragment.startswith((b"\xff\xd8\xff", _J2K, _JP2))


def describe(stream: bytes) -> Codestream:
    """The header of a JPEG, JPEG-LS or JPEG 2000 picture.

    Raises:
        ValueError: it is none of these, or ends before it says how large it is.
    """
    if stream.startswith(_JP2):
        stream = stream[max(stream.find(_J2K), 0) :]
    return _jpeg2000(stream) if stream.startswith(_J2K) else _jpeg(stream)


def _jpeg(stream: bytes) -> Codestream:
    if not stream.startswith(b"\xff\xd8"):
        raise ValueError("no JPEG, JPEG-LS or JPEG 2000 picture")
    position = 2
    while position + 10 <= len(stream) and stream[position] == 0xFF:
        marker, length = stream[position + 1], int.from_bytes(stream[position + 2 : position + 4], "big")
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _FRAMES:
            rows, columns = (int.from_bytes(stream[position + k : position + k + 2], "big") for k in (5, 7))
            return Codestream(_FRAMES[marker], stream[position + 4], rows, columns, stream[position + 9])
        elif marker in (0xD9, 0xDA) or length < 2:
            break
        else:
            position += 2 + length
    raise ValueError("a JPEG picture without a frame header")


def _jpeg2000(stream: bytes) -> Codestream:
    if len(stream) < 43:
        raise ValueError("a JPEG 2000 picture that ends in its header")
    right, bottom, left, top = (int.from_bytes(stream[k : k + 4], "big") for k in (8, 12, 16, 20))
    samples = int.from_bytes(stream[40:42], "big")
    return Codestream("JPEG 2000", (stream[42] & 0x7F) + 1, bottom - top, right - left, samples)


def unpack_rle(frame: bytes, pixels: int, planes: int) -> np.ndarray:
    """DICOM RLE (PS3.5 annex G): PackBits segments, one per byte of a sample, most significant first.

    Args:
        frame: the fragment with its header of 16 offsets.
        pixels: bytes that each segment must give; no more is ever unpacked.
        planes: segments that there must be.

    Returns:
        uint8 (planes, pixels).

    Raises:
        ValueError: another number of segments, or one that ends early.
    """
    header = np.frombuffer(frame[:64], "<u4")
    if len(header) < 16 or header[0] != planes:
        raise ValueError(f"RLE with {header[0] if len(header) else 0} segments instead of {planes}")
    starts = [int(v) for v in header[1 : planes + 1]] + [len(frame)]
    if starts != sorted(starts) or starts[0] < 64:
        raise ValueError("RLE segments out of order")
    return np.stack([_unpack_bits(frame[a:b], pixels) for a, b in pairwise(starts)])


def _unpack_bits(segment: bytes, size: int) -> np.ndarray:
    out, position = bytearray(), 0
    while len(out) < size and position < len(segment):
        count = segment[position]
        if count < 128:
            out += segment[position + 1 : position + 2 + count]
            position += 2 + count
        elif count > 128:
            out += segment[position + 1 : position + 2] * (257 - count)
            position += 2
        else:
            position += 1
    if len(out) < size:
        raise ValueError("an RLE segment that ends early")
    return np.frombuffer(bytes(out[:size]), np.uint8)
