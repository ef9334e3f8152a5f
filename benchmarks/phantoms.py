"""The two phantom models on films with known truth: ``python -m benchmarks.phantoms [--write]``.

Each model is judged on the test films of its own cohort, of the other one, and of the new hospital: accuracy, also by
severity; Grad-CAM's hit rate on true positives; the part of its evidence that lies in the lungs as they were drawn
(``python -m core explain --cohort`` looks for the lungs itself, as on real films). ``--write`` keeps the figures in the
cards.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.phantom.cohort import BANDS, Kind, cohort, draw_all
from core.evaluate.operating import of_card
from core.explain import truth
from core.explain.heatmap import heatmaps
from core.model.checkpoint import load, save
from core.model.classifier import Classifier

COHORTS: tuple[Kind, ...] = ("fair", "confounded", "new-hospital")
Figures = dict[str, str | float | int | dict[str, float]]


def judge(model: Classifier, films: Cohort) -> pd.DataFrame:
    """One row per film: label, band, called, hit (of the label's heatmap; NaN unless a finding was correctly called),
    lungs (part of the called class's evidence inside the lung fields; NaN for a blank map)."""
    rows = []
    for i in range(len(films)):
        film = films.film(i)
        picture = model.picture(film)
        called = model.classes[int(model.output.first(model.predict_pictures(picture[None])[1])[0])]
        map_ = heatmaps(model, picture, "gradcam", [called])[called]
        label, band = films.samples["label"].iat[i], films.samples["band"].iat[i]
        lesion, lungs = films.mask(i, "truth"), films.mask(i, "lungs")
        assert lungs is not None  # every drawn film has them
        hit = float("nan")
        if lesion is not None and called == label:
            hit = truth.hit(map_.values, model.preprocess.to_picture(lesion))
        inside = truth.mass_inside(map_.values, model.preprocess.to_picture(lungs))
        rows.append((label, band, called, hit, float("nan") if map_.blank else inside))
    return pd.DataFrame(rows, columns=["label", "band", "called", "hit", "lungs"])


def figures(table: pd.DataFrame) -> Figures:
    """The figures of one table; NaN-free, as a card needs them. The films without a finding are the band "none"."""
    right = table["called"] == table["label"]
    bands = {name: table["band"] == ("" if name == "none" else name) for name in ("none", *BANDS)}
    return {
        "films": len(table),
        "accuracy": _round(right.mean()),
        "accuracy_by_severity": {name: _round(right[chosen].mean()) for name, chosen in bands.items()},
        "gradcam_hit_rate": _round(table["hit"].mean()),
        "gradcam_hit_rate_by_severity": {name: _round(table["hit"][bands[name]].mean()) for name in BANDS},
        "gradcam_lung_share": _round(table["lungs"].mean()),
        "gradcam_blank": int(table["lungs"].isna().sum()),
    }


def measure(name: str, films: int) -> dict[str, Figures]:
    """A model's figures on the test films of every cohort; at most ``films`` of each."""
    model = Classifier(load(name))
    found: dict[str, Figures] = {}
    for kind in COHORTS:
        test = cohort(kind).split("test")
        test = test.take(np.arange(min(films, len(test))))
        draw_all(test)
        found[kind] = {"called_by": of_card(model.card).title, **figures(judge(model, test))}
    return found


def _round(value: float) -> float:
    return round(float(value), 4) if np.isfinite(value) else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["honest", "cheat"], help="checkpoints, by name or folder")
    parser.add_argument("--films", type=int, default=2000, help="at most this many test films of each cohort")
    parser.add_argument("--write", action="store_true", help="keep the figures in the cards")
    args = parser.parse_args()
    for name in args.names:
        found = measure(name, args.films)
        print(f"\n{Path(name).name}\n{pd.DataFrame(found).to_string()}")
        if args.write:
            checkpoint = load(name)
            metrics = {**checkpoint.card.metrics, "phantoms": found}
            save(replace(checkpoint, card=replace(checkpoint.card, metrics=metrics)), checkpoint.path or Path(name))


if __name__ == "__main__":
    main()
