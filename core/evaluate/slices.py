"""The same figures for parts of the films: by source, view, sex, age band or any other column."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from core.evaluate.estimates import MACRO, OVERALL
from core.evaluate.evaluation import Evaluation
from core.evaluate.intervals import Figure
from core.evaluate.operating import ARGMAX, OperatingPoint

AGE_BANDS = ("0-17", "18-39", "40-59", "60-79", "80 and over")
_AGES = (0, 18, 40, 60, 80, 200)  # years, the edges of the bands
UNKNOWN = "unknown"
FEWEST = 10  # films; smaller slices are shown but never listed as worst
_MOST_VALUES = 30  # a column with more values names films rather than groups
_NOT_SLICES = {"path", "label", "patient", "split", "lungs", "truth", "boxes", "sha256", "age"}


def columns(evaluation: Evaluation) -> tuple[str, ...]:
    """Columns that divide these films into at least two groups; ages become ``age band``."""
    return tuple(name for name, groups in _candidates(evaluation.samples) if groups.nunique() > 1)


def groups(samples: pd.DataFrame, column: str) -> pd.Series:
    """The slice of each film (N,), as text; what is not known is "unknown"."""
    if column != "age band":
        return samples[column].astype("string").fillna("").replace("", UNKNOWN)
    ages = pd.to_numeric(samples["age"], errors="coerce")
    return pd.cut(ages, _AGES, right=False, labels=list(AGE_BANDS)).astype("string").fillna(UNKNOWN)


def slices(evaluation: Evaluation, column: str, point: OperatingPoint = ARGMAX) -> pd.DataFrame:
    """One row a slice, the whole first.

    Columns: ``slice``, ``films``, ``patients``, then `Figure` objects: ``accuracy``, ``balanced_accuracy``, ``auroc``
    (macro), ``ece``, and the recall of each class under its name.
    """
    rows = [_row("all films", evaluation, point)]
    rows += [_row(name, part, point) for name, part in _parts(evaluation, column).items()]
    return pd.DataFrame(rows)


def worst(evaluation: Evaluation, point: OperatingPoint = ARGMAX, most: int = 10) -> pd.DataFrame:
    """The slices of at least 10 films, over all columns, with the lowest accuracy.

    Columns: ``column``, ``slice``, ``films``, ``accuracy`` (`Figure`), ``gap`` (accuracy less that of all other films)
    and ``clear``: whether the 95 % bootstrap interval of that gap lies below 0.
    """
    right = (evaluation.called(point) == evaluation.labels).astype(np.float32)
    rows = []
    for column in columns(evaluation):
        names = groups(evaluation.samples, column)
        for name, part in _parts(evaluation, column).items():
            inside = (names == name).to_numpy()
            if len(part) < FEWEST or inside.all():
                continue
            gap = _share(right, inside, evaluation.weights) - _share(right, ~inside, evaluation.weights)
            accuracy = part.figures(point)[OVERALL]["accuracy"]
            clear = bool(np.nanquantile(gap[1:], 0.975) < 0)
            rows.append((column, name, len(part), accuracy, float(gap[0]), clear))
    table = pd.DataFrame(rows, columns=["column", "slice", "films", "accuracy", "gap", "clear"])
    order = np.argsort([figure.value for figure in table["accuracy"]], kind="stable")
    return table.iloc[order[:most]].reset_index(drop=True)


def _share(right: np.ndarray, mask: np.ndarray, weights: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (right[mask] @ weights[mask]) / weights[mask].sum(axis=0)


def _row(name: str, part: Evaluation, point: OperatingPoint) -> dict[str, str | int | Figure]:
    figures = part.figures(point)
    whole = {key: figures[OVERALL][key] for key in ("accuracy", "balanced_accuracy", "ece")}
    return {
        "slice": name,
        "films": len(part),
        "patients": len(np.unique(part.clusters)),
        "auroc": figures[MACRO]["auroc"],
        **whole,
        **{c: figures[c]["recall"] for c in part.classes},
    }


def _parts(evaluation: Evaluation, column: str) -> dict[str, Evaluation]:
    """The slices of a column by name, each made once so that it keeps its resamples."""
    kept: dict[str, dict[str, Evaluation]] = evaluation.__dict__.setdefault("_slices", {})
    if column not in kept:
        names = groups(evaluation.samples, column)
        kept[column] = {str(name): evaluation.where(names == name) for name in sorted(names.unique())}
    return kept[column]


def _candidates(samples: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    for name in samples.columns.astype(str):
        if name not in _NOT_SLICES and samples[name].nunique() <= _MOST_VALUES:
            yield name, groups(samples, name)
    if "age" in samples:
        yield "age band", groups(samples, "age band")
