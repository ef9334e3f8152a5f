"""`python -m core augment FILE --recipe R`: what a recipe's augmentation makes of one film, as a figure."""

import argparse
from pathlib import Path

MOST = 24  # draws in a row: more make a figure that nobody can read


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = "Draw a film as a recipe's augmentation shows it in training: a row for each step by name, one for all."
    command = subparsers.add_parser("augment", help="figure of a recipe's augmentation", description=about)
    command.add_argument("film", type=Path, metavar="FILE", help="a film (PNG, JPEG, DICOM, ...)")
    command.add_argument("--recipe", required=True, help="a name from core/recipes, or a .toml file")
    command.add_argument(
        "--draws", type=int, default=6, metavar="N", help=f"pictures in a row, 1 to {MOST} (default: 6)"
    )
    command.add_argument("--seed", type=int, default=0, help="another seed, other draws (default: 0)")
    command.add_argument("--out", type=Path, help="the PNG (default: runs/augmentation-RECIPE.png)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the figure."""
    from core.atomic import write_whole
    from core.cli.progress import say
    from core.data.film.opener import read
    from core.errors import RecipeError
    from core.lungs import segment
    from core.report.augmentation_figure import figure
    from core.report.overlay import png
    from core.training.recipe import load

    if not 1 <= args.draws <= MOST:
        raise RecipeError(f"--draws is {args.draws}", f"a whole number from 1 to {MOST}")
    recipe = load(args.recipe)
    if not recipe.augment:
        raise RecipeError(f"the recipe {recipe.name} has no augmentation", remedy="Choose another with --recipe")
    film = read(args.film)
    lungs = segment.mask(film) if recipe.preprocess.region == "lungs" else None
    drawn = figure(recipe.preprocess.picture(film, lungs), recipe.augment, args.draws, args.seed)
    out = args.out or Path("runs") / f"augmentation-{recipe.name}.png"
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, png(drawn))
    say(f"{len(recipe.augment)} augmentations of {recipe.title}, {args.draws} draws each. Written to {out}")
    return 0
