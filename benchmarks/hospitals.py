"""`python -m benchmarks.hospitals RECIPE`: leave one source out; how a recipe does on hospitals it never saw.

The recipe is trained once for each of three public cohorts, on the two others and the normal films of Montgomery and
Shenzhen, and judged on the cohort left out. Training films that share a patient or a picture with it are dropped.
Killed at any moment, the same command goes on; finished runs are only read.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from core.cli import main as core
from core.data.readers import data_root
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX
from core.evaluate.scopes import MACRO, OVERALL
from core.evaluate.storage import from_parquet
from core.lungs import segment
from core.model.checkpoint import EVALUATION
from core.training.recipe import load

HELD_OUT = ("COVID-19_Radiography_Dataset", "Coronahack-Chest-XRay-Dataset", "covid-chestxray-dataset")
ALWAYS = ("montgomery-shenzhen",)
COVID = "COVID-19"


def run(recipe: str, held_out: str, folder: Path, settings: list[str]) -> Evaluation:
    """The test films of one run, which is trained first unless that is done."""
    if not (folder / EVALUATION).is_file():
        root = data_root()
        data = [str(root / name) for name in (*HELD_OUT, *ALWAYS) if name != held_out]
        command = ["train", recipe, "--data", *data, "--hold-out", str(root / held_out), "--out", str(folder)]
        if code := core([*command, *settings]):
            sys.exit(code)
    return from_parquet(folder / EVALUATION).split("test")


def row(evaluation: Evaluation) -> list[str]:
    """Films, macro AUROC, balanced accuracy, and COVID-19's AUROC and sensitivity, with 95 % intervals.

    Called is the most likely class: operating points were set on films of the other hospitals.
    """
    figures = evaluation.figures(ARGMAX)
    macro, covid = figures[MACRO], figures[COVID]
    told = [macro["auroc"], figures[OVERALL]["balanced_accuracy"], covid["auroc"], covid["recall"]]
    return [f"{len(evaluation):,}", *map(str, told)]


def seen_by_finder(held_out: Iterable[str]) -> str:
    """Of which of these collections the shipped finder of lungs learned masks: for a recipe that uses lungs they are
    not wholly new, though no label of theirs was learned."""
    card = json.loads((segment.WEIGHTS / "card.json").read_text(encoding="utf-8"))
    learned = [f"{count} films of {name}" for name, count in card["trained_on"].items() if name in held_out]
    return f"The finder of lungs learned from the masks (not the labels) of {', '.join(learned)}." if learned else ""


def main() -> None:
    """Train what is not trained yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", help="a name from core/recipes, or a .toml file")
    parser.add_argument("--out", type=Path, default=Path("runs/hospitals"), help="default: runs/hospitals")
    args, settings = parser.parse_known_args()  # the rest goes to `core train`: --weights, --epochs, --limit
    print("| left out | test films | macro AUROC | balanced accuracy | COVID-19 AUROC | COVID-19 sensitivity |")
    print("|---|---|---|---|---|---|")
    for held_out in HELD_OUT:
        judged = run(args.recipe, held_out, args.out / Path(args.recipe).stem / held_out, settings)
        print(f"| {' | '.join([held_out, *row(judged)])} |", flush=True)
    recipe = load(args.recipe)
    if recipe.preprocess.region == "lungs" or recipe.training.lungs:
        print(f"\n{seen_by_finder(HELD_OUT)}")


if __name__ == "__main__":
    main()
