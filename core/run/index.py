"""Where each row of a folder of parts lies, and whether it still stands: 33 bytes for a row, however long its cells."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa

from core.identity import of_file

_ENTRY = np.dtype(
    [("name", "u8"), ("stamp", "u8"), ("content", "u8"), ("part", "i4"), ("row", "i4"), ("good", "?")]
)  # hashes of film and unit, stamp and bytes; of which part it is which row; whether it has an answer


class Index:
    """The latest row of each film and unit, in 33 bytes.

    Args:
        parts: the columns `core.run.parts.FIRST` of each part, earlier ones first. Taken one by one.
    """

    def __init__(self, parts: Iterable[pa.Table]) -> None:
        pieces = [_entries(number, part) for number, part in enumerate(parts)]
        rows = np.concatenate([np.empty(0, _ENTRY), *pieces])
        del pieces
        rows = rows[np.argsort(rows["name"], kind="stable")]
        rows = rows[np.append(rows["name"][1:] != rows["name"][:-1], True)[: len(rows)]]
        # Each column by itself: a search in a column of a table would copy it each time.
        self._names, self._stamps, self._contents, self._parts, self._places, self._good = (
            np.ascontiguousarray(rows[column]) for column in _ENTRY.names or ()
        )

    def __len__(self) -> int:
        """How many of them have an answer; what could not be read is tried again."""
        return int(self._good.sum())

    def stands(self, film: str, unit: str, stamp: str, path: Path | None = None) -> bool:
        """Whether there is an answer about this film whose file is as it was, or holds the same bytes again."""
        [place] = self._found([(film, unit)])
        if place < 0 or not self._good[place]:
            return False
        if self._stamps[place] == _digest(stamp):
            return True
        return path is not None and path.is_file() and bool(self._contents[place] == _digest(of_file(path)))

    def answered(self, films: Iterable[str], unit: str = "") -> int:
        """About how many of these films there is an answer."""
        found = self._found((film, unit) for film in films)
        return int(self._good[found[found >= 0]].sum())

    def places(self, asked: Iterable[tuple[str, str]]) -> np.ndarray:
        """The part and the row of each film and unit, int64 (N, 2) in their order; what has no row is left out."""
        found = self._found(asked)
        here = found[found >= 0]
        return np.stack([self._parts[here], self._places[here]], axis=1).astype(np.int64)

    def _found(self, asked: Iterable[tuple[str, str]]) -> np.ndarray:
        """The entry of each film and unit, int64 (N,); -1 where there is none."""
        names = np.fromiter((_name(*pair) for pair in asked), np.uint64)
        if not len(self._names):
            return np.full(len(names), -1, np.int64)
        places = np.minimum(np.searchsorted(self._names, names), len(self._names) - 1)
        return np.where(self._names[places] == names, places, -1)


def _entries(number: int, part: pa.Table) -> np.ndarray:
    cells = {name: part.column(name).to_pylist() for name in ("id", "unit", "stamp", "sha256", "error")}
    found = np.empty(len(part), _ENTRY)
    found["name"] = [_name(*pair) for pair in zip(cells["id"], cells["unit"], strict=True)]
    found["stamp"] = [_digest(text) for text in cells["stamp"]]
    found["content"] = [_digest(text) for text in cells["sha256"]]
    found["part"], found["row"] = number, np.arange(len(part))
    found["good"] = [not error for error in cells["error"]]
    return found


def _name(film: str, unit: str) -> int:
    return _digest(f"{film}\n{unit}")


def _digest(text: str) -> int:
    data = text.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")
