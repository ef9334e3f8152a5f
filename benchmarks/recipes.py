"""`python -m benchmarks.recipes FOLDER ... --home PATH --elsewhere PATH`: trained checkpoints beside what authors say.

A row for each checkpoint that `python -m core train` wrote: what it reached at home and, with --elsewhere, two columns
that nobody published: the same model on films from elsewhere that share no patient and no picture with its own, and how
much of its Grad-CAM lies inside the lungs there, against the share that is lung. Minutes are all epochs at the pace of
the quickest one, so that another program on the machine does not count.
"""

import argparse
from pathlib import Path

import pandas as pd

from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.evaluate.elsewhere import record, unmet
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX
from core.evaluate.scopes import MACRO, OVERALL
from core.evaluate.scoring import labelled, score
from core.evaluate.storage import from_parquet
from core.examine import cohort as explained
from core.intervals import of_mean
from core.model.card import Card
from core.model.checkpoint import EVALUATION, load
from core.model.classifier import Classifier
from core.training.recipe import load as load_recipe

HEAD = (
    *("recipe", "first weights", "training / test films", "epochs of those asked", "minutes", "processor"),
    *("test accuracy", "macro AUROC", "published"),
)
ELSEWHERE = ("elsewhere", "films", "balanced accuracy", "macro AUROC", "Grad-CAM inside the lungs, of which is lung")
LUNG_FILMS = 30  # of each label, for the share of evidence inside the lungs


def row(folder: Path) -> list[str]:
    """The cells of one checkpoint, in the order of ``HEAD``; intervals are 95 %."""
    card = load(folder).card
    asked = load_recipe(card.recipe["name"])
    test = from_parquet(folder / EVALUATION).split("test")
    planned, done = card.recipe["training"]["epochs"], len(card.history)
    quickest = min(epoch["seconds"] for epoch in card.history)
    weights = card.recipe["network"]["weights"]
    return [
        f"`{asked.name}`",
        "none" if weights == "none" else "ImageNet",
        f"{sum(card.data['splits']['train'].values()):,} / {len(test):,}",
        f"{done} of {asked.training.epochs}{', stopped early' if done < planned else ''}",
        f"{done * quickest / 60:.1f}",
        str(card.versions.get("processor", "not kept")),
        *told(test, "accuracy"),
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asked.published.items()) or "nothing",
    ]


def told(films: Evaluation, share: str) -> list[str]:
    """A share of films called correctly and the macro AUROC, each with its interval.

    Called is the most likely class, as in the publications beside which these figures stand.
    """
    figures = films.figures(ARGMAX)
    return [str(figures[OVERALL][share]), str(figures[MACRO]["auroc"])]


def elsewhere(folder: Path, home: Cohort, away: Cohort, keep: bool) -> list[str]:
    """The cells of one checkpoint, in the order of ``ELSEWHERE``; its card keeps the figures if asked to."""
    classifier = Classifier(load(folder))
    films = unmet(labelled(classifier, away), used(classifier.card, folder, home))
    judged, _ = score(classifier, films)
    assert isinstance(judged, Evaluation), "recipes of several findings have no such row"
    if keep:
        record(folder, away.name, judged)
    frame = explained.score(classifier, films.draw(LUNG_FILMS))
    return [away.name, f"{len(judged):,}", *told(judged, "balanced_accuracy"), in_lungs(frame)]


def used(card: Card, folder: Path, home: Cohort) -> Cohort:
    """The films of the model's own cohort that it was trained, tuned or judged on."""
    met = set(from_parquet(folder / EVALUATION).samples["path"])
    names = [Path(path).name for path in home.samples["path"]]
    return home.where([name in met for name in names]) if met & set(names) else home


def in_lungs(frame: pd.DataFrame) -> str:
    """Mean share of the heatmap inside the lungs with its interval, and the mean share of the picture that is lung."""
    known = frame[frame["lung_share"].notna()]
    if known.empty:
        return "no lungs found, or blank maps"
    patients = known["patient"].where(known["patient"] != "", known["id"]).to_numpy()
    low, high = of_mean(known["lung_share"].to_numpy(float), patients, True, 0)
    return f"{known['lung_share'].mean():.2f} [{low:.2f}, {high:.2f}], {known['lung_share_area'].mean():.2f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="e.g. runs/deep_cnn")
    parser.add_argument("--home", metavar="PATH", help="the cohort that they were trained on")
    parser.add_argument("--elsewhere", metavar="PATH", help="a collection that they never met")
    parser.add_argument("--keep", action="store_true", help="in the cards, so that the dashboard shows them")
    args = parser.parse_args()
    if bool(args.home) != bool(args.elsewhere):
        parser.error("--home and --elsewhere come together: what both hold is left out")
    cohorts = (open_cohort(args.home), open_cohort(args.elsewhere)) if args.home else None
    head = (*HEAD, *(ELSEWHERE if cohorts else ()))
    print(*(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head))), sep="\n")
    for folder in args.folders:
        cells = row(folder) + (elsewhere(folder, *cohorts, args.keep) if cohorts else [])
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
