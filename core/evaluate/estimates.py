"""From resampled confusion matrices and rankings to every figure with its interval and, where undefined, its reason."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.evaluate import metrics
from core.evaluate.glossary import GLOSSARY, Policy
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import (
    FEWEST,
    Estimate,
    basic,
    error,
    mover,
    of_losses,
    percentiles,
    proportion,
    rank_films,
    ratio,
    settle,
    student,
)

PER_CLASS = ("precision", "recall", "f1", "specificity", "npv", "auroc", "average_precision")  # also averaged
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
    losses: Mapping[str, np.ndarray]  # "log_loss", "brier": (N,)
    errors: tuple[float, int]  # films called wrongly by the most likely class: as the model expects, and indeed
    clusters: np.ndarray  # int (N,), 0 .. P-1: the patient of each film
    clustered: bool  # whether any patient has more than one film


Figures = dict[
    Scope, dict[str, Estimate]
]  # scope (class name, MACRO, WEIGHTED or OVERALL) -> key of the glossary -> figure


@dataclass(frozen=True)
class _Draft:
    """A figure before its interval."""

    scope: Scope
    key: str
    samples: np.ndarray  # (1+R,)
    n: int
    clusters: int  # stands in for n where the bootstrap collapses
    counts: tuple[float, float] | None = None  # successes and trials, where it is a plain proportion
    most: float = math.inf  # effective films at most
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
        result.setdefault(draft.scope, {})[draft.key] = _finish(draft, bootstrap, replicates)
    _means_of_shares(result, dict(zip(classes, replicates.confusion[0].sum(axis=1), strict=True)))
    _add_collapsed(result, drafts, dict(zip(classes, replicates.confusion[0].sum(axis=1), strict=True)))
    for name, share in (prevalence or {}).items():
        result[name] |= _at_prevalence(result[name], name, share, round(float(replicates.confusion[0].sum())))
    result[OVERALL] |= _calibration(replicates, result[OVERALL]["ece"])
    return result


def _finish(draft: _Draft, bootstrap: tuple[float, float], replicates: Replicates) -> Estimate:
    value, term = float(draft.samples[0]), GLOSSARY[draft.key]
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan, draft.n, term.help, draft.note)
    if not draft.counts and draft.clusters < FEWEST:
        return Estimate.without(value, draft.n, term.help)
    if term.policy in (Policy.LOSS, Policy.CALIBRATION) and not _enough_errors(replicates):
        return Estimate.without(value, draft.n, term.help)
    policy = term.policy if draft.counts or term.policy is not Policy.PROPORTION else Policy.SCORE
    if policy is Policy.PROPORTION and draft.counts and not replicates.clustered:
        low, high = proportion(*draft.counts)
    elif policy is Policy.CALIBRATION:
        low, high = basic(value, *bootstrap)
        high = min(1.0, max(high, value + student(draft.clusters) * error(draft.samples[1:], draft.clusters)))
    elif policy is Policy.LOSS:
        low, high = of_losses(replicates.losses[draft.key], replicates.clusters)
    else:
        most = draft.counts[1] if draft.counts else draft.most
        low, high = settle(value, draft.samples[1:], draft.clusters, term.scale, most)
    return Estimate(value, min(low, value), max(high, value), draft.n, term.help, method=policy.value)


def _enough_errors(replicates: Replicates) -> bool:
    """Whether losses can be bounded: they are made by few confident errors, and what has not been met is not known.

    Counted in patients, as the model's own probabilities expect them: observed ones would show intervals where chance
    made many. A model that is wrong far more often than it expects is the exception.
    """
    share = (int(replicates.clusters.max()) + 1) / len(replicates.clusters)
    return replicates.errors[0] * share >= 3 or replicates.errors[1] * share >= 12


def _means_of_shares(result: Figures, support: Mapping[str, float]) -> None:
    """Macro and weighted recall, and balanced accuracy: from the intervals of the classes (MOVER).

    The bootstrap takes a class that is always right, or always wrong, for certain: 0.500 [0.500, 0.500] of a model that
    says one thing only.
    """
    present, total = [name for name, films in support.items() if films], sum(support.values())
    for scope, key in ((MACRO, "recall"), (WEIGHTED, "recall"), (OVERALL, "balanced_accuracy")):
        figure, own = result[scope][key], [result[name]["recall"] for name in present]
        if figure.defined and all(recall.bounded for recall in own):
            shares = [support[name] / total if scope is WEIGHTED else 1 / len(present) for name in present]
            parts = [(share, part.value, part.low, part.high) for share, part in zip(shares, own, strict=True)]
            low, high = mover(figure.value, parts)
            method = Policy.MEAN_OF_SHARES.value
            result[scope][key] = replace(
                figure, low=min(low, figure.value), high=max(high, figure.value), method=method
            )


def _at_prevalence(of_class: Mapping[str, Estimate], name: str, prevalence: float, n: int) -> dict[str, Estimate]:
    """PPV and NPV at another prevalence, with the interval that those of sensitivity and specificity give.

    Both are a likelihood ratio times fixed odds. A bootstrap would take a specificity of 1 here for 1.
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
        if not (good.bounded and other.bounded):
            result[key] = Estimate.without(value, n, GLOSSARY[key].help)
            continue
        limits = ratio(good.value, (good.low, good.high), 1 - other.value, (1 - other.high, 1 - other.low))
        low, high = (1 / (1 + 1 / (limit * before)) if limit else 0.0 for limit in limits)
        term = GLOSSARY[key]
        result[key] = Estimate(value, min(low, value), max(high, value), n, term.help, method=term.policy.value)
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
            most = math.inf
            if key == "auroc":
                most = rank_films(float(values[0, index]), *sides)
            elif key == "average_precision":
                most = 2.0 * sides[0]
            drafts.append(_Draft(name, key, values[:, index], films, clusters, counts, most, note))
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
    for scope, key in ((scope, key) for scope in (MACRO, WEIGHTED) for key in PER_CLASS if key != "recall"):
        figure = result[scope][key]
        silent = [name for name in present if _spread(samples[name, key]) < 1e-9 and result[name][key].defined]
        silent = [name for name in silent if result[name][key].bounded]
        if not figure.bounded or not silent or _spread(samples[scope, key]) < 1e-9:
            continue
        down, up = (figure.value - figure.low) ** 2, (figure.high - figure.value) ** 2
        for name in silent:
            share = support[name] / total if scope == WEIGHTED else 1 / len(present)
            own = result[name][key]
            down, up = down + (share * (own.value - own.low)) ** 2, up + (share * (own.high - own.value)) ** 2
        low, high = max(0.0, figure.value - math.sqrt(down)), min(1.0, figure.value + math.sqrt(up))
        result[scope][key] = replace(figure, low=low, high=high)


def _spread(samples: np.ndarray) -> float:
    known = samples[~np.isnan(samples)]
    return float(np.ptp(known)) if len(known) else 0.0


_OF_CLASSES = {"balanced_accuracy", "mcc", "kappa"}  # overall figures that the smallest class decides


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
            clusters=_smallest(replicates) if key in _OF_CLASSES else int(replicates.clusters.max()) + 1,
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
    value, term = float(replicates.ece_floor.mean()), GLOSSARY["ece_floor"]
    low, high = (float(limit[0]) for limit in percentiles(replicates.ece_floor[:, None]))
    floor = Estimate(value, min(low, value), max(high, value), ece.n, term.help, method=term.policy.value)
    if ece.bounded:  # the true error differs from this one by the luck of its bins at most (triangle inequality)
        ece = replace(ece, low=max(0.0, ece.value - high), high=min(1.0, max(ece.high, ece.value + high)))
    return {"ece": ece, "ece_floor": floor}
