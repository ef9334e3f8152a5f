"""`python -m benchmarks.trust`: does each check of the trust card tell maps apart that differ in truth?

Maps whose answer is known beforehand: perfect ones (drawn films with moderate or severe findings, correctly called, the
maximum inside the finding), Random CAMs seeded per film, maps of destroyed weights, maps of the planted shortcut, and
films that radiologists boxed (hits and misses apart). For each: how often each line says what, how often the map is
supported (the occlusion test speaks for it, nothing against), the passes of its bank, what they cost in forward passes
of one film, and the processor's seconds (of all its cores; what else the machine does is not in them) of all else and
of the whole card. Drawn films come from a draw (``--seed``) that no limit was set on, boxed ones from the fifth of the
collection that no shipped model learned from.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import torch

from benchmarks.evidence import held_back
from core import device
from core.data.cohort import Cohort
from core.data.labels import negative
from core.data.phantom import cohort as phantoms
from core.data.readers import open_cohort
from core.explain import truth
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.randomisation import destroyed
from core.explain.trust import Bank, assess, occlude
from core.explain.zones import on_picture
from core.intervals import wilson
from core.lungs.segment import find
from core.model.classifier import Classifier, open_classifier

BOXED = "siim-covid19-detection"


Made = tuple[Bank, float, float]  # a film's bank, what it cost in forward passes of one film, and its seconds


@dataclass(frozen=True, eq=False)
class Film:
    """A film before a model: picture uint8 (S, S), lungs and finding bool (S, S), what is called, whether rightly."""

    name: str
    picture: np.ndarray
    lungs: np.ndarray | None
    finding: np.ndarray
    called: str
    right: bool


def films(model: Classifier, cohort: Cohort, wanted: int) -> Iterator[Film]:
    """Films with a known finding that lies on the picture."""
    given = 0
    for position in range(len(cohort)):
        if given == wanted:
            return
        film = cohort.film(position)
        crop = model.lungs(film)
        marks = [cohort.mask(position, column) for column in ("truth", "boxes")]
        marked = next((mask for mask in marks if mask is not None and mask.any()), None)
        placed = None if marked is None else model.preprocess.to_picture(marked, crop)
        if placed is None or not placed.any():
            continue
        own = cohort.mask(position, "lungs")
        lungs = (
            on_picture(model.preprocess, find(film), crop) if own is None else model.preprocess.to_picture(own, crop)
        )
        picture = model.preprocess.picture(film, crop)
        called = model.classes[int(model.output.first(model.predict_pictures(picture[None])[1])[0])]
        given += 1
        label = str(cohort.samples["label"].iat[position])
        yield Film(film.sha256, picture, lungs, placed, called, called == label)


def banked(model: Classifier, film: Film) -> Made:
    """The film's bank, how long it took in forward passes of one film (seconds mean nothing elsewhere), and seconds."""
    started = time.process_time()
    model.predict_pictures(film.picture[None])
    once = time.process_time() - started
    started = time.process_time()
    bank = occlude(model, film.picture)
    seconds = time.process_time() - started
    return bank, seconds / once, seconds


def judged(model: Classifier, film: Film, map_: Heatmap, kind: str, made: Made) -> dict[str, object]:
    """The verdicts of one map's card."""
    bank, cost, took = made
    started = time.process_time()
    card = assess(model, film.picture, map_, film.lungs, film.finding, bank=lambda: bank)
    seconds = time.process_time() - started
    verdicts = {line.key: line.verdict for line in card.lines}
    figures = {"supported": card.supported, "passes": len(bank.drops) + 1, "cost": cost, "seconds": seconds}
    figures["whole"] = took + seconds
    return {"kind": kind, **figures, **verdicts}


