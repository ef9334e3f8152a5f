"""What a pooled figure pools: the same headline for children and adults, and for each source, beside it.

One accuracy over films of several hospitals and ages is the mean of figures that may be far apart, and it moves with
the mix of films alone. So the parts stand wherever the headline does: Report, `core evaluate`, documents and card.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.data.patients import count
from core.evaluate import slices
from core.evaluate.headline import COLUMNS
from core.evaluate.operating import OperatingPoint
from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import Estimate

if TYPE_CHECKING:
    from core.evaluate.evaluation import Evaluation

REST = "other sources"  # those of too few patients to stand alone


@dataclass(frozen=True)
class Part:
    """The headline figures of one group of films."""

    column: str  # "age group" or "source"
    name: str  # such as "children"
    films: int
    patients: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    auroc: Estimate  # macro, over the classes that these films contain


def parts(evaluation: "Evaluation", point: OperatingPoint | None = None) -> list[Part]:
    """The groups that a headline pools, by age group and by source; none where there is but one group.

    Sources of fewer than ten patients stand together as "other sources".
    """
    found = []
    for column in COLUMNS:
        groups = evaluation.divided(f"pooled {column}", partial(groups_of, evaluation, column))
        names = sorted(groups, key=lambda name: (name in (REST, slices.UNKNOWN), name))
        if len(names) > 1:
            found += [_part(column, name, groups[name], point) for name in names]
    return found


def groups_of(evaluation: "Evaluation", column: str) -> np.ndarray:
    """The group (N,) of each film in one of `COLUMNS`."""
    if column != slices.AGE_GROUP and column not in evaluation.samples:
        return np.full(len(evaluation), slices.UNKNOWN, dtype=object)
    groups = slices.groups(evaluation.samples, column).reset_index(drop=True)
    if column != slices.AGE_GROUP:
        patients = pd.Series(evaluation.clusters).groupby(groups).nunique().drop(slices.UNKNOWN, errors="ignore")
        groups = groups.mask(groups.isin(patients.index[patients < slices.FEWEST]), REST)
    return groups.to_numpy(dtype=object)


def sentences(found: list[Part]) -> list[str]:
    """One sentence for each grouping of the films: ``By age group: children 0.919 [0.877, 0.948] (234 films), ...``"""
    told = []
    for column in COLUMNS:
        own = [part for part in found if part.column == column]
        words = ", ".join(f"{part.name} {part.accuracy} ({part.films:,} films)" for part in own)
        if own:
            told.append(f"Accuracy by {column}: {words}.")
    return told


def as_data(found: list[Part]) -> list[dict[str, Any]]:
    """JSON-ready; what a card keeps."""
    return [
        {
            "column": part.column,
            "name": part.name,
            "films": part.films,
            **{
                key: getattr(part.accuracy, end)
                for key, end in (("accuracy", "value"), ("low", "low"), ("high", "high"))
            },
        }
        for part in found
    ]


def _part(column: str, name: str, films: "Evaluation", point: OperatingPoint | None) -> Part:
    figures = films.figures(point)
    whole = figures[OVERALL]
    patients = count(films.clusters)
    return Part(
        column, name, len(films), patients, whole["accuracy"], whole["balanced_accuracy"], figures[MACRO]["auroc"]
    )
