"""From resampled confusion matrices and rankings to every figure with its interval and, where undefined, its reason."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.evaluate import metrics
from core.evaluate.glossary import GLOSSARY
from core.evaluate.intervals import Figure, percentiles, widen, wilson

MACRO, WEIGHTED, OVERALL = "macro avg", "weighted avg", "all films"
PER_CLASS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision")  # also averaged
_PROPORTIONS = {"precision", "recall", "specificity", "npv"}
_UNDEFINED = {
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
    clusters: np.ndarray  # int (C,), patients who have a film of each class
    clustered: bool  # whether any patient has more than one film


Figures = dict[
    str, dict[str, Figure]
]  # scope (class name, MACRO, WEIGHTED or OVERALL) -> key of the glossary -> figure


@dataclass(frozen=True)
class _Draft:
    """A figure before its interval."""

    scope: str
    key: str
    samples: np.ndarray  # (1+R,)
    n: int
    clusters: int  # stands in for n where the bootstrap collapses
    counts: tuple[float, float] | None = None  # successes and trials, where it is a plain proportion
    note: str = ""


def figures(replicates: Replicates, classes: tuple[str, ...], prevalence: Mapping[str, float] | None = None) -> Figures:
    """Every figure of one evaluation at one operating point.

    Args:
        prevalence: the share (0 .. 1) of some classes in the reader's own practice; adds ``ppv_at`` and ``npv_at``.
    """
    drafts = _of_classes(replicates, classes, prevalence or {})
    drafts += _averages(replicates, classes, drafts)
    drafts += _overall(replicates)
    low, high = percentiles(np.stack([draft.samples[1:] for draft in drafts], axis=1))
    result: Figures = {}
    for draft, bootstrap in zip(drafts, zip(low, high, strict=True), strict=True):
        result.setdefault(draft.scope, {})[draft.key] = _finish(draft, bootstrap, replicates.clustered)
    result[OVERALL]["ece_floor"] = _floor(replicates, result[OVERALL]["ece"].n)
    return result


def _finish(draft: _Draft, bootstrap: tuple[float, float], clustered: bool) -> Figure:
    value = float(draft.samples[0])
    explained = GLOSSARY[draft.key].help
    if math.isnan(value):
        return Figure(math.nan, math.nan, math.nan, draft.n, explained, draft.note)
    if draft.counts and not clustered:
        low, high = wilson(*draft.counts)
    else:
        low, high = widen(value, float(bootstrap[0]), float(bootstrap[1]), draft.clusters)
    # The calibration error of a resample lies above that of the films; an interval must hold its own figure.
    return Figure(value, min(low, value), max(high, value), draft.n, explained)


def _of_classes(replicates: Replicates, classes: tuple[str, ...], prevalence: Mapping[str, float]) -> list[_Draft]:
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
        others = int(np.delete(replicates.clusters, index).sum())
        own = int(replicates.clusters[index])
        of_class = dict(samples)
        if name in prevalence:
            wished = metrics.predictive_values(samples["recall"], samples["specificity"], prevalence[name])
            of_class |= dict(zip(("ppv_at", "npv_at"), wished, strict=True))
        for key, values in of_class.items():
            note = "not defined: " + _UNDEFINED[key].format(name=name) if key in _UNDEFINED else ""
            counts = (trials[key][0][index], trials[key][1][index]) if key in trials else None
            films = round(float(counts[1])) if counts else n
            patients = {"recall": own, "specificity": others, "precision": own + others, "npv": own + others}
            clusters = min(films, patients.get(key, min(own, others)))
            drafts.append(_Draft(name, key, values[:, index], films, clusters, counts, note))
    return drafts


def _averages(replicates: Replicates, classes: tuple[str, ...], drafts: list[_Draft]) -> list[_Draft]:
    """Macro and weighted means over the classes that these films contain; undefined as soon as one of those is."""
    support = replicates.confusion.sum(axis=2)  # (1+R, C)
    present = [name for name, films in zip(classes, support[0], strict=True) if films > 0]
    weight = support[:, [classes.index(name) for name in present]]
    clusters = int(replicates.clusters[replicates.clusters > 0].min())
    by_scope = {(draft.scope, draft.key): draft for draft in drafts}
    result = []
    for key in PER_CLASS:
        values = np.stack([by_scope[name, key].samples for name in present], axis=1)
        undefined = [by_scope[name, key].note for name in present if np.isnan(by_scope[name, key].samples[0])]
        note = undefined[0] if undefined else ""
        n = round(float(support[0].sum()))
        weighted = (np.where(weight > 0, values, 0) * weight).sum(axis=1) / weight.sum(axis=1)
        result.append(_Draft(MACRO, key, values.mean(axis=1), n, clusters, note=note))
        result.append(_Draft(WEIGHTED, key, weighted, n, clusters, note=note))
    return result


def _overall(replicates: Replicates) -> list[_Draft]:
    matrix = replicates.confusion
    n = round(float(matrix[0].sum()))
    present = matrix[0].sum(axis=1) > 0
    smallest = int(replicates.clusters[replicates.clusters > 0].min())
    values = {
        "accuracy": metrics.accuracy(matrix),
        "balanced_accuracy": metrics.recall(matrix)[:, present].mean(axis=1),
        "mcc": metrics.mcc(matrix),
        "kappa": metrics.kappa(matrix),
        **replicates.per_film,
    }
    right = float(np.trace(matrix[0]))
    return [
        _Draft(
            OVERALL,
            key,
            samples,
            n,
            clusters=int(replicates.clusters.sum()) if key == "accuracy" else smallest,
            counts=(right, n) if key == "accuracy" else None,
            note=f"not defined: {_UNDEFINED[key]}" if key in _UNDEFINED else "",
        )
        for key, samples in values.items()
    ]


def _floor(replicates: Replicates, n: int) -> Figure:
    value = float(replicates.ece_floor.mean())
    low, high = (float(limit[0]) for limit in percentiles(replicates.ece_floor[:, None]))
    return Figure(value, min(low, value), max(high, value), n, GLOSSARY["ece_floor"].help)
