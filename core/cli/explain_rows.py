"""The rows of `core explain --cohort` on disk: each is there as soon as it is known, so that a killed run goes on.

Every row carries what made it: the key of weights, settings and code, the names of model and cohort, the film's hash
and stamp. A run goes on with rows of its own key only, whether they name files and patients (``--names``) or call them
by hashes; they are brought to the form that is asked for. Another's rows and summary in its folder are set aside under
a name that bears their key, and said; whoever made them finds them again under that key.
"""

import argparse
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.atomic import replacing
from core.explain.cohort import NUMBERS as MEASURED
from core.explain.cohort import columns, film_id
from core.identity import of_file, short
from core.report.spreadsheet import called, defused, frame_as_csv, is_called, patient_called, restored

if TYPE_CHECKING:
    import pandas as pd

    from core.data.cohort import Cohort
    from core.model.classifier import Classifier

NUMBERS = ("severity", "probability", *MEASURED)  # columns; all others are text, whatever they look like
Film = tuple[str, str]  # what names a row: the film within its cohort, and the method
Row = dict[str, Any]


class Kept:
    """The rows of one model and cohort in one folder.

    ``moved`` says, in a sentence each, what of others was set aside there: rows and summary of another model, cohort or
    setting, or of another version of Hilum.
    """

    def __init__(self, folder: Path, classifier: "Classifier", cohort: "Cohort", args: argparse.Namespace) -> None:
        from core.examine.cohort import rows_key

        self.classifier, self.cohort = classifier, cohort
        self.names: bool = args.names
        self.settings: dict[str, Any] = {"layer": args.layer, "of": args.of, "curves": args.curves}
        self.key = rows_key(classifier, **self.settings, cohort=[cohort.name, cohort.layout, place_of(args.cohort)])
        parts = [args.layer or "last", args.of, *(["curves"] if args.curves else [])]
        self.path = folder / f"rows-{'-'.join(parts)}.csv"
        self.summary = folder / "summary.csv"
        self.moved = self._set_aside()
        mine = aside(self.path, self.key)
        if self.moved and mine.is_file():  # set aside by another run since
            mine.replace(self.path)
        self.here = {film_id(cohort, position): position for position in range(len(cohort))}
        self.kept = self._of_this_cohort()

    def write_summary(self, table: "pd.DataFrame") -> None:
        """The summary as a table, with the key of its rows as the last column."""
        with replacing(self.summary) as temporary:
            temporary.write_text(frame_as_csv(table.assign(key=self.key)), encoding="utf-8", newline="")

    def score(self, methods: list[str]) -> "pd.DataFrame":
        """Rows of every method; those of an earlier run are not made again unless their film has changed since."""
        from core.cli.progress import Bars
        from core.examine.cohort import rows

        valid = self._unchanged()
        with self.path.open("a", newline="", encoding="utf-8") as file, Bars() as bars:
            writer = csv.DictWriter(file, columns())
            if file.tell() == 0:
                writer.writeheader()

            def tell(count: int, total: int) -> None:
                bars(self.cohort.name, count, total)

            for row in rows(self.classifier, self.cohort, methods, **self.settings, done=valid, progress=tell):
                writer.writerow(_cells(self._told(row) | {"key": self.key}))
                file.flush()
                valid.add((row["id"], row["method"]))
        return self._frame({self._film(film) for film in valid if film[1] in methods})

    def _unchanged(self) -> set[Film]:
        """The rows that still stand: their film's file is as it was, or holds the same bytes again."""
        found = set()
        for film, row in self.kept.items():
            if (position := self.here.get(film[0])) is not None:
                path = Path(str(self.cohort.samples["path"].iat[position]))
                same = row["stamp"] == self.cohort.stamp(position)
                if same or (path.is_file() and of_file(path) == row["sha256"]):
                    found.add(film)
        return found

    def _of_this_cohort(self) -> dict[Film, Row]:
        """The rows of earlier runs by film and method, in the file as this run is to tell them."""
        kept = whole_rows(self.path) or {}
        called_here = {called(name): name for name in self.here}
        found = {}
        for film, row in kept.items():
            name = called_here.get(film[0], film[0])
            found[name, film[1]] = self._named(row, name)
        told = {film: self._told(row) for film, row in found.items()}
        if [*told.values()] != [*kept.values()]:
            with replacing(self.path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, columns())
                writer.writeheader()
                writer.writerows(_cells(row) for row in told.values())
        return found

    def _named(self, row: Row, name: str) -> Row:
        """A row with the names of its film and patient, as far as this cohort knows them."""
        position = self.here.get(name)
        if position is None or row["id"] == name:
            return row
        sample = self.cohort.samples.iloc[position]
        return row | {"id": name, "film": Path(str(sample["path"])).name, "patient": str(sample["patient"])}

    def _told(self, row: Row) -> Row:
        """A row as it is written: without names where none are asked for."""
        if self.names or is_called(row["id"]):
            return row
        film = called(row["film"], row["sha256"])
        return row | {"id": called(row["id"]), "film": film, "patient": patient_called(row["patient"])}

    def _film(self, film: Film) -> Film:
        """What names a row as it is written."""
        return film if self.names else (called(film[0]), film[1])

    def _frame(self, wanted: set[Film]) -> "pd.DataFrame":
        """The latest row of each film and method, numbers as numbers and everything else as the text it is."""
        import pandas as pd

        frame = pd.read_csv(self.path, dtype=str, keep_default_na=False).drop_duplicates(["id", "method"], keep="last")
        frame = frame.assign(**{name: frame[name].map(restored) for name in columns() if name not in NUMBERS})
        frame = frame[[film in wanted for film in zip(frame["id"], frame["method"], strict=True)]]
        numbers = {name: pd.to_numeric(frame[name], errors="coerce") for name in NUMBERS}
        return frame.assign(**numbers).reset_index(drop=True)

    def _set_aside(self) -> tuple[str, ...]:
        """Rename another's rows, and a summary of other rows than these; why, in a sentence each."""
        said = []
        kept = whole_rows(self.path)
        theirs = ""
        if kept is None:  # of a version that wrote no keys
            theirs, told = of_file(self.path), "an earlier version of Hilum"
        elif others := [row for row in kept.values() if row["key"] != self.key]:
            theirs, told = others[-1]["key"], named(others[-1]["model"], others[-1]["cohort"], others[-1]["key"])
        if theirs:
            self.path.replace(aside(self.path, theirs))
            mine = named(self.classifier.card.name, self.cohort.name, self.key)
            now = aside(self.path, theirs).name
            said.append(f"{self.path} held rows of {told}, set aside as {now}: this run is of {mine}")
        if self.summary.is_file() and (owner := key_of(self.summary) or theirs) not in ("", self.key):
            self.summary.replace(aside(self.summary, owner))
            said.append(f"the summary of key {short(owner)} is set aside as {aside(self.summary, owner).name}")
        return tuple(said)


