"""`python -m benchmarks.evidence [NAME[=METHOD] ...]`: does the evidence lie where radiologists drew their boxes?

On the fifth of SIIM that `opacity` never learned from (its own evaluation.parquet says which films): for each model hit
rate, mIoU at Otsu's threshold, mass inside and share inside the lungs on the boxed films, each beside its chances: the
boxes' area, Random CAM, and a random place in the lungs. Skill is (h - c) / (1 - c) over the last. Average precision at
IoU 0.5 of boxes read off the maps counts false boxes on negative films, too. Then opacity or not, by 1 - p(first), on
those films and on NIH's as RSNA's radiologists read them: AUROC, balanced accuracy and calibration error of the
likelier answer, and of how many films of each kind the model's conformal set holds the truth (it promises 0.90).
Brackets are 95 % intervals, bootstrapped over studies.

`--ablation FOLDER` trains `opacity` there by its labels alone, with a price on evidence outside the lungs, with the
boxes, and with both (the recipe without teachers otherwise), and judges the four beside the models; what it finds
trained there it does not train again.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core import intervals
from core.data.cohort import Cohort
from core.data.readers import data_root, open_cohort
from core.evaluate.evaluation import Evaluation
from core.evaluate.scopes import OVERALL
from core.explain import chance, detection, truth
from core.explain.heatmap import heatmaps
from core.explain.heatmap.votes import votes
from core.lungs import segment
from core.model.checkpoint import CARD, EVALUATION, load
from core.model.classifier import Classifier
from core.model.conformal import coverage
from core.training import recipe as recipes
from core.training.finish import finish
from core.training.fit import fit
from core.training.run import begin

FOLDER, NEGATIVE, SEED = "siim-covid19-detection", "Negative for Pneumonia", 0
PRICES = {  # on evidence outside radiologists' boxes, and outside the lungs
    "labels": (0.0, 0.0),
    "lungs": (0.0, 1.0),
    "boxes": (2.0, 0.0),
    "both": (2.0, 1.0),
}
ELSEWHERE, OPACITY = ("nih-chestxray14", "nih-rsna"), "Lung Opacity"

FIGURES = ("hit", "miou", "mass", "lungs", "area", "random", "prior")


@dataclass(frozen=True)
class Film:
    """What one model says of one film; ``places`` has the `FIGURES` of a boxed film, and nothing for others."""

    study: str
    positive: bool
    probability: float
    found: list[detection.Found]
    known: list[detection.Box]
    places: dict[str, float]


def held_back(cohort: Cohort, films: int) -> Cohort:
    """Films of the split "test" of the shipped `opacity`, or an even draw of them."""
    path = load("opacity").path
    assert path is not None
    table = pd.read_parquet(path / EVALUATION)
    kept = cohort.where(cohort.samples["film_id"].isin(table.loc[table["split"] == "test", "film_id"]))
    rows = np.random.default_rng(SEED).permutation(len(kept))[: films or None]
    return kept.take(np.sort(rows))


def look(model: Classifier, cohort: Cohort, i: int, method: str) -> Film:
    """One film before one model: its map for the likeliest finding, marked against the boxes."""
    film, row = cohort.film(i), cohort.samples.iloc[i]
    crop = model.lungs(film)
    picture = model.preprocess.picture(film, crop)
    _, p = model.predict_pictures(picture[None])
    target = 1 + int(p[0, 1:].argmax())
    name = model.classes[target]
    if method == "votes":
        map_ = votes_of(model, picture, target)
    else:
        map_ = heatmaps(model, picture, method, [name])[name].values
    unit = map_ if method == "votes" else map_ / max(float(map_.max()), 1e-9)  # a part's sureness, where it has a scale
    scale = np.array(picture.shape[::-1]) / np.array(film.shape[::-1])  # exact for squashed films
    known = [] if crop is not None else _boxes(str(row["boxes"]), *scale)
    positive = row["label"] != NEGATIVE
    seen = Film(str(row["patient"]), bool(positive), float(1 - p[0, 0]), detection.boxes(unit, 1 - p[0, 0]), known, {})
    mask = cohort.mask(i, "boxes")
    if mask is None or not (inside := model.preprocess.to_picture(mask, crop)).any():
        return seen
    fields = segment.mask(film)
    lungs = np.ones(picture.shape, bool) if fields is None else model.preprocess.to_picture(fields, crop)
    control = heatmaps(model, picture, "randomcam", [name], seed=i)[name].values
    figures = (
        *(truth.hit(map_, inside), truth.miou(map_, inside), truth.mass_inside(map_, inside)),
        *(truth.mass_inside(map_, lungs), float(inside.mean())),
        *(truth.hit(control, inside), float(inside[lungs].mean())),
    )
    return replace(seen, places=dict(zip(FIGURES, figures, strict=True)))


def votes_of(model: Classifier, picture: np.ndarray, target: int) -> np.ndarray:
    """The network's own class activation, float32 (S, S): probabilities of the places, 0 to 1, if it adds odds."""
    with torch.no_grad():
        map_ = model.network.features(model.tensor(picture[None]))
        raw = votes(model.network.head, map_)[:, target : target + 1].clamp_min(0)
        return torch.nn.functional.interpolate(raw, picture.shape, mode="bilinear")[0, 0].numpy(force=True)


