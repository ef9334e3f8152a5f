"""`python -m core calibrate CHECKPOINT --data PATH`: its probabilities, made true on labelled films."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import cohorts
from core.errors import ExplainError

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.model.checkpoint import Checkpoint
    from core.training.calibrate import Plan

CHECKED = 8  # films of the sanity check
FILES = ("card.json", "model.safetensors", "evaluation.parquet")


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Fit a checkpoint's calibration (a temperature, or Platt's slope and offset of each finding), its operating "
        "points, prediction sets and, where it has none, in-domain check on one half of labelled films that it never "
        "met, and judge it on the other half. Card and evaluation.parquet are written when all is known."
    )
    command = subparsers.add_parser("calibrate", help="fit a checkpoint's probabilities to films", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a checkpoint's folder")
    command.add_argument("--data", required=True, metavar="PATH", help="labelled films: a cohort's folder or table")
    help_ = "its own validation films fit as well, its own test films judge as well"
    command.add_argument("--own", action="store_true", help=help_)
    help_ = "every film of --data fits, and only its own test films judge (with --own)"
    command.add_argument("--all-fit", action="store_true", help=help_)
    help_ = "each class of each cohort weighs the same, its own films being one: as if all were equally frequent"
    command.add_argument("--balanced", action="store_true", help=help_)
    help_ = "exclusive classes get an offset each beside the temperature, for films of other class frequencies"
    command.add_argument("--offsets", action="store_true", help=help_)
    command.add_argument("--gate", action="store_true", help="fit the in-domain check anew")
    command.add_argument("--out", type=Path, metavar="FOLDER", help="write here instead of into the checkpoint")
    cohorts.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Calibrate, write and tell what changed."""
    from core.model.checkpoint import find, load
    from core.training.calibrate import Plan

    plan = Plan(args.own, args.all_fit, args.balanced, args.offsets, args.gate)
    checkpoint = load(args.checkpoint)
    [cohort] = cohorts.several([args.data], args.layout, args.labels)
    folder = args.out or find(args.checkpoint)
    for line in calibrated(checkpoint, cohort, folder, plan):
        print(line)
    print(f"Written to {folder}: {', '.join(FILES)}")
    return 0


def calibrated(checkpoint: "Checkpoint", cohort: "Cohort", folder: Path, plan: "Plan | None" = None) -> list[str]:
    """Calibrate, write, and check that heatmaps come from the weights; what came of it, a line each."""
    from core.cli.progress import Bars
    from core.training.calibrate import Plan, calibrate, error_before_and_after, store

    with Bars() as bars:
        made, table = calibrate(checkpoint, cohort, bars, plan or Plan())
    store(made, table, folder, checkpoint.path)
    films = made.card.metrics.get("films", 0)
    lines = [f"Calibrated on {cohort.name}: {films:,} films judge it.", error_before_and_after(checkpoint, made, table)]
    if not checkpoint.card.randomisation:  # which no calibration changes
        lines.append(_checked(folder, cohort))
    return lines


def _checked(folder: Path, cohort: "Cohort") -> str:
    """Adebayo's sanity check of Grad-CAM, kept in the card."""
    from core.evaluate.scoring import labelled
    from core.explain.randomisation import randomisation, record
    from core.model.checkpoint import load
    from core.model.classifier import Classifier

    classifier = Classifier(load(folder), "torch")
    films = labelled(classifier, cohort).draw(max(1, CHECKED // len(classifier.classes)))
    pictures = [classifier.picture(films.film(row)) for row in range(min(CHECKED, len(films)))]
    try:
        found = randomisation(classifier, pictures, ["gradcam"], seeds=2)
    except ExplainError as error:  # a map of one place, say
        return f"No sanity check of heatmaps: {error}"
    record(folder, found)
    final, limit = found["gradcam"]["final"], found["gradcam"]["chance_95"]
    if final is None:
        return "Destroying the weights leaves Grad-CAM blank."
    passed = "as it should" if final <= limit else "more than by chance: its maps come from the picture"
    return f"After its weights are destroyed, Grad-CAM resembles its maps with |rho| {final:.2f} ({passed})."
