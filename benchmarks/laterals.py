"""`python -m benchmarks.laterals NAME [--write]`: are real lateral films refused, and what does learning from them do?

The check of a model that learned from SIIM's films is fitted by drawn outliers alone, and with the 31 lateral films of
covid-chestxray-newer beside them (`core.training.domain.fit`), judged by five folds of their patients. Frontal films of
four collections say what it costs. `--write` keeps the check that learned from all 31 in the checkpoint.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.film.opener import read
from core.data.film.radiograph import Radiograph
from core.data.readers import data_root, open_cohort
from core.model.checkpoint import DOMAIN, EVALUATION, Checkpoint, load, save
from core.model.classifier import Classifier
from core.training.domain.fit import fit, measure

NEWER, HOME = "covid-chestxray-newer", "siim-covid19-detection"
FOLDS, SEED = 5, 0
TAUGHT, TUNED = 1200, 600  # of the model's own films, as many as a check is fitted on
FRONTAL = {NEWER: 0, "nih-chestxray14": 60, "montgomery-shenzhen": 40, HOME: 120}  # films; 0: all


def laterals() -> tuple[list[Radiograph], np.ndarray]:
    """The films whose view the collection calls L, and the number of each one's patient."""
    table = pd.read_csv(data_root() / NEWER / "metadata.csv")
    chosen = table[table["view"] == "L"]
    films = [read(data_root() / NEWER / "images" / name) for name in chosen["filename"]]
    return films, pd.factorize(chosen["patientid"])[0]


def checked(model: Classifier, own: tuple[np.ndarray, np.ndarray], seen: np.ndarray | None) -> Classifier:
    """The model with a check fitted on its own films, pictures uint8 (N, S, S), and on lateral ones (M, S, S)."""
    limits, tensors = fit(model.network.cpu(), model.preprocess, *own, SEED, seen)
    state = {key: value for key, value in model.checkpoint.state.items() if not key.startswith(DOMAIN)}
    state |= {DOMAIN + name: value for name, value in tensors.items()}
    return Classifier(Checkpoint(replace(model.card, domain=limits), state, model.checkpoint.path), "torch")


def row(name: str, model: Classifier, films: list[Radiograph]) -> str:
    """How the check takes films of one kind."""
    told = measure(model, films)
    refused, warned = (round(told[key] * told["films"]) for key in ("refused", "warned"))
    return f"| {name} | {told['films']} | {refused} | {warned} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a checkpoint that learned from SIIM's films")
    parser.add_argument("--write", action="store_true", help="keep the check that learned from all of them")
    args = parser.parse_args()
    model = Classifier(load(args.name), "torch")
    path = model.checkpoint.path
    assert path is not None
    split = pd.read_parquet(path / EVALUATION).set_index("film_id")["split"]
    home = open_cohort(data_root() / HOME)
    place = home.samples["film_id"].map(split)
    taught, tuned = (
        np.stack([model.picture(film) for film in drawn(home.where(place == name), count)])
        for name, count in (("train", TAUGHT), ("validation", TUNED))
    )
    films, patients = laterals()
    pictures = np.stack([model.picture(film) for film in films])
    print("| films | number | refused | warned about |\n|---|---|---|---|")
    print(row("lateral, drawn outliers alone", checked(model, (taught, tuned), None), films), flush=True)
    held = [0, 0]
    for fold in range(FOLDS):
        kept = patients % FOLDS == fold
        told = measure(
            checked(model, (taught, tuned), pictures[~kept]), [f for f, k in zip(films, kept, strict=True) if k]
        )
        held = [held[0] + round(told["refused"] * told["films"]), held[1] + round(told["warned"] * told["films"])]
    print(f"| lateral, five folds of their patients | {len(films)} | {held[0]} | {held[1]} |", flush=True)
    whole = checked(model, (taught, tuned), pictures)
    for name, count in FRONTAL.items():
        frontal = open_cohort(data_root() / name)
        if name == HOME:
            frontal = frontal.where(place == "test")
        print(row(f"frontal, {name}", whole, list(drawn(frontal, count))), flush=True)
    if args.write:
        save(whole.checkpoint, path)
        print(f"written to {path}")


def drawn(cohort: Cohort, count: int) -> Iterator[Radiograph]:
    """An even draw of so many films; 0: all."""
    rows = np.random.default_rng(SEED).permutation(len(cohort))[: count or None]
    return (cohort.film(int(i)) for i in np.sort(rows))


if __name__ == "__main__":
    main()