def row_of_places(name: str, method: str, films: list[Film]) -> str:
    """The first table's line for one model and method."""
    boxed = [f for f in films if f.places]
    studies = pd.factorize(pd.Series([f.study for f in boxed]))[0]
    cells = []
    for figure in FIGURES:
        values = np.array([f.places[figure] for f in boxed])
        low, high = intervals.of_mean(values, studies, share=figure in ("hit", "random"))
        cells.append(f"{values.mean():.3f} [{low:.3f}, {high:.3f}]")
    hit, prior = (np.array([f.places[figure] for f in boxed]) for figure in ("hit", "prior"))
    over = chance.gain(hit, prior, studies, SEED)
    cells.append(f"{over.skill:.3f} {intervals.limits(over.skill_low, over.skill_high, 3)}")
    whole = any(f.known for f in films)
    cells.append(f"{_precision(films)}" if whole else "its crop moves the boxes")
    return f"| {name} ({method}) | {len(boxed)} | " + " | ".join(cells) + " |"


def _precision(films: list[Film]) -> str:
    every = detection.average_precision([f.found for f in films], [f.known for f in films])
    generator, drawn = np.random.default_rng(SEED), []
    for _ in range(200):
        chosen = [films[i] for i in generator.integers(0, len(films), len(films))]
        drawn.append(detection.average_precision([f.found for f in chosen], [f.known for f in chosen]))
    return "{:.3f} [{:.3f}, {:.3f}]".format(every, *np.quantile(drawn, (0.025, 0.975)))


def row_of_answers(name: str, where: str, model: Classifier, films: list[Film]) -> str:
    """The second table's line for one model on films of one place."""
    labels, p = np.array([int(f.positive) for f in films]), np.array([f.probability for f in films])
    samples = pd.DataFrame({"path": [str(i) for i in range(len(films))], "patient": [f.study for f in films]})
    both = np.column_stack([1 - p, p])
    figures = Evaluation(("no opacity", "opacity"), labels, both, samples).figures()
    held = "it knows other classes"
    if model.sets is not None and len(model.classes) == 2:
        held = " and ".join(f"{share:.3f}" for share in coverage(model.sets.of(both), labels))
    told = [figures["opacity"]["auroc"], figures[OVERALL]["balanced_accuracy"], figures[OVERALL]["ece"], held]
    return f"| {name} | {where} | {len(films)} | " + " | ".join(map(str, told)) + " |"


def answered(model: Classifier, cohort: Cohort) -> list[Film]:
    """Films before one model by their labels alone."""
    told = model.predict_many(cohort.film(i) for i in range(len(cohort)))
    known = zip(cohort.samples["patient"], cohort.samples["label"] == OPACITY, told, strict=True)
    return [Film(str(who), bool(yes), float(1 - p.probabilities[0]), [], [], {}) for who, yes, p in known]


def _boxes(text: str, across: float, down: float) -> list[detection.Box]:
    corners = [[float(v) for v in box.split(",")] for box in text.split(";") if box]
    return [(x * across, y * down, (x + w) * across, (y + h) * down) for x, y, w, h in corners]


def ablation(folder: Path) -> list[str]:
    """Train what the folder lacks of the four variants of `opacity`; their names for the tables."""
    plain = recipes.load("opacity")
    for name, (outlines, lungs) in PRICES.items():
        if not (folder / name / CARD).is_file():
            # the last epoch: labels alone would choose one for the sake of answers, not of places
            training = replace(plain.training, outlines=outlines, lungs=lungs, monitor="last")
            recipe = replace(plain, training=training)
            run = begin(open_cohort(data_root() / FOLDER), recipe, folder / name)
            for epoch in fit(run):
                print(f"{name}: epoch {epoch.epoch}, validation loss {epoch.validation_loss:.4f}", flush=True)
            finish(run)
    return [f"{folder / name}=votes" for name in PRICES]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", default=["hilum=gradcam", "opacity=gradcam", "opacity=votes"], metavar="NAME[=METHOD]"
    )
    parser.add_argument("--films", type=int, default=0, help="at most; default: all that were held back")
    parser.add_argument("--ablation", type=Path, metavar="FOLDER", help="where the four variants are, or will be")
    args = parser.parse_args()
    cohort = held_back(open_cohort(data_root() / FOLDER), args.films)
    elsewhere = open_cohort(data_root() / ELSEWHERE[0], ELSEWHERE[1])
    second: dict[str, list[str]] = {}
    heads = ("hit rate", "mIoU", "mass inside", "lung share", "area", "Random CAM", "lung prior", "skill", "AP@0.5")
    print("| model | boxed films | " + " | ".join(heads) + " |\n" + "|---" * 11 + "|")
    for model in [*args.models, *(ablation(args.ablation) if args.ablation else [])]:
        name, _, method = model.partition("=")
        classifier = Classifier(load(name), "torch")
        films = [look(classifier, cohort, i, method or "gradcam") for i in range(len(cohort))]
        print(row_of_places(name, method or "gradcam", films), flush=True)
        if name not in second:
            far = answered(classifier, elsewhere)
            places = (("SIIM, held back", films), (elsewhere.name, far))
            second[name] = [row_of_answers(name, where, classifier, some) for where, some in places]
    print("\n| model | source | films | AUROC | balanced accuracy | ECE | sets hold negatives and opacities |")
    print("|---" * 7 + "|")
    print("\n".join(line for lines in second.values() for line in lines))


if __name__ == "__main__":
    main()
