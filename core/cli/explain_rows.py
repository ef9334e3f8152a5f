"""The rows of `core explain --cohort` on disk: Parquet parts as they come, and at the end a CSV file.

The parts of one model, cohort and setting lie in a folder that bears their key, so a killed run goes on with its own
and nobody else's, and whoever comes back finds them. They name nobody: a film is known by the hash of its place in the
cohort and of what the cohort says of it, so one whose label changed is another. The CSV file and the summary have
plain names; another key's are set aside under a name that bears theirs, and that is said.
"""

import argparse
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import identity
from core.atomic import replacing, write_whole
from core.cli import engines
from core.data.film_id import FILM_ID, base_name
from core.examine.localisation import TRUTHS
from core.explain.cohort import SUMMARISED, columns
from core.identity import of_file, short
from core.report.spreadsheet import called, frame_as_csv, frame_rows, patient_called, write_csv

if TYPE_CHECKING:
    import pandas as pd

    from core.data.cohort import Cohort
    from core.model.classifier import Classifier


class Kept:
    """The rows of one model and cohort in one folder.

    ``moved`` says, in a sentence each, what of others was set aside there: rows and summary of another model, cohort or
    setting, or of another version of Hilum.
    """

    def __init__(
        self, folder: Path, classifier: "Classifier", cohort: "Cohort", methods: list[str], args: argparse.Namespace
    ) -> None:
        from core.examine.cohort import Explain
        from core.run.parts import Parts

        self.classifier, self.cohort, self.args = classifier, cohort, args
        self.work = Explain(classifier, methods, layer=args.layer, of=args.of, curves=args.curves)
        place = [cohort.name, cohort.layout, place_of(args.cohort)]
        self.key = identity.key("explained", rows=self.work.key, cohort=place)
        settings = [args.layer or "last", args.of, *(["curves"] if args.curves else [])]
        self.path = folder / f"rows-{'-'.join(settings)}.csv"
        self.parts = Parts(aside(self.path, self.key).with_suffix(".parts"), self.key, self.work.columns)
        self.summary = folder / "summary.csv"
        self.moved = self._set_aside()

    def score(self) -> "tuple[pd.DataFrame, pd.DataFrame]":
        """Make the rows that are missing, and write the CSV file.

        Returns:
            the rows of the films that could be read, as far as they are summarised (`core.explain.cohort.SUMMARISED`),
            and of each other film "id", "film" and "error", the reason in a sentence.
        """
        import pandas as pd

        from core.cli.progress import Bars, say
        from core.run import stream

        ids = asked_of(self.cohort, self.args.of)
        films = replace(self.cohort, samples=self.cohort.samples.assign(**{FILM_ID: ids}))
        index = self.parts.index()
        if len(index):
            say(f"{len(index):,} heatmaps were marked by an earlier run; it goes on.")
        engine = engines.chosen(self.args)
        with Bars() as bars:
            told = lambda *count: bars(self.cohort.name, *count)  # noqa: E731 - a bar for the rows
            stream.into(self.parts, films, self.work, self.work.batch, engine, told, index)
        del index, films
        rows: list[pd.DataFrame] = []
        unread: list[pd.DataFrame] = []
        with replacing(self.path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, self._lines(ids, rows, unread), [*columns(), "error"])
        return pd.concat(rows), pd.concat(unread)

    def write_summary(self, table: "pd.DataFrame") -> None:
        """The summary as a table, with the key of its rows as the last column."""
        write_whole(self.summary, frame_as_csv(table.assign(key=self.key)))

    def _lines(
        self, ids: list[str], summarised: "list[pd.DataFrame]", unread: "list[pd.DataFrame]"
    ) -> "Iterator[dict[str, Any]]":
        """The CSV file's lines, some thousands in memory: every row, then those films that have none, with the reason
        as the last column.

        Args:
            ids: what each film of the cohort is called in the parts.
            summarised: is given the columns of the rows that the summary needs.
            unread: is given id, film and error of each film that cannot be read.
        """
        from core.examine.cohort import table

        first, units = 0, self.work.units
        for found in self.parts.in_order(ids, units):
            here = range(first, first + len(found) // len(units))
            first, some, cohort = here.stop, ids[here.start : here.stop], self.cohort.take(here)
            bad = found["error"] != ""
            rows = table(cohort, found[~bad], self.classifier, self.key, some)
            summarised.append(rows[[*SUMMARISED]])
            yield from frame_rows(self._told(rows.assign(error="")))
            unread.append(_unread(cohort, some, dict(zip(found.loc[bad, "id"], found.loc[bad, "error"], strict=True))))
        made_of = {"key": self.key, "model": self.classifier.card.name, "cohort": self.cohort.name, "sha256": ""}
        for films in unread:
            yield from frame_rows(self._told(films.assign(**made_of)))

    def _told(self, rows: "pd.DataFrame") -> "pd.DataFrame":
        """Rows as the CSV file has them: without names unless they are asked for."""
        whole = rows.reindex(columns=[*columns(), "error"])
        if self.args.names:
            return whole
        film = [called(name, sha) for name, sha in zip(whole["film"], whole["sha256"], strict=True)]
        patient = [patient_called(name) for name in whole["patient"].fillna("").astype(str)]
        error = [said.replace(name, by) for said, name, by in zip(whole["error"], whole["film"], film, strict=True)]
        return whole.assign(id=whole["id"].map(called), film=film, patient=patient, error=error)

    def _set_aside(self) -> tuple[str, ...]:
        """Rename another's CSV file, and a summary of other rows than these; why, in a sentence each."""
        said = []
        theirs, told = owner(self.path)
        if theirs not in ("", self.key):
            self.path.replace(aside(self.path, theirs))
            mine = named(self.classifier.card.name, self.cohort.name, self.key)
            now = aside(self.path, theirs).name
            said.append(f"{self.path} held rows of {told}, set aside as {now}: this run is of {mine}")
        if self.summary.is_file() and (key := key_of(self.summary) or theirs) not in ("", self.key):
            self.summary.replace(aside(self.summary, key))
            said.append(f"the summary of key {short(key)} is set aside as {aside(self.summary, key).name}")
        return tuple(said)


def _unread(cohort: "Cohort", ids: list[str], broken: dict[str, str]) -> "pd.DataFrame":
    """Id, film and error of the films of a cohort that cannot be read, by what they are called in the parts."""
    import pandas as pd

    here = [place for place, name in enumerate(ids) if name in broken]
    samples = cohort.samples.iloc[here]
    films = samples["path"].map(base_name).tolist()
    said = [broken[ids[place]].replace(ids[place], film) for place, film in zip(here, films, strict=True)]
    return pd.DataFrame({"id": samples[FILM_ID].astype(str), "film": films, "error": said}, dtype=str)


def asked_of(cohort: "Cohort", of: str) -> list[str]:
    """What each film is known by in the parts: SHA-256 of its identity and of what its rows depend on besides."""
    said = [name for name in (*TRUTHS, *(["label"] if of != "predicted" else [])) if name in cohort.samples]
    rows = cohort.samples[[FILM_ID, *said]].fillna("").astype(str).itertuples(index=False)
    return [hashlib.sha256("\n".join(row).encode("utf-8", "surrogateescape")).hexdigest() for row in rows]


def owner(path: Path) -> tuple[str, str]:
    """The key of a CSV file's rows, and what they are of, for people; "" and "" where there is none."""
    if not path.is_file():
        return "", ""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        row = next(csv.DictReader(file), None) or {}
    if not row.get("key"):
        return of_file(path), "an earlier version of Hilum"
    return row["key"], named(row.get("model") or "", row.get("cohort") or "", row["key"])


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
