"""`python -m benchmarks.evidence [NAME[=METHOD] ...]`: does the evidence lie where radiologists drew their boxes?

On the fifth of SIIM that `opacity` never learned from (its own evaluation.parquet says which films): for each model hit
rate, mIoU at Otsu's threshold, mass inside and share inside the lungs on the boxed films, each beside its chances: the
boxes' area, Random CAM, and a random place in the lungs. Skill is (h - c) / (1 - c) over the last. Average precision at
IoU 0.5 of boxes read off the maps counts false boxes on negative films, too. Then opacity or not, by 1 - p(first).
Brackets are 95 % intervals, bootstrapped over studies.
"""

import argparse
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from core import intervals
from core.data.cohort import Cohort
from core.data.readers import data_root, open_cohort
from core.evaluate.evaluation import Evaluation
from core.explain import chance, detection, truth
from core.explain.heatmap import heatmaps
from core.explain.heatmap.votes import votes
from core.lungs import segment
from core.model.checkpoint import EVALUATION, load
from core.model.classifier import Classifier

FOLDER, NEGATIVE, SEED = "siim-covid19-detection", "Negative for Pneumonia", 0


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


def rows(name: str, method: str, films: list[Film]) -> list[str]:
    """Both lines of the tables for one model."""
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
    return [f"| {name} ({method}) | {len(boxed)} | " + " | ".join(cells) + " |", f"| {name} | {_auroc(films)} |"]


def _precision(films: list[Film]) -> str:
    every = detection.average_precision([f.found for f in films], [f.known for f in films])
    generator, drawn = np.random.default_rng(SEED), []
    for _ in range(200):
        chosen = [films[i] for i in generator.integers(0, len(films), len(films))]
        drawn.append(detection.average_precision([f.found for f in chosen], [f.known for f in chosen]))
    return "{:.3f} [{:.3f}, {:.3f}]".format(every, *np.quantile(drawn, (0.025, 0.975)))


def _auroc(films: list[Film]) -> str:
    labels, p = np.array([int(f.positive) for f in films]), np.array([f.probability for f in films])
    samples = pd.DataFrame({"path": [str(i) for i in range(len(films))], "patient": [f.study for f in films]})
    judged = Evaluation(("no opacity", "opacity"), labels, np.column_stack([1 - p, p]), samples)
    return f"{len(films)} | {judged.figures()['opacity']['auroc']}"


def _boxes(text: str, across: float, down: float) -> list[detection.Box]:
    corners = [[float(v) for v in box.split(",")] for box in text.split(";") if box]
    return [(x * across, y * down, (x + w) * across, (y + h) * down) for x, y, w, h in corners]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "models", nargs="*", default=["hilum=gradcam", "opacity=gradcam", "opacity=votes"], metavar="NAME[=METHOD]"
    )
    parser.add_argument("--films", type=int, default=0, help="at most; default: all that were held back")
    args = parser.parse_args()
    cohort = held_back(open_cohort(data_root() / FOLDER), args.films)
    second = []
    heads = ("hit rate", "mIoU", "mass inside", "lung share", "area", "Random CAM", "lung prior", "skill", "AP@0.5")
    print("| model | boxed films | " + " | ".join(heads) + " |\n" + "|---" * 11 + "|")
    for model in args.models:
        name, _, method = model.partition("=")
        classifier = Classifier(load(name), "torch")
        films = [look(classifier, cohort, i, method or "gradcam") for i in range(len(cohort))]
        first, after = rows(name, method or "gradcam", films)
        print(first, flush=True)
        second.append(after)
    print("\n| model | films | opacity or not, AUROC |\n|---|---|---|")
    print("\n".join(second))


if __name__ == "__main__":
    main()
