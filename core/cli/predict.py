"""`python -m core predict CHECKPOINT FILE|FOLDER|GLOB...`: a row for every film."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import exports

if TYPE_CHECKING:
    from core.model.bulk.files import Outcome
    from core.model.classifier import Classifier

VERDICTS = {"in": "fits", "doubtful": "doubtful", "out": "refused"}


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Score films. Each row says whether the model knows such films (fits, doubtful, refused), its label and "
        "calibrated probabilities. A file that cannot be read is named with the reason; the rest is still scored."
    )
    command = subparsers.add_parser("predict", help="score films", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a checkpoint's folder")
    command.add_argument("films", nargs="+", metavar="FILE|FOLDER|GLOB", help="films, folders or tables")
    help_ = "write the rows to this file instead of the screen; a killed run goes on"
    command.add_argument("--csv", type=Path, help=help_)
    command.add_argument("--backend", choices=("auto", "torch", "openvino"), default="auto", help="what computes")
    exports.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score all; exit status 1 if a file could not be read."""
    from core.cli.progress import say
    from core.data.readers.files import LeftOut
    from core.model.bulk.files import find_files
    from core.model.classifier import open_classifier

    left_out = LeftOut()
    paths = find_files(args.films, left_out)
    classifier = open_classifier(args.checkpoint, args.backend)
    if args.csv:
        rows = into_file(args.csv, classifier, paths, args.names)
    else:
        rows = [row for _, row in scored(classifier, paths)]
    bad = [row for row in rows if row["verdict"] == "unreadable"]
    if args.csv:
        say(f"{len(rows) - len(bad)} films scored, {len(bad)} unreadable. Written to {args.csv}")
    else:
        print(_aligned(rows, classifier.classes))
    for note in left_out.notes():
        print(f"- {note}", file=sys.stderr)
    for row in bad:
        print(f"{row['file']}: {row['sentence']}", file=sys.stderr)
    return 1 if bad else 0


def scored(classifier: "Classifier", paths: list[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each film with its row, under a bar."""
    from core.cli.progress import Bars
    from core.model.bulk.files import predict_files

    with Bars() as bars:
        for done, outcome in enumerate(predict_files(classifier, paths), start=1):
            yield outcome[0], as_row(outcome, classifier.classes)
            bars("scoring films", done, len(paths))


def into_file(path: Path, classifier: "Classifier", films: list[Path], names: bool) -> list[dict[str, Any]]:
    """The rows of all films as a CSV file, those of an earlier run that was ended among them."""
    from core.cli.predict_rows import Kept
    from core.cli.progress import say
    from core.identity import stamp
    from core.report.spreadsheet import as_csv

    kept = Kept(path, classifier)
    missing = kept.missing(films)
    with kept.opened() as writer:  # a place that cannot be written to is told before the films are scored
        if len(missing) < len(films):
            say(f"{len(films) - len(missing)} films were scored by an earlier run; it goes on.")
        stamps = [stamp(film) for film in missing]
        for (film, row), before in zip(scored(classifier, missing), stamps, strict=True):
            writer.add(film, before, row)
    rows = kept.rows(films)
    kept.finish(as_csv(rows if names else [_unnamed(row) for row in rows], list(rows[0])))
    return rows


def as_row(outcome: "Outcome", classes: tuple[str, ...]) -> dict[str, Any]:
    """One line of the CSV: file, verdict, label, p_<class>..., set (the conformal one), sentence.

    There is no label where the model may not judge the film, and there are no numbers without a film.
    """
    from core.errors import FilmError

    path, result = outcome
    if isinstance(result, FilmError):
        nothing = dict.fromkeys((f"p_{name}" for name in classes), "")
        return {"file": str(path), "verdict": "unreadable", "label": "", **nothing, "set": "", "sentence": str(result)}
    numbers = {f"p_{name}": f"{p:.4f}" for name, p in zip(classes, result.probabilities, strict=True)}
    verdict = VERDICTS[result.domain.status]
    label = "" if result.domain.status == "out" else result.answer
    held = "|".join(result.prediction_set.classes) if result.prediction_set and label else ""
    told = {"set": held, "sentence": result.domain.sentence}
    return {"file": str(path), "verdict": verdict, "label": label, **numbers, **told}


def _unnamed(row: dict[str, Any]) -> dict[str, Any]:
    """A row that calls its film by the hash of its bytes."""
    from core import identity
    from core.report.spreadsheet import called

    path = Path(row["file"])
    try:
        film = called(path.name, identity.of_file(path))
    except OSError:
        film = called(path.name)
    return row | {"file": film, "sentence": row["sentence"].replace(path.name, film)}


def _aligned(rows: list[dict[str, Any]], classes: tuple[str, ...]) -> str:
    """The rows as a table for the screen: files by their own name, unreadable ones left to stderr."""
    heads = ["film", "verdict", "label", *classes, "set", ""]
    cells = [[Path(r["file"]).name, *list(r.values())[1:]] for r in rows if r["verdict"] != "unreadable"]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [heads, *cells])
    return "\n".join(lines)
