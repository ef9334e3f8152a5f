"""What a whole column of text holds, asked of its bytes at once: a million cells need not be looked at one by one."""

import numpy as np
import pandas as pd
import pyarrow as pa

BACKSLASH, DOT, SLASH = b"\\./"
_BLANK, _ASCII = 32, 127


def letters(values: pd.Series) -> list[np.ndarray] | None:
    """The UTF-8 bytes of all cells, one cell after the other, in pieces uint8; None where no Arrow array holds them."""
    if not isinstance(values.dtype, pd.StringDtype) or values.dtype.storage != "pyarrow":
        return None
    held = pa.array(values.array)
    pieces = []
    for chunk in held.chunks if isinstance(held, pa.ChunkedArray) else [held]:
        _, ends, data = chunk.buffers()
        if not len(chunk) or data is None:
            continue
        width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
        places = np.frombuffer(ends, width)[chunk.offset : chunk.offset + len(chunk) + 1]
        if places[-1] > places[0]:
            pieces.append(np.frombuffer(data, np.uint8)[places[0] : places[-1]])
    return pieces


def without_blanks(values: pd.Series) -> bool:
    """Whether surely no cell holds a blank of any sort: all is printable ASCII."""
    found = letters(values)
    return found is not None and all(piece.min() > _BLANK and piece.max() < _ASCII for piece in found)


def holds(values: pd.Series, letter: int) -> bool:
    """Whether an ASCII character may be in some cell; True where that is not known."""
    found = letters(values)
    return found is None or any((piece == letter).any() for piece in found)


def tidy(paths: pd.Series) -> bool:
    """Whether surely no path has an empty part, one that begins with a dot behind a slash, or a backslash."""
    found = letters(paths)
    return found is not None and not any(map(_untidy, found))


def _untidy(piece: np.ndarray) -> bool:
    slashes = piece == SLASH
    twice = slashes[:-1] & (slashes[1:] | (piece[1:] == DOT))
    return bool(twice.any() or (piece == BACKSLASH).any())
