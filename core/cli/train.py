"""`python -m core train RECIPE --data PATH`: films and a recipe in, a checkpoint out; started again, it goes on."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli import cohorts as shared

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.training.processes import Processes
    from core.training.recipe import Recipe

WITHOUT = "-without-augmentation"  # the end of such a run's folder
NAMES = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "auroc": "AUROC"}


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = "Train a classifier; killed at any moment, the same command goes on from the last finished epoch."
    command = subparsers.add_parser("train", help="train a classifier by a recipe", description=about)
    command.add_argument("recipe", help="a name from core/recipes, or a .toml file")
    help_ = "a cohort's folder or table, or phantom; several are joined"
    command.add_argument("--data", nargs="+", required=True, metavar="PATH", help=help_)
    help_ = "cohorts that are test films only; training films that share a patient or picture with them are left out"
    command.add_argument("--hold-out", nargs="+", default=[], metavar="PATH", help=help_)
    help_ = "films whose labels are not asked: learned from as --teachers say; copies of labelled ones are left out"
    command.add_argument("--unlabelled", nargs="+", default=[], metavar="PATH", help=help_)
    help_ = "checkpoints with the recipe's classes that teach the --unlabelled films (a noisy student, Xie 2020)"
    command.add_argument("--teachers", nargs="+", default=[], metavar="NAME", help=help_)
    command.add_argument("--out", type=Path, help="folder of the checkpoint (default: runs/RECIPE)")
    command.add_argument("--epochs", type=int, help="instead of the recipe's; its stages shrink in proportion")
    command.add_argument(
        "--weights", help="none, imagenet, a state dict or a checkpoint folder, instead of the recipe's"
    )
    command.add_argument("--seed", type=int, help="instead of the recipe's")
    help_ = "ours: the recipe's division; published: the one that its authors state, where the recipe names it"
    command.add_argument("--split", choices=("ours", "published"), default="ours", help=help_)
    help_ = "the recipe without its augmentation, into runs/RECIPE-without-augmentation; then prints the difference"
    command.add_argument("--without-augmentation", action="store_true", help=help_)
    command.add_argument("--limit", type=int, metavar="N", help="use at most N films of each label, for trials")
    command.add_argument("--device", choices=("cpu", "cuda", "mps"), help="default: the best there is")
    help_ = (
        "train in N processes of this machine, each on its part of every batch (one GPU each, where there are any); "
    )
    help_ += "for several machines start the command by torchrun"
    command.add_argument("--processes", type=int, default=1, metavar="N", help=help_)
    shared.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, showing each epoch as a line of a table, then judge the best one on the test films."""
    from core.errors import RecipeError

    if args.processes < 1:
        raise RecipeError(f"--processes is {args.processes}", "1 or more")
    if args.processes > 1 and "WORLD_SIZE" not in os.environ:
        from core.cli.launch import run as launch

        return launch([sys.executable, "-m", "core", *args.given], args.processes)
    from core.training.processes import joined

    with joined(args.device) as (processes, device):
        return _train(args, processes, device)


def _train(args: argparse.Namespace, processes: "Processes", device: str | None) -> int:
    from rich.markup import escape

    from core.cli.progress import Bars, epoch_line, say
    from core.data.cohort import JOIN, concatenate
    from core.data.progress import quiet
    from core.training import state
    from core.training.finish import finish
    from core.training.fit import fit
    from core.training.processes import ALONE
    from core.training.recipe import load
    from core.training.run import begin

    recipe = adjusted(load(args.recipe), args.epochs, args.weights, args.seed)
    if args.split == "published":
        recipe = with_published_split(recipe)
    folder = args.out or Path("runs") / recipe.name
    pair = folder
    if args.without_augmentation:
        recipe = without_augmentation(recipe)
        folder = args.out or Path("runs") / f"{recipe.name}{WITHOUT}"
        pair = folder.with_name(folder.name.removesuffix(WITHOUT))
    cohorts = shared.several([*args.data, *args.hold_out], args.layout, args.labels)
    cohorts, held = cohorts[: len(args.data)], cohorts[len(args.data) :]
    cohort = cohorts[0] if len(cohorts) == 1 else concatenate(JOIN.join(c.name for c in cohorts), cohorts)
    cohort = cohort if args.limit is None else cohort.draw(args.limit)
    if args.hold_out:
        recipe, cohort = held_out(recipe, cohort, held)
    unlabelled = None
    if args.unlabelled:
        parts = shared.several(args.unlabelled, args.layout, args.labels)
        unlabelled = concatenate(JOIN.join(c.name for c in parts), parts)
    if not processes.first:  # the first one tells, and makes the checkpoint
        for _ in fit(begin(cohort, recipe, folder, device, quiet, processes, unlabelled, args.teachers)):
            pass
        return 0
    films = escape(f"on {len(cohort):,} films of {cohort.name} -> {folder}")
    say(f"[bold]{escape(recipe.title)}[/] {films}")
    if processes.world > 1:
        say(f"{processes.world} processes share each batch of {recipe.training.batch} films.")
    if (folder / state.FILE).is_file():
        say("This folder holds a run already; it goes on from its last finished epoch.")
    with Bars() as bars:
        training = begin(cohort, recipe, folder, device, bars, processes, unlabelled, args.teachers)
        for note in training.divided.notes:
            say(f"- {escape(note)}")
        for epoch in fit(training):
            bars.line(epoch_line(epoch))
        checkpoint = finish(replace(training, processes=ALONE))
    figures = checkpoint.card.metrics
    told = ", ".join(f"{name} {figures[key]:.4f}" for key, name in NAMES.items() if key in figures)
    told = told or "some class has no film"
    say(f"Test: [bold]{told}[/] on {figures['films']} films. Written to {escape(str(folder))}")
    if pair != folder:
        say(what_augmentation_did(pair, folder))
    return 0


