"""Every figure of an evaluation with its interval and, where it is undefined, the reason."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from core.evaluate import metrics
from core.evaluate.drafts import AVERAGED, Draft, Replicates, drafts
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
    ratio,
    settle,
    student,
)

Figures = dict[
    Scope, dict[str, Estimate]
]  # scope (class name, MACRO, WEIGHTED or OVERALL) -> key of the glossary -> figure


def figures(replicates: Replicates, classes: tuple[str, ...], prevalence: Mapping[str, float] | None = None) -> Figures:
    """Every figure of one evaluation at one operating point.

    Args:
        prevalence: the share (0 .. 1) of some classes in the reader's own practice; adds ``ppv_at`` and ``npv_at``.
    """
    made = drafts(replicates, classes)
    low, high = percentiles(np.stack([draft.samples[1:] for draft in made], axis=1))
    result: Figures = {}
    for draft, bootstrap in zip(made, zip(low, high, strict=True), strict=True):
        result.setdefault(draft.scope, {})[draft.key] = _finish(draft, bootstrap, replicates)
    _means_of_shares(result, dict(zip(classes, replicates.confusion[0].sum(axis=1), strict=True)))
    _add_collapsed(result, made, dict(zip(classes, replicates.confusion[0].sum(axis=1), strict=True)))
    for name, share in (prevalence or {}).items():
        result[name] |= _at_prevalence(result[name], name, share, round(float(replicates.confusion[0].sum())))
    result[OVERALL] |= _calibration(replicates, result[OVERALL]["ece"])
    return result


def _finish(draft: Draft, bootstrap: tuple[float, float], replicates: Replicates) -> Estimate:
    value, term = float(draft.samples[0]), GLOSSARY[draft.key]
    if math.isnan(value):
        return Estimate(math.nan, math.nan, math.nan, draft.n, term.help, draft.note)
    if not draft.counts and draft.clusters < FEWEST:
        return Estimate.without(value, draft.n, term.help)
    if term.policy in (Policy.LOSS, Policy.CALIBRATION) and not _enough_errors(replicates, term.policy):
        return Estimate.without(value, draft.n, term.help)
    policy = term.policy if draft.counts or term.policy is not Policy.PROPORTION else Policy.SCORE
    if policy is Policy.PROPORTION and draft.counts and not replicates.clustered:
        low, high = proportion(*draft.counts)
    elif policy is Policy.CALIBRATION:
        low, high = basic(value, *bootstrap)
        high = min(1.0, max(high, value + student(draft.clusters) * error(draft.samples[1:], draft.clusters)))
    elif policy is Policy.LOSS:
        low, high = of_losses(replicates.films.scores.losses[draft.key], replicates.clusters)
    else:
        most = draft.counts[1] if draft.counts else draft.most
        silent = draft.clusters if draft.silent is None else draft.silent
        low, high = settle(value, draft.samples[1:], draft.behind, term.scale, most, silent)
    return Estimate(value, min(low, value), max(high, value), draft.n, term.help, method=replicates.method(policy))


def _enough_errors(replicates: Replicates, policy: Policy) -> bool:
    """Whether losses can be bounded: they are made by few confident errors, and what has not been met is not known.

    Counted in patients, as the model's own probabilities expect them: observed ones would show intervals where chance
    made many. A model that is wrong far more often than it expects is the exception. The luck of a calibration error is
    drawn by flipping patients' signs where they have several films: of five errors one draw in sixteen has them all on
    one side, and that is not a limit.
    """
    least = 6 if policy is Policy.CALIBRATION and replicates.clustered else 3
    share = (int(replicates.clusters.max()) + 1) / len(replicates.clusters)
    return replicates.errors[0] * share >= least or replicates.errors[1] * share >= 12


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
            note = "not defined: " + GLOSSARY[key].undefined.format(name=name)
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


def _add_collapsed(result: Figures, made: list[Draft], support: Mapping[str, float]) -> None:
    """Widen each mean over classes by what the bootstrap cannot see: the doubt about a class that is all right.

    Such a class is right in every resample as well, so its own interval (Wilson's) is added in quadrature (MOVER).
    """
    samples = {(draft.scope, draft.key): draft.samples[1:] for draft in made}
    present = [name for name, films in support.items() if films]
    total = sum(support.values())
    for scope, key in ((scope, key) for scope in (MACRO, WEIGHTED) for key in AVERAGED if key != "recall"):
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


def _calibration(replicates: Replicates, ece: Estimate) -> dict[str, Estimate]:
    """What luck alone would show, and the calibration error: from 0 where it is no more than that."""
    value, term = float(replicates.ece_floor.mean()), GLOSSARY["ece_floor"]
    low, high = (float(limit[0]) for limit in percentiles(replicates.ece_floor[:, None]))
    floor = Estimate(value, min(low, value), max(high, value), ece.n, term.help, method=term.policy.value)
    if ece.bounded:  # the true error differs from this one by the luck of its bins at most (triangle inequality)
        ece = replace(ece, low=max(0.0, ece.value - high), high=min(1.0, max(ece.high, ece.value + high)))
    return {"ece": ece, "ece_floor": floor}
