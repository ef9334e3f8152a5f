"""`python -m core evaluate CHECKPOINT [--data PATH]`: every figure with its interval, printed and written."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from core.atomic import replacing, write_whole
from core.cli import cohorts, exports
from core.errors import EvaluationError

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.findings import FindingsEvaluation
    from core.evaluate.operating import OperatingPoint
    from core.model.checkpoint import Checkpoint
    from core.model.classifier import Classifier
    from core.report.documents.report import Report
    from core.run.parts import Parts

Split = TypeVar("Split")
CALLED_BY = ("own", "likeliest")
SPLITS = ("train", "validation", "test", "left out", "new", "external")
_UNKNOWN = (
    "no evaluation is kept beside the checkpoint, so which of these films it learned from is not known: all are "
    "reported as new or external"
)
_ALIKE = (
    "new films are told from known ones by name and patient; to compare their pictures as well, run "
    "python -m core audit on both cohorts"
)


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Evaluate a checkpoint on its own cohort, as kept beside it, or on the films of --data. Films of --data "
        "that the checkpoint was trained or tuned on are reported separately."
    )
    command = subparsers.add_parser("evaluate", help="judge a checkpoint", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument(
        "--data", metavar="PATH", help="a cohort's folder or table, or phantom (default: its own films)"
    )
    command.add_argument(
        "--split",
        choices=SPLITS,
        help="only these films; new = never met, of a known collection; external = of another",
    )
    command.add_argument("--prevalence", nargs="+", default=[], metavar="CLASS=SHARE", help="e.g. COVID-19=0.02")
    rule = command.add_mutually_exclusive_group()
    help_ = "how a film is called: by the model's own operating points, as pages and core predict do (default), "
    help_ += (
        "or as the most likely class, as published accuracies mostly are; the same for a model without operating points"
    )
    rule.add_argument("--called-by", choices=CALLED_BY, help=help_)
    help_ = "call this class from the operating point that finds this share of its validation films, e.g. COVID-19=0.95"
    rule.add_argument("--sensitivity", metavar="CLASS=SHARE", help=help_)
    help_ = (
        "write evaluation.parquet, .json, .csv and .html here (with --data the default is runs/CHECKPOINT-on-COHORT)"
    )
    command.add_argument("--out", type=Path, help=help_)
    help_ = (
        "record in the checkpoint's card how often it was right: on its test films, or with --data on films that it "
        "never met; pages and case reports then say so beside an answer"
    )
    command.add_argument("--keep", action="store_true", help=help_)
    cohorts.add(command)
    exports.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the report and write it in every form."""
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.met import stored
    from core.evaluate.operating import ARGMAX
    from core.evaluate.scoring import parts_in
    from core.model.checkpoint import load
    from core.model.classifier import Classifier
    from core.report.documents.report import Report
    from core.report.documents.text import as_text

    checkpoint = load(args.checkpoint)
    classes = checkpoint.card.classes
    prevalence = dict(share(pair, classes) for pair in args.prevalence)
    wished = share(args.sensitivity, classes) if args.sensitivity else None
    folder = args.out or (Path("runs") / f"{checkpoint.card.name}-on-{Path(args.data).name}" if args.data else None)
    kept = None
    if args.data and folder:
        classifier = Classifier(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        kept = parts_in(folder, classifier)
        [whole] = cohorts.several([args.data], args.layout, args.labels)
        evaluation, cohort, notes = _score(classifier, whole, args.split, kept)
    else:
        evaluation, cohort, notes = stored(checkpoint), str(checkpoint.card.data.get("name", "")), ()
    if not isinstance(evaluation, Evaluation):
        return _findings(args, checkpoint, evaluation, cohort, notes, prevalence, folder, kept)
    point = _point(checkpoint, *wished) if wished else ARGMAX if args.called_by == "likeliest" else None
    parts = chosen(evaluation.by_split(own=not args.data), args.split)
    report = Report(checkpoint.card, parts, cohort, point, prevalence, notes, args.names)
    print(as_text(report))
    print("".join(f"\n- {note}" for note in notes))
    if folder:
        write(report, evaluation, folder)
        print(f"Written to {folder}: evaluation.parquet, evaluation.json, evaluation.csv, evaluation.html")
    if kept:
        kept.remove()
    if args.keep:
        print(_keep(checkpoint, evaluation, cohort if args.data else None))
    return 0


def _findings(
    args: argparse.Namespace,
    checkpoint: "Checkpoint",
    evaluation: "FindingsEvaluation",
    cohort: str,
    notes: tuple[str, ...],
    prevalence: dict[str, float],
    folder: Path | None,
    kept: "Parts | None",
) -> int:
    """The same for a model of several findings, each called at its own operating point."""
    from core.report.documents import findings as documents

    for option in ("sensitivity", "called_by"):
        if getattr(args, option):
            name = f"--{option.replace('_', '-')}"
            came = f"{name} came for a model of several findings"
            raise EvaluationError(came, "a model of exclusive classes", f"Leave {name} out")
    parts = chosen(evaluation.by_split(own=not args.data), args.split)
    report = documents.FindingsReport(checkpoint.card, parts, cohort, prevalence, notes, args.names)
    print(documents.as_text(report))
    print("".join(f"\n- {note}" for note in notes))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "evaluation.parquet") as temporary:
            evaluation.table.to_parquet(temporary, index=False)
        for suffix, make in (("json", documents.as_json), ("csv", documents.as_csv), ("html", documents.as_html)):
            write_whole(folder / f"evaluation.{suffix}", make(report))
        print(f"Written to {folder}: evaluation.parquet, evaluation.json, evaluation.csv, evaluation.html")
    if kept:
        kept.remove()
    if args.keep:
        print(_keep(checkpoint, evaluation, cohort if args.data else None))
    return 0