def with_published_split(recipe: "Recipe") -> "Recipe":
    """The recipe with the division that its authors state; RecipeError where it names none."""
    from core.errors import RecipeError

    if recipe.published_split is None:
        came = f"the recipe {recipe.name} has no published_split: its own division is the stated one, or none is stated"
        raise RecipeError(came, remedy="Leave --split out")
    return replace(recipe, split=recipe.published_split)


def without_augmentation(recipe: "Recipe") -> "Recipe":
    """The recipe that shows every film as it is; RecipeError where it does so anyway."""
    from core.errors import RecipeError

    if not recipe.augment:
        raise RecipeError(f"the recipe {recipe.name} has no augmentation", remedy="Leave --without-augmentation out")
    return replace(recipe, augment=(), training=replace(recipe.training, augmented_copies={}))


def what_augmentation_did(with_: Path, without: Path) -> str:
    """The paired difference of the two runs on the test films of both, in a sentence."""
    from core.evaluate.compare import compare
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.met import kept
    from core.model.checkpoint import EVALUATION, read_card

    if not (with_ / EVALUATION).is_file():
        return f"No run with augmentation in {with_}: train it, and this command prints the difference."
    first, second = (kept(read_card(folder), folder / EVALUATION).split("test") for folder in (without, with_))
    if not isinstance(first, Evaluation) or not isinstance(second, Evaluation):
        return "Two models of several findings are compared one finding at a time: Compare > Two on the same films."
    found = compare(first, second)
    told = ", ".join(f"{name} {found.differences[key].text()}" for key, name in NAMES.items())
    return f"With augmentation less without, on {found.films:,} test films (95 % intervals, paired): {told}"


def adjusted(recipe: "Recipe", epochs: int | None, weights: str | None, seed: int | None) -> "Recipe":
    """The recipe with what the command line says otherwise; contradictions are refused as in a file."""
    training = recipe.training
    if epochs is not None and epochs != training.epochs:
        ends = [0, *(round(e * epochs / training.epochs) for e in accumulate(s.epochs for s in training.stages))]
        parts = zip(training.stages, ends[:-1], ends[1:], strict=True)
        stages = tuple(replace(stage, epochs=end - start) for stage, start, end in parts if end > start)
        patience = min(training.patience, epochs - 1)
        half = training.half_size_epochs * epochs // training.epochs
        training = replace(training, epochs=epochs, stages=stages, patience=patience, half_size_epochs=half)
    if seed is not None:
        training = replace(training, seed=seed)
    network = recipe.network if weights is None else replace(recipe.network, weights=weights)
    return replace(recipe, training=training, network=network)


def held_out(recipe: "Recipe", cohort: "Cohort", others: "Sequence[Cohort]") -> "tuple[Recipe, Cohort]":
    """Other cohorts as the test films, and the recipe that keeps them so: a hospital that the model never sees."""
    from core.data.cohort import JOIN, concatenate

    parts = [c.with_splits([split] * len(c)) for split, group in (("", [cohort]), ("test", others)) for c in group]
    name = f"{cohort.name}, tested on {JOIN.join(c.name for c in others)}"
    return replace(recipe, split=replace(recipe.split, per_split=0, use_source=True)), concatenate(name, parts)