def drawn(name: str, kind: phantoms.Kind, seed: int, wanted: int) -> Iterator[dict[str, object]]:
    """Verdicts on drawn films: the model's own maps, Random CAMs, and the maps of its destroyed twin."""
    model = open_classifier(name)
    twin = destroyed(model)
    cohort = phantoms.cohort(kind, seed=seed).split("test")
    cohort = cohort.where(cohort.samples["band"].isin(["moderate", "severe"]).tolist())
    for film in films(model, cohort, wanted):
        own, bank = heatmaps(model, film.picture, "gradcam", [film.called])[film.called], banked(model, film)
        if kind == "confounded":
            yield judged(model, film, own, f"{name}: planted shortcut", bank)
            continue
        if film.right and truth.hit(own.values, film.finding) >= 0.5:
            yield judged(model, film, own, f"{name}: perfect", bank)
        yield from nulls(model, twin, film, f"{name}:", bank)


def nulls(model: Classifier, twin: Classifier, film: Film, name: str, bank: Made) -> Iterator[dict]:
    """Verdicts on what must not be believed: a Random CAM seeded by the film, and the map of destroyed weights."""
    lucky = crc32(film.name.encode())
    random = heatmaps(model, film.picture, "randomcam", [film.called], seed=lucky)[film.called]
    yield judged(model, film, random, f"{name} Random CAM", bank)
    ruined = heatmaps(twin, film.picture, "gradcam", [film.called])[film.called]
    yield judged(twin, film, ruined, f"{name} destroyed weights", banked(twin, film))


def boxed(name: str, folder: Path, wanted: int, seed: int) -> Iterator[dict[str, object]]:
    """Verdicts on films with radiologists' boxes; what is called is asked, right or not: the labels are not its own."""
    model = open_classifier(name)
    twin = destroyed(model)
    cohort = held_back(open_cohort(str(folder)), 0)
    cohort = cohort.take(np.random.default_rng(seed).permutation(len(cohort)))
    for film in films(model, cohort, wanted):
        if film.called == negative(model.classes):  # nothing that a map could point to
            continue
        own, bank = heatmaps(model, film.picture, "gradcam", [film.called])[film.called], banked(model, film)
        hit = "hit" if truth.hit(own.values, film.finding) >= 0.5 else "miss"
        yield judged(model, film, own, f"{name}: boxed, {hit}", bank)
        yield from nulls(model, twin, film, f"{name}: boxed,", bank)


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """One row for each kind of map."""
    found = []
    for kind, group in pd.DataFrame(rows).groupby("kind", sort=False):
        blank = group.get("evidence", pd.Series(index=group.index, dtype=object)).notna()
        low, high = wilson(float(group["supported"].sum()), len(group))
        line: dict[str, object] = {
            "map": kind,
            "maps": len(group),
            "blank": int(blank.sum()),
            "supported": f"{group['supported'].mean():.3f} [{low:.2f}, {high:.2f}]",
        }
        for key in ("lungs", "occlusion", "response", "stability"):
            shares = [f"{(group[key] == verdict).mean():.2f}" for verdict in ("good", "caution", "bad")]
            line[f"{key} +/~/-"] = " ".join(shares)
        line["passes"] = int(group["passes"].max())
        line["bank / pass"] = f"{group['cost'].median():.1f}"
        line["rest, CPU s"] = f"{group['seconds'].median():.2f}"
        line["card, CPU s"] = f"{group['whole'].median():.2f}"
        found.append(line)
    return pd.DataFrame(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=100, help="drawn films of each sort; 0: none")
    parser.add_argument("--seed", type=int, default=11, help="of the drawn films and the boxed films' order")
    parser.add_argument("--data", type=Path, help=f"folder with {BOXED}, for the boxed films")
    parser.add_argument("--boxed", type=int, default=50, help="boxed films for each model")
    parser.add_argument("--models", nargs="+", default=["hilum", "resnet18-radiography"], help="for the boxed films")
    args = parser.parse_args()
    if not args.films and not args.data:
        parser.error("nothing to judge: --films 0 leaves the boxed films, which lie below --data")
    print(f"On {device.describe(torch.device('cpu'))}")
    rows = []
    if args.films:
        rows = [*drawn("honest", "fair", args.seed, args.films), *drawn("cheat", "confounded", args.seed, args.films)]
    if args.data:
        for name in args.models:
            rows += boxed(name, args.data / BOXED, args.boxed, args.seed)
    with pd.option_context("display.width", None, "display.max_columns", None, "display.max_colwidth", None):
        print(table(rows).to_string(index=False))


if __name__ == "__main__":
    main()