def _keep(checkpoint: "Checkpoint", evaluation: "Evaluation | FindingsEvaluation", elsewhere: str | None) -> str:
    """Write the track record into the card: of its own test films, or of the films elsewhere that are new to it."""
    from core.evaluate import elsewhere as away
    from core.evaluate.provenance import PROVENANCE

    if checkpoint.path is None:
        raise EvaluationError("the checkpoint has no folder", "a checkpoint's folder")
    if elsewhere is None:
        away.record_home(checkpoint.path, evaluation)
        sets = ", prediction sets and triage" if checkpoint.card.exclusive else ""
        return f"Kept in {checkpoint.path}: its own test films{sets}"
    new = evaluation.where(evaluation.samples[PROVENANCE].isin(("new", "external")))
    if not len(new):
        raise EvaluationError(f"the checkpoint has met every film of {elsewhere}", "films that are new to it")
    away.record(checkpoint.path, elsewhere, new)
    return f"Kept in {checkpoint.path}: {len(new):,} films of {elsewhere} that it never met"


def share(pair: str, classes: tuple[str, ...]) -> tuple[str, float]:
    """``COVID-19=0.02`` as class and share."""
    name, _, value = pair.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if name not in classes or not 0 < number < 1:
        raise EvaluationError(f'"{pair}" came', f"CLASS=SHARE with a share in 0 to 1 and one of {', '.join(classes)}")
    return name, number


def chosen(parts: dict[str, Split], only: str | None) -> dict[str, Split]:
    """All splits, or the one asked for."""
    if only and only not in parts:
        raise EvaluationError(f"there are no {only} films", f"one of {', '.join(parts)}")
    return {only: parts[only]} if only else parts


def write(report: "Report", evaluation: "Evaluation", folder: Path) -> None:
    """The four files of a report."""
    from core.evaluate.storage import to_parquet
    from core.report.documents.html import as_html
    from core.report.documents.report import as_csv, as_json

    to_parquet(evaluation, folder / "evaluation.parquet")
    for suffix, make in (("json", as_json), ("csv", as_csv), ("html", as_html)):
        write_whole(folder / f"evaluation.{suffix}", make(report))


def _point(checkpoint: "Checkpoint", name: str, sensitivity: float) -> "OperatingPoint":
    from core.evaluate.met import stored
    from core.evaluate.operating import OperatingPoint, point_for_sensitivity

    validation = cast("Evaluation", stored(checkpoint)).split("validation")
    index = validation.classes.index(name)
    point = point_for_sensitivity(validation.probabilities[:, index], validation.labels == index, sensitivity)
    return OperatingPoint(name, point)


def _score(
    classifier: "Classifier", whole: "Cohort", only: str | None, kept: "Parts"
) -> "tuple[Evaluation | FindingsEvaluation, str, tuple[str, ...]]":
    from core.cli.progress import Bars
    from core.evaluate.met import known, with_training_splits
    from core.evaluate.provenance import PROVENANCE
    from core.evaluate.scoring import score

    met = known(classifier.checkpoint)
    cohort = with_training_splits(classifier, whole, met)
    if only:
        cohort = cohort.where(cohort.samples[PROVENANCE] == only)
        if not len(cohort):
            raise EvaluationError(f"there are no {only} films", "another --split")
    with Bars() as bars:
        evaluation, notes = score(classifier, cohort, lambda done, total: bars("films", done, total), parts=kept)
    new = (evaluation.samples["split"] == "").any()
    return evaluation, cohort.name, (*notes, _UNKNOWN if met is None else _ALIKE) if new else notes
