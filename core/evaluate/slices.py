"""The same figures for parts of the films: by source, view, sex, age band or any other column."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from core.data.patients import count
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY, Policy
from core.evaluate.operating import OperatingPoint
from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import LEVEL, Estimate, of_share, proportion
from core.resamples import how, tally

AGE_BANDS = ("0-17", "18-39", "40-59", "60-79", "80 and over")
_AGES = (0, 18, 40, 60, 80, 200)  # years, the edges of the bands
AGE_GROUP = "age group"  # children or adults, also where only the source says which
_GROWN = 18  # years
UNKNOWN = "unknown"
FEWEST = 10  # patients, or films where none is known; smaller slices are shown but never listed as worst
_MOST_VALUES = 30  # a column with more values names films rather than groups
_NOT_SLICES = {"path", "label", "patient", "split", "lungs", "truth", "boxes", "outlines"}
_NOT_SLICES |= {"sha256", "film_id", "age", "provenance", "study"}


def columns(evaluation: Evaluation) -> tuple[str, ...]:
    """Columns that divide these films into at least two groups; ages become ``age band``."""
    return tuple(name for name, groups in _candidates(evaluation.samples) if groups.nunique() > 1)


def groups(samples: pd.DataFrame, column: str) -> pd.Series:
    """The slice of each film (N,), as text; what is not known is "unknown"."""
    if column == AGE_GROUP:
        return _age_groups(samples)
    if column != "age band":
        return samples[column].astype("string").fillna("").replace("", UNKNOWN)
    ages = pd.to_numeric(samples["age"], errors="coerce")
    return pd.cut(ages, _AGES, right=False, labels=list(AGE_BANDS)).astype("string").fillna(UNKNOWN)


def _age_groups(samples: pd.DataFrame) -> pd.Series:
    """Children (below 18 years) and adults (N,): by age where it is known, else as the source's name says."""
    none = pd.Series("", index=samples.index)
    ages = pd.to_numeric(samples.get("age", none), errors="coerce")
    source = samples.get("source", none).astype(str).str.lower()
    said = np.where(source.str.contains("children"), "children", np.where(source.str.contains("adults"), "adults", ""))
    known = np.where(ages.isna(), said, np.where(ages < _GROWN, "children", "adults"))
    return pd.Series(known, index=samples.index, dtype="string").replace("", UNKNOWN)


def slices(evaluation: Evaluation, column: str, point: OperatingPoint | None = None) -> pd.DataFrame:
    """One row per slice, the whole first.

    Columns: ``slice``, ``films``, ``patients``, then `Estimate` objects: ``accuracy`` (with the interval that
    `worst` gives it), ``balanced_accuracy``, ``ece``, ``auroc`` (macro), and the recall of each class under its name.
    """
    rows = [_row("all films", evaluation, point)]
    names = groups(evaluation.samples, column)
    right = evaluation.called(point) == evaluation.labels
    for name, part in evaluation.divided(column, lambda: names).items():
        inside = np.flatnonzero(names == name)
        films, hits = _found(evaluation, right, inside).sum(axis=1)
        rows.append(_row(name, part, point) | {"accuracy": _accuracy(evaluation, right, inside, _share(hits, films))})
    return pd.DataFrame(rows)


