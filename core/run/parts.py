"""Rows on disk as Parquet parts: each one is complete before its name appears, so a killed run loses one at most.

A folder of parts is a table to whatever reads Parquet (pyarrow, DuckDB, Polars, Spark). Every part carries the key of
what made its rows (`core.identity`) in its header; a folder goes on with parts of one key only.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from core.atomic import replacing
from core.errors import RunError
from core.identity import short
from core.run.index import Index

Row = dict[str, Any]
FIRST = ("id", "unit", "stamp", "sha256", "error")
"""Text columns of every row: the film within its run, what was asked of it ("" or a method), size, time of change
and place (hashed) of its file before it was read, SHA-256 of its bytes, why there is no answer ("" if there is)."""
_KEY = b"hilum.key"
_NAME = re.compile(r"part-(\d{6,})-[0-9a-f]{8}\.parquet")
_ROWS = 4096  # of a part
_SECONDS = 20.0  # after which a part is written although it is small: a slow method loses no more than that


@dataclass(frozen=True)
class Columns:
    """What a kind of row holds beside `FIRST`.

    Args:
        text, numbers: names of the columns, in order.
    """

    text: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """Of a part; the same for all, or they would not be one table."""
        text = [pa.field(name, pa.string()) for name in (*FIRST, *self.text)]
        return pa.schema([*text, *(pa.field(name, pa.float64()) for name in self.numbers)])


class Parts:
    """The parts of one run in one folder.

    Args:
        folder: in a folder that is there; made by `begin`.
        key: of what makes the rows.
        columns: of its rows.

    Raises:
        RunError: the folder holds parts of another key, or what only looks like one.
    """

    def __init__(self, folder: Path, key: str, columns: Columns) -> None:
        self.folder, self.key, self.columns = folder, key, columns
        self.files = sorted(path for path in folder.glob("part-*.parquet") if _NAME.fullmatch(path.name))
        for path in self.files:
            found = _key_of(path)
            if found != key:
                came = f"{folder} holds rows of key {short(found) or 'unknown'}, and this run is of key {short(key)}"
                remedy = "Choose another folder, or give the model, films and settings of before"
                raise RunError(came, "a folder of its own for each model, cohort and setting", remedy)

    def begin(self) -> None:
        """Make the folder; OSError at once, before hours of work, where nothing can be written."""
        self.folder.mkdir(exist_ok=True)
        probe = self.folder / f".{uuid4().hex[:12]}"
        probe.touch()
        probe.unlink()

    def write(self, rows: Sequence[Row]) -> None:
        """One more part; OSError where it cannot be written, and then nothing of it is there."""
        schema = self.columns.schema.with_metadata({_KEY: self.key.encode()})
        number = 1 + (int(_NAME.fullmatch(self.files[-1].name)[1]) if self.files else 0)  # type: ignore[index]
        path = self.folder / f"part-{number:06d}-{uuid4().hex[:8]}.parquet"
        with replacing(path) as temporary:
            pq.write_table(pa.Table.from_pylist([_whole(row, schema) for row in rows], schema), temporary)
        self.files.append(path)

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The latest row of each film and unit; only those that were answered have numbers.

        Args:
            columns: to read, besides id and unit; all by default.
        """
        wanted = None if columns is None else list(dict.fromkeys(["id", "unit", *columns]))
        tables = [pq.read_table(path, columns=wanted) for path in self.files]
        empty = self.columns.schema.empty_table()
        whole = pa.concat_tables(tables) if tables else empty.select(wanted) if wanted else empty
        frame: pd.DataFrame = whole.to_pandas()
        return frame.drop_duplicates(["id", "unit"], keep="last").reset_index(drop=True)

    def in_order(
        self, films: Sequence[str], units: Sequence[str] = ("",), columns: Sequence[str] | None = None
    ) -> Iterator[pd.DataFrame]:
        """The latest rows of these films, film by film and unit by unit, some thousands at a time: never all at once.

        Args:
            units: of each film.
            columns: to read, besides id and unit; all by default.

        Raises:
            RunError: a film or unit has no row: the run is not finished.
        """
        index, some = self.index(), max(1, _ROWS // max(1, len(units)))
        for start in range(0, len(films), some):
            asked = [(film, unit) for film in films[start : start + some] for unit in units]
            rows = self._at(index.places(asked), columns)
            if list(zip(rows["id"], rows["unit"], strict=True)) != asked:
                lacking = set(asked) - set(zip(rows["id"], rows["unit"], strict=True))
                came = f"{self.folder} lacks {len(lacking):,} rows of the films from number {start + 1:,} on"
                raise RunError(came, "a row of each film", "Give the same command again")
            yield rows

    def _at(self, places: np.ndarray, columns: Sequence[str] | None) -> pd.DataFrame:
        """The rows at these places, (N, 2) of part and row, in their order."""
        wanted = list(dict.fromkeys(["id", "unit", *columns])) if columns is not None else self.columns.schema.names
        numbers, of = np.unique(places[:, 0], return_inverse=True)
        tables = [self.columns.schema.empty_table().select(wanted)]
        for here, number in enumerate(numbers):
            part = pq.read_table(self.files[number], columns=wanted)
            tables.append(part.take(pa.array(places[of == here, 1], pa.int64())).replace_schema_metadata())
        order = np.argsort(np.argsort(of, kind="stable"), kind="stable")  # back from part by part
        found: pd.DataFrame = pa.concat_tables(tables).take(pa.array(order, pa.int64())).to_pandas()
        return found

    def index(self) -> Index:
        """Which films and units are answered, and where their rows lie."""
        return Index(pq.read_table(path, columns=list(FIRST)) for path in self.files)

    def remove(self) -> None:
        """All parts, and the folder if nothing else is in it."""
        for path in [*self.files, *self.folder.glob(".part-*")]:  # the latter a kill left behind
            path.unlink(missing_ok=True)
        self.files = []
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


class Writer:
    """Gathers rows and writes them as parts: when there are enough, or when the oldest has waited for long."""

    def __init__(self, parts: Parts, rows: int = _ROWS, seconds: float = _SECONDS) -> None:
        self.parts, self.rows, self.seconds = parts, rows, seconds
        self.waiting: list[Row] = []
        self.since = time.monotonic()

    def add(self, rows: Sequence[Row]) -> None:
        """Keep rows, and write them if it is time."""
        self.waiting.extend(rows)
        if len(self.waiting) >= self.rows or time.monotonic() - self.since >= self.seconds:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        waiting, self.waiting, self.since = self.waiting, [], time.monotonic()
        if waiting:
            self.parts.write(waiting)


def _whole(row: Row, schema: pa.Schema) -> Row:
    """A row with every column: text that is not there is "", a number NaN."""
    nothing = {field.name: "" if pa.types.is_string(field.type) else float("nan") for field in schema}
    unknown = set(row) - set(nothing)
    if unknown:
        raise RunError(f"a row has the columns {', '.join(sorted(unknown))}", f"only {', '.join(nothing)}")
    return nothing | row


def _key_of(path: Path) -> str:
    try:
        found: bytes = (pq.read_schema(path).metadata or {}).get(_KEY, b"")
        return found.decode()
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        came = f"{path} cannot be read"
        raise RunError(came, "a whole part, as every part is", "Remove it; its films are done again") from error
