"""`python -m core predict CHECKPOINT FILE|FOLDER|GLOB...`: a row for every film."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import exports

if TYPE_CHECKING:
    from core.model.bulk.files import Outcome

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
    command.add_argument("--csv", type=Path, help="write the rows to this file instead of the screen")
    command.add_argument("--backend", choices=("auto", "torch", "openvino"), default="auto", help="what computes")
    exports.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score all; exit status 1 if a file could not be read."""
    from contextlib import nullcontext

    from core.atomic import replacing
    from core.cli.progress import Bars, say
    from core.data.readers.files import LeftOut
    from core.model.bulk.files import find_files, predict_files
    from core.model.classifier import open_classifier
    from core.report.spreadsheet import as_csv

    left_out = LeftOut()
    paths = find_files(args.films, left_out)
    classifier = open_classifier(args.checkpoint, args.backend)
    rows: list[dict[str, Any]] = []
    with replacing(args.csv) if args.csv else nullcontext() as target:
        if target:
            target.touch()  # a place that cannot be written to is told before the films are scored
        with Bars() as bars:
            for outcome in predict_files(classifier, paths):
                rows.append(as_row(outcome, classifier.classes))
                bars("scoring films", len(rows), len(paths))
        if target:
            said = rows if args.names else [_unnamed(row) for row in rows]
            target.write_text(as_csv(said, list(rows[0])), encoding="utf-8", newline="")
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
