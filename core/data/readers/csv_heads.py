"""Tables of public collections by their heads: whether a file has them, and its rows as text."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from core.data.spreadsheet import decode
from core.errors import CohortError

_HEAD = 65_536  # bytes that are looked at


def heads(path: Path) -> tuple[str, ...]:
    """The names in the first line of a CSV or CSV.GZ file; () where it has none."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.read(_HEAD).partition(b"\n")[0]
    except (OSError, EOFError):
        return ()
    return tuple(name.strip().strip('"') for name in decode(line).split(","))


def with_heads(paths: Iterable[Path], needed: Iterable[str]) -> list[Path]:
    """Those of the files that have all the heads, by name."""
    wanted = set(needed)
    return [path for path in sorted(paths) if path.is_file() and wanted <= set(heads(path))]


def rows(path: Path, needed: Iterable[str]) -> pd.DataFrame:
    """A table as text, "" where a cell is empty.

    Raises:
        CohortError: it lacks a column.
    """
    data = pd.read_csv(path, dtype=str, keep_default_na=False)
    data.columns = [str(name).strip() for name in data.columns]
    if absent := [name for name in needed if name not in data]:
        came = f'"{path.name}" has no column {" and no ".join(absent)}'
        raise CohortError(came, f"the columns {', '.join(needed)}", "Take the collection's own table")
    return data
