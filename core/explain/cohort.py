"""A whole cohort's heatmaps as numbers: a row for each film and method, and their summary with 95 % intervals.

The question is always about the class that the film is labelled with, or the one the model chose (``of``): where is the
evidence for it? Films whose label means nothing to the model are left out by the caller.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.film_id import FILM_ID
from core.data.phantom.cohort import BANDS
from core.errors import FilmError
from core.explain import deletion, truth, zones
from core.explain.heatmap import heatmaps
from core.explain.methods import METHODS
from core.intervals import of_mean
from core.model.classifier import Classifier

Of = Literal["label", "predicted"]
MEASURES = (
    "lung_share",
    "lung_area",
    "hit",
    "chance_hit",
    "iou",
    "mass_inside",
    "deletion_z",
    "insertion_z",
    "road_z",
    "blank",
)
SHARES = (*MEASURES[:-4], "blank")  # between 0 and 1; the others are z-scores
FOUND = 0.5  # of the films, at the least, on which a method must hit to be said to find a class
KEPT = ("label", "patient", "source", "severity", "band")  # columns of the cohort that rows carry along


def score(
    classifier: Classifier,
    cohort: Cohort,
    methods: Sequence[str] = ("gradcam",),
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[tuple[str, str]] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """A row for each film and method; see ``rows`` for the arguments and columns."""
    found = list(rows(classifier, cohort, methods, layer=layer, of=of, curves=curves, done=done, progress=progress))
    return pd.DataFrame(found, columns=columns())


def columns() -> list[str]:
    """The columns of ``score``, in order."""
    return ["id", "film", *KEPT, "class", "predicted", "probability", "method", *MEASURES]


def rows(
    classifier: Classifier,
    cohort: Cohort,
    methods: Sequence[str] = ("gradcam",),
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[tuple[str, str]] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[dict[str, Any]]:
    """The rows one by one, so that a killed run can keep what it has; a film is read once for all its methods.

    Args:
        of: whose evidence is judged: the film's own class, or the class the model chose.
        curves: deletion, insertion and ROAD as well (a second a film).
        done: films (by ``film_id``) with the method they need not be judged by again.
        progress: called with films done and films in all.

    Yields:
        ``columns()``: shares are 0 to 1, NaN where there is no lung mask, no truth (a "truth" mask or "boxes" of the
        cohort) or no curve. ``chance_hit`` is the part of the picture that the truth covers. ``blank`` is 1 for a map
        without positive evidence: its lung share is NaN, and against a truth it scores 0. An unreadable file gives
        no row.
    """
    for position in range(len(cohort)):
        identity = film_id(cohort, position)
        wanted = [method for method in methods if (identity, method) not in done]
        with suppress(FilmError):
            film = _film(classifier, cohort, position, of) if wanted else None
            for method in wanted:
                assert film is not None
                yield {"id": identity} | _row(classifier, film, method, layer, curves, crc32(identity.encode()))
        progress(position + 1, len(cohort))


def film_id(cohort: Cohort, position: int) -> str:
    """What names a film within its cohort."""
    return str(cohort.samples[FILM_ID].iat[position])


@dataclass(frozen=True, eq=False)
class _Film:
    """What is the same for every method: the picture uint8 (S, S), its masks bool (S, S), what is known of it."""

    picture: np.ndarray
    lungs: np.ndarray | None
    truth: np.ndarray | None
    class_name: str
    facts: dict[str, Any]


def _film(classifier: Classifier, cohort: Cohort, position: int, of: Of) -> _Film:
    film = cohort.film(position)
    sample: dict[str, Any] = {str(key): value for key, value in cohort.samples.iloc[position].items()}
    crop = classifier.lungs(film)
    picture = classifier.preprocess.picture(film, crop)
    probabilities = classifier.predict_pictures(picture[None])[1][0]
    predicted = classifier.classes[int(probabilities.argmax())]
    name = sample["label"] if of == "label" else predicted
    marked = _truth(cohort, position)
    outline = None if marked is None else classifier.preprocess.to_picture(marked, crop)
    lungs = zones.lungs_in_picture(classifier, film, crop)
    facts = {"film": film.name, **{key: sample.get(key, "") for key in KEPT}, "class": name, "predicted": predicted}
    return _Film(picture, lungs, outline if outline is not None and outline.any() else None, name, facts)


def _row(
    classifier: Classifier, film: _Film, method: str, layer: str | None, curves: bool, seed: int
) -> dict[str, Any]:
    drawn: dict[str, Any] = {"seed": seed} if "seed" in METHODS[method].options else {}  # or one lucky draw is skill
    map_ = heatmaps(classifier, film.picture, method, [film.class_name], layer, **drawn)[film.class_name]
    row: dict[str, Any] = dict.fromkeys(MEASURES, float("nan")) | film.facts
    row |= {"probability": map_.probability, "method": method, "blank": float(not map_.values.max() > 0)}
    if film.lungs is not None:
        row["lung_area"] = float(film.lungs.mean())
        if not row["blank"]:
            row["lung_share"] = zones.shares(map_.values, film.lungs)["lungs"]
    if film.truth is not None:
        row["hit"], row["iou"] = truth.hit(map_.values, film.truth), truth.miou(map_.values, film.truth)
        row["mass_inside"], row["chance_hit"] = truth.mass_inside(map_.values, film.truth), float(film.truth.mean())
    if curves and not row["blank"]:
        for key, curve in deletion.curves(classifier, film.picture, map_.values, film.class_name).items():
            row[f"{key}_z"] = float("nan") if curve.z is None else curve.z
    return row


def _truth(cohort: Cohort, position: int) -> np.ndarray | None:
    for column in ("truth", "boxes"):
        mask = cohort.mask(position, column)
        if mask is not None and mask.any():
            return mask
    return None


def summary(frame: pd.DataFrame, by: Sequence[str] = ("method", "class"), seed: int = 0) -> pd.DataFrame:
    """Mean of every measure with a 95 % interval, a row for each group and measure.

    Args:
        frame: as ``score`` returns it (several may be joined).
        by: columns to group by; "band" is the severity of drawn films.

    Returns:
        the columns of ``by`` (sorted; categories in their order), "measure", "value", "low", "high", "films": how many
        films the figure rests on. Intervals are bootstrapped by patient; measures that no film of a group has are left
        out.
    """
    found = []
    for key, group in frame.groupby(list(by), observed=True):
        names = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        for measure in MEASURES:
            known = group[group[measure].notna()]
            if len(known):
                patients = known["patient"].where(known["patient"] != "", known["id"])
                low, high = of_mean(known[measure].to_numpy(float), patients.to_numpy(), measure in SHARES, seed)
                value = float(known[measure].mean())
                figure = {"measure": measure, "value": value, "low": low, "high": high, "films": len(known)}
                found.append(names | figure)
    return pd.DataFrame(found, columns=[*by, "measure", "value", "low", "high", "films"])


def found_from(marks: pd.DataFrame) -> pd.DataFrame:
    """From which severity on a method finds a class: a row a method, a column a class, "" where it does not.

    A method finds a class at a severity when its maximum lies inside the finding on more than half of the films, even
    at the lower end of the interval, and at every higher severity as well.

    Args:
        marks: of drawn films, as ``summary`` returns it by "method", "class" and "band".
    """
    hits = marks[marks["measure"] == "hit"]
    found = {}
    for key, group in hits.groupby(["method", "class"], sort=False, observed=True):
        clear = dict(zip(group["band"], group["low"] > FOUND, strict=True))
        found[key] = ""
        for band in reversed(BANDS):
            if not clear.get(band):
                break
            found[key] = band
    return pd.Series(found, dtype=str).unstack(sort=False)