def worst(evaluation: Evaluation, point: OperatingPoint | None = None, most: int = 10) -> pd.DataFrame:
    """The slices of at least 10 patients, over all columns, that are called correctly less often than all other films.

    Columns: ``column``, ``slice``, ``films``, ``accuracy`` (`Estimate`), ``gap`` (accuracy less that of all others),
    ``same_mix`` (the gap had the others this slice's mix of classes: direct standardisation) and ``clear``: whether the
    bootstrap interval of the gap at the same mix lies below 0 even at 95 % for all slices looked at together
    (Bonferroni): the worst of many slices looks bad by chance alone, and one with more films of a difficult class looks
    bad though each class is found as often. Slices of fewer patients are left out: films of one patient are drawn
    together or not at all, and the bootstrap would take one patient's luck for certain.
    """
    right = evaluation.called(point) == evaluation.labels
    whole = _found(evaluation, right, np.arange(len(evaluation)))
    parts = [
        (column, str(name), np.flatnonzero(names == name))
        for column in columns(evaluation)
        for names in (groups(evaluation.samples, column),)
        for name in names.unique()
    ]
    parts = [p for p in parts if len(p[2]) < len(evaluation) and count(evaluation.clusters[p[2]]) >= FEWEST]
    rows = []
    for column, name, inside in parts:
        own = _found(evaluation, right, inside)
        (films, hits), (other_films, other_hits) = own.sum(axis=1), (whole - own).sum(axis=1)
        share, alike = _share(hits, films), _at_its_mix(own, whole - own)
        clear = bool(not np.isnan(alike[0]) and np.nanquantile(alike[1:], 1 - (1 - LEVEL) / 2 / len(parts)) < 0)
        gap = float(share[0] - _share(other_hits, other_films)[0])
        accuracy = _accuracy(evaluation, right, inside, share)
        rows.append((column, name, len(inside), accuracy, gap, float(alike[0]), clear))
    table = pd.DataFrame(rows, columns=["column", "slice", "films", "accuracy", "gap", "same_mix", "clear"])
    table = table[table["gap"] < 0]
    order = np.argsort([figure.value for figure in table["accuracy"]], kind="stable")
    return table.iloc[order[:most]].reset_index(drop=True)


def _at_its_mix(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Accuracy of a slice less that of all others at the slice's mix of classes (1+R,); NaN where they share no class.

    Args:
        own: films and correctly called films (2, C, 1+R) of the slice, as `_found` counts them; ``others`` likewise.
    """
    recall = np.where(others[0] > 0.5, _share(others[1], others[0]), np.nan)
    shared = np.where(np.isnan(recall), 0, own)
    return _share((shared[1] - shared[0] * np.nan_to_num(recall)).sum(axis=0), shared[0].sum(axis=0))


def _found(evaluation: Evaluation, right: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Films and correctly called films of each class in every resample, (2, C, 1+R), of those at these positions."""
    classes = len(evaluation.classes)
    cells = tally(2 * evaluation.labels[inside] + right[inside], 2 * classes, evaluation.weights[inside])
    by_class = cells.reshape(classes, 2, -1)
    return np.stack([by_class.sum(axis=1), by_class[:, 1]])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)


def _accuracy(evaluation: Evaluation, right: np.ndarray, inside: np.ndarray, share: np.ndarray) -> Estimate:
    """Accuracy from its resamples (1+R,), or by Wilson where every patient has one film, as in `estimates`."""
    patients, films = count(evaluation.clusters[inside]), len(inside)
    value, method = float(right[inside].mean(dtype=np.float64)), Policy.PROPORTION.value
    if patients == films:
        low, high = proportion(float(right[inside].sum()), films)
    else:
        (low, high), method = of_share(value, share[1:], patients, films), method + how(evaluation.weights)
    return Estimate(value, min(low, value), max(high, value), films, GLOSSARY["accuracy"].help, method=method)


def _row(name: str, part: Evaluation, point: OperatingPoint | None) -> dict[str, str | int | Estimate]:
    figures = part.figures(point)
    whole = {key: figures[OVERALL][key] for key in ("accuracy", "balanced_accuracy", "ece")}
    return {
        "slice": name,
        "films": len(part),
        "patients": count(part.clusters),
        **whole,
        "auroc": figures[MACRO]["auroc"],
        **{c: figures[c]["recall"] for c in part.classes},
    }


def _candidates(samples: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for name in samples.columns.astype(str):
        if name not in _NOT_SLICES and samples[name].nunique() <= _MOST_VALUES:
            yield name, groups(samples, name)
    if "age" in samples:
        yield "age band", groups(samples, "age band")
