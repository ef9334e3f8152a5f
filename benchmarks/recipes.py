"""`python -m benchmarks.recipes FOLDER ...`: what trained checkpoints reached, beside what their recipes' authors say.

One row of the README's table for each checkpoint that `python -m core train` wrote; see its first lines for how the
rows were trained. Minutes are all epochs at the pace of the quickest one, so that another program on the machine does
not count.
"""

import argparse
from pathlib import Path

from core.evaluate.evaluation import from_parquet
from core.model.checkpoint import EVALUATION, load
from core.training.recipe import load as load_recipe

HEAD = (
    "recipe",
    "first weights",
    "training / test films",
    "epochs of those asked",
    "minutes",
    "test accuracy",
    "macro AUROC",
    "published",
)


def row(folder: Path) -> list[str]:
    """The cells of one checkpoint, in the order of ``HEAD``; intervals are 95 %."""
    card = load(folder).card
    asked = load_recipe(card.recipe["name"])
    films = from_parquet(folder / EVALUATION).by_split()
    figures = films["test"].figures()
    planned, done = card.recipe["training"]["epochs"], len(card.history)
    quickest = min(epoch["seconds"] for epoch in card.history)
    return [
        f"`{asked.name}`",
        "none" if card.recipe["network"]["weights"] == "none" else "ImageNet",
        f"{sum(card.data['splits']['train'].values()):,} / {len(films['test']):,}",
        f"{done} of {asked.training.epochs}{', stopped early' if done < planned else ''}",
        f"{done * quickest / 60:.0f}",
        str(figures["all films"]["accuracy"]),
        str(figures["macro avg"]["auroc"]),
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asked.published.items()) or "nothing",
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="e.g. runs/deep_cnn")
    print(*(f"| {' | '.join(cells)} |" for cells in (HEAD, ["---"] * len(HEAD))), sep="\n")
    for folder in parser.parse_args().folders:
        print(f"| {' | '.join(row(folder))} |", flush=True)


if __name__ == "__main__":
    main()
