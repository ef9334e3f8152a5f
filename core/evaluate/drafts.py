"""What the resamples of an evaluation give for every figure, before an interval is set on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.evaluate import metrics
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import rank_films

PER_CLASS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision")  # also averaged
UNDEFINED = {  # why a figure has no value
    "precision": "no films called {name}",
    "recall": "no films of {name}",
    "f1": "no films of {name}",
    "specificity": "no films of another class than {name}",
    "npv": "every film was called {name}",
    "auroc": "it takes films of {name} and films of other classes",
    "average_precision": "no films of {name}",
    "ppv_at": "{name} needs films called so, of it and of other classes",
    "npv_at": "{name} needs films not called so, of it and of other classes",
    "mcc": "all films are of one class or were called one class",
    "kappa": "all films are of one class and were called it",
}


@dataclass(frozen=True)
class Replicates:
    """One evaluation under every resample; index 0 of the leading axis is the films themselves."""

    confusion: np.ndarray  # (1+R, C, C), rows = true class
    ranking: Mapping[str, np.ndarray]  # "auroc", "average_precision": (1+R, C)
    per_film: Mapping[str, np.ndarray]  # "log_loss", "brier", "ece": (1+R,)
    ece_floor: np.ndarray  # (draws,)
    patients: Mapping[str, np.ndarray]  # int (C,): behind each class's "recall", "specificity", "precision" and "npv"
    losses: Mapping[str, np.ndarray]  # "log_loss", "brier": (N,)
    errors: tuple[float, int]  # films called wrongly by the most likely class: as the model expects, and indeed
    clusters: np.ndarray  # int (N,), 0 .. P-1: the patient of each film
    clustered: bool  # whether any patient has more than one film


@dataclass(frozen=True)
class Draft:
    """A figure before its interval."""

    scope: Scope
    key: str
    samples: np.ndarray  # (1+R,)
    n: int
    clusters: int  # stands in for n where the bootstrap collapses
    counts: tuple[float, float] | None = None  # successes and trials, where it is a plain proportion
    most: float = math.inf  # effective films at most
    note: str = ""


def drafts(replicates: Replicates, classes: tuple[str, ...]) -> list[Draft]:
    """Every figure of the classes, their means and the whole, in the order in which they are shown."""
    of_classes = _of_classes(replicates, classes)
    return of_classes + _averages(replicates, classes, of_classes) + _overall(replicates)


def _of_classes(replicates: Replicates, classes: tuple[str, ...]) -> list[Draft]:
    matrix = replicates.confusion
    tp, fp, fn, tn = (part[0] for part in metrics.one_vs_rest(matrix))
    n = round(float(matrix[0].sum()))
    trials = {
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "npv": (tn, tn + fn),
        "prevalence": (tp + fn, tp + fn + fp + tn),
    }
    samples = {
        "precision": metrics.precision(matrix),
        "recall": metrics.recall(matrix),
        "f1": metrics.f1(matrix),
        "specificity": metrics.specificity(matrix),
        "npv": metrics.npv(matrix),
        **replicates.ranking,
        "prevalence": matrix.sum(axis=2) / matrix.sum(axis=(1, 2))[:, None],
    }
    drafts = []
    for index, name in enumerate(classes):
        sides = [int(replicates.patients[key][index]) for key in ("recall", "specificity")]
        rarer = min((patients for patients in sides if patients), default=0)
        for key, values in samples.items():
            note = "not defined: " + UNDEFINED[key].format(name=name) if key in UNDEFINED else ""
            counts = (trials[key][0][index], trials[key][1][index]) if key in trials else None
            films = round(float(counts[1])) if counts else n
            clusters = int(replicates.patients[key][index]) if key in replicates.patients else rarer
            most = math.inf
            if key == "auroc":
                most = rank_films(float(values[0, index]), *sides)
            elif key == "average_precision":
                most = 2.0 * sides[0]
            drafts.append(Draft(name, key, values[:, index], films, clusters, counts, most, note))
    return drafts


def _averages(replicates: Replicates, classes: tuple[str, ...], of_classes: list[Draft]) -> list[Draft]:
    """Macro and weighted means over the classes that these films contain; undefined as soon as one of those is."""
    support = replicates.confusion.sum(axis=2)  # (1+R, C)
    present = [name for name, films in zip(classes, support[0], strict=True) if films > 0]
    weight = support[:, [classes.index(name) for name in present]]
    clusters = _smallest(replicates)
    by_scope = {(draft.scope, draft.key): draft for draft in of_classes}
    result = []
    for key in PER_CLASS:
        values = np.stack([by_scope[name, key].samples for name in present], axis=1)
        undefined = [by_scope[name, key].note for name in present if np.isnan(by_scope[name, key].samples[0])]
        note = undefined[0] if undefined else ""
        n = round(float(support[0].sum()))
        weighted = (np.where(weight > 0, values, 0) * weight).sum(axis=1) / weight.sum(axis=1)
        result.append(Draft(MACRO, key, values.mean(axis=1), n, clusters, note=note))
        result.append(Draft(WEIGHTED, key, weighted, n, clusters, note=note))
    return result


_OF_CLASSES = {"balanced_accuracy", "mcc", "kappa"}  # overall figures that the smallest class decides


def _overall(replicates: Replicates) -> list[Draft]:
    matrix = replicates.confusion
    n = round(float(matrix[0].sum()))
    present = matrix[0].sum(axis=1) > 0
    values = {
        "accuracy": metrics.accuracy(matrix),
        "balanced_accuracy": metrics.recall(matrix)[:, present].mean(axis=1),
        "mcc": metrics.mcc(matrix),
        "kappa": metrics.kappa(matrix),
        **replicates.per_film,
    }
    right = float(np.trace(matrix[0]))
    return [
        Draft(
            OVERALL,
            key,
            samples,
            n,
            clusters=_smallest(replicates) if key in _OF_CLASSES else int(replicates.clusters.max()) + 1,
            counts=(right, n) if key == "accuracy" else None,
            note=f"not defined: {UNDEFINED[key]}" if key in UNDEFINED else "",
        )
        for key, samples in values.items()
    ]


def _smallest(replicates: Replicates) -> int:
    """Patients of the class, of those there are, that has the fewest."""
    own = replicates.patients["recall"]
    return int(own[own > 0].min())
