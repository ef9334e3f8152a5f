"""The rows of `core explain --cohort` on disk: each is there as soon as it is known, so that a killed run goes on.

Every row carries what made it: the key of weights, settings and code, the names of model and cohort, the film's hash
and stamp. A run goes on with rows of its own key only. In the folder it was told to use it refuses another's rows; in
its own default folder it sets them aside, for there nobody asked for them to be kept together.
"""

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ExplainError
from core.explain.cohort import MEASURES, columns, film_id
from core.identity import of_file, short

if TYPE_CHECKING:
    import pandas as pd

    from core.data.cohort import Cohort
    from core.model.classifier import Classifier

NUMBERS = ("severity", "probability", *MEASURES)  # columns; all others are text, whatever they look like
Film = tuple[str, str]  # what names a row: the film within its cohort, and the method


class Kept:
    """The rows of one model and cohort in one folder.

    Raises:
        ExplainError: the folder holds rows of another model, cohort or setting, or of another version of Hilum.
    """

    def __init__(self, folder: Path, classifier: "Classifier", cohort: "Cohort", args: argparse.Namespace) -> None:
        from core.examine.cohort import rows_key

        self.classifier, self.cohort = classifier, cohort
        self.settings: dict[str, Any] = {"layer": args.layer, "of": args.of, "curves": args.curves}
        self.key = rows_key(classifier, **self.settings, cohort=[cohort.name, cohort.layout, place_of(args.cohort)])
        parts = [args.layer or "last", args.of, *(["curves"] if args.curves else [])]
        self.path = folder / f"rows-{'-'.join(parts)}.csv"
        self.kept = whole_rows(self.path, columns())
        others = [row for row in self.kept.values() if row["key"] != self.key]
        if others and args.out:
            raise self._refusal(others[0])
        if others:
            self.path.replace(self.path.with_name(f"{self.path.stem}.{short(others[0]['key'])}.csv"))
            self.kept = {}

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
                writer.writerow(row | {"key": self.key})
                file.flush()
                valid.add((row["id"], row["method"]))
        return self._frame({film for film in valid if film[1] in methods})

    def _unchanged(self) -> set[Film]:
        """The rows that still stand: their film's file is as it was, or holds the same bytes again."""
        here = {film_id(self.cohort, position): position for position in range(len(self.cohort))}
        found = set()
        for film, row in self.kept.items():
            if film[0] in here:
                path = Path(str(self.cohort.samples["path"].iat[here[film[0]]]))
                same = row["stamp"] == self.cohort.stamp(here[film[0]])
                if same or (path.is_file() and of_file(path) == row["sha256"]):
                    found.add(film)
        return found

    def _frame(self, wanted: set[Film]) -> "pd.DataFrame":
        """The latest row of each film and method, numbers as numbers and everything else as the text it is."""
        import pandas as pd

        frame = pd.read_csv(self.path, dtype=str, keep_default_na=False).drop_duplicates(["id", "method"], keep="last")
        frame = frame[[film in wanted for film in zip(frame["id"], frame["method"], strict=True)]]
        numbers = {name: pd.to_numeric(frame[name], errors="coerce") for name in NUMBERS}
        return frame.assign(**numbers).reset_index(drop=True)

    def _refusal(self, other: dict[str, str]) -> ExplainError:
        mine = self.classifier.card.name, self.cohort.name, self.key
        told, own = (
            f"{model} on {cohort} (key {short(key)})"
            for model, cohort, key in ((other["model"], other["cohort"], other["key"]), mine)
        )
        came = f"{self.path} holds rows of {told}, and this is a run of {own}"
        expected = "rows of the same weights, cohort, settings and version of Hilum"
        return ExplainError(came, expected, f"Choose another folder with --out, or delete {self.path.name}")


def place_of(cohort: str) -> str:
    """Where a cohort lies: two of one name are two."""
    path = Path(cohort).expanduser()
    return str(path.resolve()) if path.exists() else cohort


def whole_rows(path: Path, header: list[str]) -> dict[Film, dict[str, str]]:
    """The latest row of each film and method of an earlier run; a last line that was cut off is removed from the file.

    Raises:
        ExplainError: the file has other columns, as rows without a key from before have.
    """
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines = lines[:-1]
        path.write_text("".join(lines), encoding="utf-8", newline="")
    table = csv.DictReader(lines)
    if lines and table.fieldnames != header:
        remedy = f"Choose another folder with --out, or delete {path.name}"
        raise ExplainError(f"{path} has other columns", ", ".join(header), remedy)
    return {(row["id"], row["method"]): row for row in table}
