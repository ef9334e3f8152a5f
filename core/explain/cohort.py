"""A whole cohort's heatmaps as numbers: one row a film, and their summary with 95 % intervals.

The question is always about the class that the film is labelled with, or the one the model chose (``of``): where is the
evidence for it? Films whose label means nothing to the model are left out by the caller.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import Any, Literal

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.errors import FilmError
from core.explain import deletion, truth, whereabouts
from core.explain.heatmap import heatmaps
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
REPLICATES = 1000
KEPT = ("label", "patient", "source", "severity", "band")  # columns of the cohort that rows carry along


def score(
    classifier: Classifier,
    cohort: Cohort,
    method: str = "gradcam",
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """One row a film; see ``rows`` for the columns. ``done`` names films (by ``film_id``) to pass over."""
    found = list(rows(classifier, cohort, method, layer=layer, of=of, curves=curves, done=done, progress=progress))
    return pd.DataFrame(found, columns=columns())


def columns() -> list[str]:
    """The columns of ``score``, in order."""
    return ["id", "film", *KEPT, "class", "predicted", "probability", "method", *MEASURES]


def rows(
    classifier: Classifier,
    cohort: Cohort,
    method: str = "gradcam",
    *,
    layer: str | None = None,
    of: Of = "label",
    curves: bool = False,
    done: Collection[str] = (),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[dict[str, Any]]:
    """The rows one by one, so that a killed run can keep what it has.

    Args:
        of: whose evidence is judged: the film's own class, or the class the model chose.
        curves: deletion, insertion and ROAD as well (a second a film).
        progress: called with films done and films in all.

    Yields:
        ``columns()``: shares are 0 to 1, NaN where there is no lung mask, no truth (a "truth" mask or "boxes" of the
        cohort) or no curve. ``chance_hit`` is the part of the picture that the truth covers. ``blank`` is 1 for a map
        without positive evidence: its lung share is NaN, and against a truth it scores 0. An unreadable file gives
        no row.
    """
    for position in range(len(cohort)):
        identity = film_id(cohort, position)
        if identity not in done:
            with suppress(FilmError):
                yield {"id": identity} | _row(classifier, cohort, position, method, layer, of, curves)
        progress(position + 1, len(cohort))


def film_id(cohort: Cohort, position: int) -> str:
    """What names a film within its cohort: folder and file name."""
    return "/".join(str(cohort.samples["path"].iat[position]).replace("\\", "/").split("/")[-3:])


def _row(
    classifier: Classifier, cohort: Cohort, position: int, method: str, layer: str | None, of: Of, curves: bool
) -> dict[str, Any]:
    film = cohort.film(position)
    sample: dict[str, Any] = {str(key): value for key, value in cohort.samples.iloc[position].items()}
    crop = classifier.lungs(film)
    picture = classifier.preprocess.picture(film, crop)
    probabilities = classifier.predict_pictures(picture[None])[1][0]
    predicted = classifier.classes[int(probabilities.argmax())]
    name = sample["label"] if of == "label" else predicted
    map_ = heatmaps(classifier, picture, method, [name], layer)[name]
    lungs = whereabouts.lungs_in_picture(classifier, film)
    marked = _truth(cohort, position)
    row: dict[str, Any] = dict.fromkeys(MEASURES, float("nan"))
    row |= {"film": film.name, **{key: sample.get(key, "") for key in KEPT}}
    row |= {"class": name, "predicted": predicted, "probability": map_.probability, "method": method}
    row["blank"] = float(not map_.values.max() > 0)
    if lungs is not None:
        row["lung_area"] = float(lungs.mean())
    if lungs is not None and not row["blank"]:
        row["lung_share"] = whereabouts.shares(map_.values, lungs)["lungs"]
    if marked is not None and (mask := classifier.preprocess.to_picture(marked, crop)).any():
        row["hit"], row["iou"] = truth.hit(map_.values, mask), truth.miou(map_.values, mask)
        row["mass_inside"], row["chance_hit"] = truth.mass_inside(map_.values, mask), float(mask.mean())
    if curves and not row["blank"]:
        for key, curve in deletion.curves(classifier, picture, map_.values, name).items():
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
        the columns of ``by``, "measure", "value", "low", "high", "films": how many films the figure rests on. Intervals
        are bootstrapped by patient; measures that no film of a group has are left out.
    """
    found = []
    for key, group in frame.groupby(list(by), sort=False, observed=True):
        names = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        for measure in MEASURES:
            known = group[group[measure].notna()]
            if len(known):
                patients = known["patient"].where(known["patient"] != "", known["id"])
                low, high = _interval(known[measure].to_numpy(float), patients.to_numpy(), seed)
                value = float(known[measure].mean())
                figure = {"measure": measure, "value": value, "low": low, "high": high, "films": len(known)}
                found.append(names | figure)
    return pd.DataFrame(found, columns=[*by, "measure", "value", "low", "high", "films"])


def _interval(values: np.ndarray, patients: np.ndarray, seed: int) -> tuple[float, float]:
    """95 % interval of the mean, drawing patients with replacement; a single patient gives NaN."""
    _, group = np.unique(patients.astype(str), return_inverse=True)
    if group.max() == 0:
        return float("nan"), float("nan")
    sums, counts = np.bincount(group, values), np.bincount(group)
    drawn = np.random.default_rng(seed).integers(0, len(sums), (REPLICATES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), [2.5, 97.5])
    return float(low), float(high)
