"""The rows of `core predict --csv`: opened before the first film, kept as they come, put in place whole at the end.

Until then they lie beside their place, in NAME.partial, a JSON a line; the first one is the key of what makes them
(`core.identity`). The same command goes on with rows of its own key whose file has not changed since; unreadable films
are tried again. It names films by their paths, as the command did.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from core import identity
from core.atomic import replacing

if TYPE_CHECKING:
    from core.model.classifier import Classifier

Row = dict[str, Any]


class Kept:
    """The rows that will stand in one CSV file.

    Args:
        path: of the CSV.
        classifier: whose answers they are.
    """

    def __init__(self, path: Path, classifier: "Classifier") -> None:
        self.path = path
        self.partial = path.with_name(f"{path.name}.partial")
        self.key = identity.key("predictions", code=("cli/predict.py",), classifier=classifier.key)
        self.earlier = self._read()

    def missing(self, paths: Iterable[Path]) -> list[Path]:
        """The films that have no row yet, or whose file has changed since."""
        return [path for path in paths if self._row(path) is None]

    @contextmanager
    def opened(self) -> Iterator["Writer"]:
        """Where new rows are kept; OSError at once where nothing can be written."""
        with replacing(self.partial) as temporary:  # without the line that a kill cut off
            lines = [{"key": self.key}, *({"stamp": stamp, "row": row} for stamp, row in self.earlier.values())]
            temporary.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
        with self.partial.open("a", encoding="utf-8", newline="\n") as file:
            yield Writer(file, self.earlier)

    def rows(self, paths: Iterable[Path]) -> list[Row]:
        """The row of each film, in this order."""
        return [self.earlier[str(path)][1] for path in paths]

    def finish(self, text: str) -> None:
        """Put the CSV in place, and remove what was kept on the way."""
        with replacing(self.path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
        self.partial.unlink(missing_ok=True)

    def _row(self, path: Path) -> Row | None:
        stamp, row = self.earlier.get(str(path), ([], {}))
        return row if row and stamp == list(identity.stamp(path)) and row["verdict"] != "unreadable" else None

    def _read(self) -> dict[str, tuple[list[int], Row]]:
        """Rows of an earlier run of this key; a last line that was cut off ends them."""
        found: dict[str, tuple[list[int], Row]] = {}
        if not self.partial.is_file():
            return found
        lines = self.partial.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
        try:
            if not lines or json.loads(lines[0]) != {"key": self.key}:
                return found
            for line in lines[1:]:
                kept = json.loads(line)
                found[kept["row"]["file"]] = kept["stamp"], kept["row"]
        except (ValueError, KeyError, TypeError):
            pass
        return found


class Writer:
    """Keeps one row after the other."""

    def __init__(self, file: TextIO, rows: dict[str, tuple[list[int], Row]]) -> None:
        self.file, self.rows = file, rows

    def add(self, path: Path, stamp: tuple[int, int], row: Row) -> None:
        """``stamp``: of the film before it was read."""
        self.rows[str(path)] = list(stamp), row
        self.file.write(json.dumps({"stamp": stamp, "row": row}, ensure_ascii=True) + "\n")
        self.file.flush()
