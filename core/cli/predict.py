"""`python -m core predict CHECKPOINT FILE|FOLDER|GLOB...`: a row for every film."""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import engines, exports

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.model.classifier import Classifier
    from core.run.parts import Parts

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
    where = command.add_mutually_exclusive_group()
    where.add_argument("--csv", type=Path, help=help_)
    help_ = "write the rows as Parquet parts into this folder, however many films there are; a killed run goes on"
    where.add_argument("--out", type=Path, metavar="FOLDER", help=help_)
    command.add_argument("--backend", choices=("auto", "torch", "openvino"), default="auto", help="what computes")
    engines.add(command)
    exports.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Score all; exit status 1 if a file could not be read."""
    from rich.markup import escape

    from core.cli.progress import say
    from core.data.readers.files import LeftOut
    from core.model.bulk.files import find_files
    from core.model.classifier import open_classifier
    from core.run.score import unlabelled

    left_out = LeftOut()
    named = bool(args.csv) or not args.out or args.names
    films = unlabelled(find_files(args.films, left_out), named)
    classifier = open_classifier(args.checkpoint, args.backend)
    if args.out:
        unreadable = into_folder(args.out, classifier, films, args)
    elif args.csv:
        unreadable = into_file(args.csv, classifier, films, args)
    else:
        rows = scored(classifier, films)
        unreadable = sum(map(_told_unreadable, rows))
        print(_aligned(rows, classifier.classes))
    if args.csv or args.out:
        scored_films = f"{len(films) - unreadable:,} films scored, {unreadable:,} unreadable"
        say(f"{scored_films}. Written to {escape(str(args.csv or args.out))}")
    for note in left_out.notes():
        print(f"- {note}", file=sys.stderr)
    return 1 if unreadable else 0


def scored(classifier: "Classifier", films: "Cohort") -> list[dict[str, Any]]:
    """The row of each film, under a bar."""
    from core.cli.progress import Bars
    from core.run import stream
    from core.run.score import Score

    with Bars() as bars:
        told = stream.rows(films, Score(classifier), progress=lambda *count: bars("scoring films", *count))
        return [as_row(row, classifier) for found in told for row in found]


def into_file(path: Path, classifier: "Classifier", films: "Cohort", args: argparse.Namespace) -> int:
    """The rows of all films as a CSV file, and how many are of unreadable ones, which are named on the screen; until
    they are all there they lie beside it in parts, and a run goes on."""
    from core.atomic import replacing
    from core.data.film_id import FILM_ID
    from core.report.spreadsheet import MARK, write_csv

    unreadable = 0

    def lines() -> Iterator[dict[str, Any]]:
        nonlocal unreadable
        places = iter(films.samples["path"].array)
        for some in parts.in_order(films.samples[FILM_ID].array):
            for row in some.to_dict("records"):
                line = as_row({str(name): cell for name, cell in row.items()} | {"id": next(places)}, classifier)
                unreadable += _told_unreadable(line)
                yield line if args.names else _unnamed(line, str(row["sha256"]))

    parts = _worked(path.with_name(f"{path.name}.parts"), classifier, films, args, named=True)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(MARK)
        write_csv(file, lines(), heads(classifier))
    parts.remove()
    return unreadable


def into_folder(folder: Path, classifier: "Classifier", films: "Cohort", args: argparse.Namespace) -> int:
    """The rows of all films as Parquet parts, and how many films cannot be read; the folder may hold rows of others,
    of earlier commands."""
    from core.data.film_id import FILM_ID

    folder.parent.mkdir(parents=True, exist_ok=True)
    parts = _worked(folder, classifier, films, args, named=args.names)
    return len(films) - parts.index().answered(films.samples[FILM_ID].array)


def _told_unreadable(line: dict[str, Any]) -> bool:
    """Whether a film cannot be read; it is named on the screen then, with the reason."""
    if line["verdict"] != "unreadable":
        return False
    print(f"{line['file']}: {line['sentence']}", file=sys.stderr)
    return True


def _worked(folder: Path, classifier: "Classifier", films: "Cohort", args: argparse.Namespace, named: bool) -> "Parts":
    from core.cli.progress import Bars, say
    from core.run import stream
    from core.run.parts import Parts
    from core.run.score import Score

    work = Score(classifier, named)
    parts = Parts(folder, work.key, work.columns)
    index = parts.index()
    if len(index):
        say(f"{len(index):,} films were scored by an earlier run; it goes on.")
    with Bars() as bars:
        told = lambda *count: bars("scoring films", *count)  # noqa: E731 - a bar for the rows
        stream.into(parts, films, work, engine=engines.chosen(args), progress=told, index=index)
    return parts


def heads(classifier: "Classifier") -> list[str]:
    """The columns of the CSV, in order; see `as_row`."""
    return ["file", "verdict", "label", *(f"p_{name}" for name in classifier.classes), "set", "sentence"]


def as_row(said: dict[str, Any], classifier: "Classifier") -> dict[str, Any]:
    """One line of the CSV: file, verdict, label, p_<class>..., set (the conformal one), sentence.

    There is neither a label nor a number where the model may not judge the film, and where there is no film.

    Args:
        said: a row of `core.run.score.Score` whose id is the film's path.
    """
    names = classifier.classes
    if said["error"]:
        nothing = dict.fromkeys((f"p_{name}" for name in names), "")
        told = {"set": "", "sentence": said["error"]}
        return {"file": said["id"], "verdict": "unreadable", "label": "", **nothing, **told}
    given = {f"p_{name}": said[f"p_{name}"] for name in names}
    numbers = {head: "" if math.isnan(p) else f"{p:.4f}" for head, p in given.items()}
    answer = {"verdict": VERDICTS[said["domain"]], "label": said["called"], **numbers}
    return {"file": said["id"], **answer, "set": said["set"], "sentence": said["sentence"]}


def _unnamed(row: dict[str, Any], sha256: str) -> dict[str, Any]:
    """A row that calls its film by the hash of its bytes, which are read again only where they were no film."""
    from core import identity
    from core.report.spreadsheet import called

    path = Path(row["file"])
    try:
        film = called(path.name, sha256 or identity.of_file(path))
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
