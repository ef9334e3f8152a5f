"""From resampled confusion matrices and rankings to every figure with its interval and, where undefined, its reason."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.evaluate import metrics
from core.evaluate.glossary import GLOSSARY
from core.intervals import Estimate, basic, percentiles, ratio, settle, wilson

MACRO, WEIGHTED, OVERALL = "macro avg", "weighted avg", "all films"
PER_CLASS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision")  # also averaged
_SCALES = {"mcc": (-1.0, 1.0), "kappa": (-1.0, 1.0), "log_loss": (0.0, math.inf), "brier": (0.0, math.inf)}
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
    patients: Mapping[str, np.ndarray]  # int (C,): behind each class's "recall", "specificity", "precision" and "npv"
    clusters: int  # patients in all
    clustered: bool  # whether any patient has more than one film


Figures = dict[
    str, dict[str, Estimate]
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
    drafts = _of_classes(replicates, classes)
    drafts += _averages(replicates, classes, drafts)
    drafts += _overall(replicates)
    low, high = percentiles(np.stack([draft.samples[1:] for draft in drafts], axis=1))
    result: Figures = {}
    for draft, bootstrap in zip(drafts, zip(low, high, strict=True), strict=True):
        result.setdefault(draft.scope, {})[draft.key] = _finish(draft, bootstrap, replicates.clustered)
    _add_collapsed(result, drafts, dict(zip(classes, replicates.confusion[0].sum(axis=1), strict=True)))
    for name, share in (prevalence or {}).items():
        result[name] |= _at_prevalence(result[name], name, share, round(float(replicates.confusion[0].sum())))
    result[OVERALL] |= _calibration(replicates, result[OVERALL]["ece"])
    return result


def _finish(draft: _Draft, bootstrap: tuple[float, float], clustered: bool) -> Estimate:
    value = float(draft.samples[0])
    explained = GLOSSARY[draft.key].help
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan, draft.n, explained, draft.note)
    if draft.counts and not clustered:
        low, high = wilson(*draft.counts)
    elif draft.key == "ece":
        low, high = basic(value, *bootstrap)
        low = max(0.0, low)
    else:
        low, high = settle(value, draft.samples[1:], bootstrap, draft.clusters, _SCALES.get(draft.key, (0.0, 1.0)))
    return Estimate(value, min(low, value), max(high, value), draft.n, explained)  # it holds its own figure


def _at_prevalence(of_class: Mapping[str, Estimate], name: str, prevalence: float, n: int) -> dict[str, Estimate]:
    """PPV and NPV at another prevalence, with the interval that those of sensitivity and specificity give.

    Both are a likelihood ratio times fixed odds. A bootstrap would take a specificity of 1 on the films at hand for 1.
    """
    sensitivity, specificity = of_class["recall"], of_class["specificity"]
    values = metrics.predictive_values(np.array(sensitivity.value), np.array(specificity.value), prevalence)
    odds = prevalence / (1 - prevalence)
    parts = {"ppv_at": (sensitivity, specificity, odds), "npv_at": (specificity, sensitivity, 1 / odds)}
    result = {}
    for (key, (good, other, before)), value in zip(parts.items(), map(float, values), strict=True):
        if math.isnan(value):
            note = "not defined: " + _UNDEFINED[key].format(name=name)
            result[key] = Estimate(math.nan, math.nan, math.nan, n, GLOSSARY[key].help, note)
            continue
        limits = ratio(good.value, (good.low, good.high), 1 - other.value, (1 - other.high, 1 - other.low))
        low, high = (1 / (1 + 1 / (limit * before)) if limit else 0.0 for limit in limits)
        result[key] = Estimate(value, min(low, value), max(high, value), n, GLOSSARY[key].help)
    return result


def _of_classes(replicates: Replicates, classes: tuple[str, ...]) -> list[_Draft]:
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
            note = "not defined: " + _UNDEFINED[key].format(name=name) if key in _UNDEFINED else ""
            counts = (trials[key][0][index], trials[key][1][index]) if key in trials else None
            films = round(float(counts[1])) if counts else n
            clusters = int(replicates.patients[key][index]) if key in replicates.patients else rarer
            drafts.append(_Draft(name, key, values[:, index], films, clusters, counts, note))
    return drafts


def _averages(replicates: Replicates, classes: tuple[str, ...], drafts: list[_Draft]) -> list[_Draft]:
    """Macro and weighted means over the classes that these films contain; undefined as soon as one of those is."""
    support = replicates.confusion.sum(axis=2)  # (1+R, C)
    present = [name for name, films in zip(classes, support[0], strict=True) if films > 0]
    weight = support[:, [classes.index(name) for name in present]]
    clusters = _smallest(replicates)
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


def _add_collapsed(result: Figures, drafts: list[_Draft], support: Mapping[str, float]) -> None:
    """Widen each mean over classes by what the bootstrap cannot see: the doubt about a class that is all right.

    Such a class is right in every resample as well, so its own interval (Wilson's) is added in quadrature (MOVER).
    """
    samples = {(draft.scope, draft.key): draft.samples[1:] for draft in drafts}
    present = [name for name, films in support.items() if films]
    total = sum(support.values())
    means = [(scope, key, key) for scope in (MACRO, WEIGHTED) for key in PER_CLASS]
    for scope, mean, key in (*means, (OVERALL, "balanced_accuracy", "recall")):
        figure = result[scope][mean]
        silent = [name for name in present if _spread(samples[name, key]) < 1e-9 and result[name][key].defined]
        if not figure.defined or not silent or _spread(samples[scope, mean]) < 1e-9:
            continue
        down, up = (figure.value - figure.low) ** 2, (figure.high - figure.value) ** 2
        for name in silent:
            share = support[name] / total if scope == WEIGHTED else 1 / len(present)
            own = result[name][key]
            down, up = down + (share * (own.value - own.low)) ** 2, up + (share * (own.high - own.value)) ** 2
        low, high = max(0.0, figure.value - math.sqrt(down)), min(1.0, figure.value + math.sqrt(up))
        result[scope][mean] = replace(figure, low=low, high=high)


def _spread(samples: np.ndarray) -> float:
    known = samples[~np.isnan(samples)]
    return float(np.ptp(known)) if len(known) else 0.0


def _overall(replicates: Replicates) -> list[_Draft]:
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
        _Draft(
            OVERALL,
            key,
            samples,
            n,
            clusters=replicates.clusters if key == "accuracy" else _smallest(replicates),
            counts=(right, n) if key == "accuracy" else None,
            note=f"not defined: {_UNDEFINED[key]}" if key in _UNDEFINED else "",
        )
        for key, samples in values.items()
    ]


def _smallest(replicates: Replicates) -> int:
    """Patients of the class, of those there are, that has the fewest."""
    own = replicates.patients["recall"]
    return int(own[own > 0].min())


def _calibration(replicates: Replicates, ece: Estimate) -> dict[str, Estimate]:
    """What luck alone would show, and the calibration error: from 0 where it is no more than that."""
    value = float(replicates.ece_floor.mean())
    low, high = (float(limit[0]) for limit in percentiles(replicates.ece_floor[:, None]))
    floor = Estimate(value, min(low, value), max(high, value), ece.n, GLOSSARY["ece_floor"].help)
    return {"ece": replace(ece, low=0.0) if ece.value <= high else ece, "ece_floor": floor}