def named(model: str, cohort: str, key: str) -> str:
    """What rows are of, for people."""
    return f"{model} on {cohort} (key {short(key)})"


def aside(path: Path, key: str) -> Path:
    """Where a file of this key waits while another's has its place."""
    return path.with_name(f"{path.stem}.{short(key)}{path.suffix}")


def key_of(summary: Path) -> str:
    """The key of the rows that a summary was made from; "" where it bears none."""
    with summary.open(encoding="utf-8", errors="replace", newline="") as file:
        return str((next(csv.DictReader(file), None) or {}).get("key") or "")


def place_of(cohort: str) -> str:
    """Where a cohort lies: two of one name are two."""
    path = Path(cohort).expanduser()
    return str(path.resolve()) if path.exists() else cohort


def whole_rows(path: Path) -> dict[Film, dict[str, str]] | None:
    """The latest row of each film and method of an earlier run; a last line that was cut off is removed from the file.

    None where the file has other columns, as rows without a key from before have.
    """
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    table = csv.DictReader(io.StringIO(text, newline=""))
    if text and table.fieldnames != columns():
        return None
    whole = [row for row in table if None not in row.values()]
    rows = [{name: cell if name in NUMBERS else restored(cell) for name, cell in row.items()} for row in whole]
    return {(row["id"], row["method"]): row for row in rows}


def _cells(row: Row) -> Row:
    """A row in which no text can be a formula."""
    return {name: defused(cell) for name, cell in row.items()}
