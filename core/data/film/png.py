"""PNG files looked at before they are believed: chunks that are damaged, and pictures that end early."""

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def several_deep_channels(data: bytes) -> bool:
    """Whether a PNG has several channels of 16 bits, of which Pillow keeps the high byte only."""
    return data.startswith(_SIGNATURE) and data[24:25] == b"\x10" and _CHANNELS.get(data[25], 1) > 1


def picture_data(data: bytes) -> bytes:
    """The compressed picture of a PNG, all its IDAT chunks.

    Raises:
        ValueError: a chunk that is needed fails its checksum; Pillow looks at those before the picture only.
    """
    position, parts = len(_SIGNATURE), []
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if kind in _CRITICAL:
            if data[end : end + 4] != struct.pack(">I", zlib.crc32(data[position + 4 : end])):
                raise ValueError(f"a damaged {kind.decode()} chunk")
            if kind == b"IDAT":
                parts.append(data[position + 8 : end])
        position = end + 4
    return b"".join(parts)


def check_whole(data: bytes, compressed: bytes) -> None:
    """Refuse a picture that ends early: Pillow leaves what is missing black without a word.

    Raises:
        ValueError: fewer bytes than width, height and depth ask for.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    bits = depth * _CHANNELS.get(colour, 1)
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    needed = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            needed += rows * (1 + (columns * bits + 7) // 8)
    inflater = zlib.decompressobj()
    try:
        found = len(inflater.decompress(compressed, needed))
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if found < needed:
        raise ValueError(f"{found} of {needed} bytes of the picture")


def may_end_early(pixels: np.ndarray) -> bool:
    """Whether one of the last two rows (H, W, ...) is black, as after data that ends early, interlaced or not."""
    return not pixels[-1].any() or not pixels[-2:][0].any()
