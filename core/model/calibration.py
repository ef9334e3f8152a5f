"""Calibration from labelled films: a temperature (Guo 2017), or slopes and offsets (Platt 1999); operating points."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax

from core.errors import CheckpointError

LOWEST, HIGHEST = 0.25, 10.0
_SPREAD = 0.7  # standard deviation of ln T before any film is seen: 95 % of temperatures lie between 0.25 and 4
_DRIFT = 3.0  # likewise of an offset, in log-odds: a positive weight of 20 in training shifts it by ln 20 = 3


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The divisor of logits (N, C), 0.25 to 10, that makes labels (N,) most probable, a priori near 1.

    Where every film is right the likelihood alone has no maximum: it asks for ever greater certainty and stops at the
    bound. A normal prior on ln T (mean 0) weighs as little as a few films, so that it decides there and nowhere else.
    Platt's smoothed targets, the usual remedy, are meant for scores without a scale and drown calibrated logits: of 30
    films with a true T of 1 they make T = 7.6, this 0.9.
    """
    if not len(labels) or logits.shape[:1] != labels.shape:
        came = f"logits {logits.shape} and labels {labels.shape}"
        raise CheckpointError(came, "shapes (N, C) and (N,) of at least one validation film")

    def loss(log_temperature: float) -> float:
        logs = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return -float(logs[np.arange(len(labels)), labels].sum()) + (log_temperature / _SPREAD) ** 2 / 2

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def fit_platt(logits: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Slope and offset of one finding's logits z (N,), so that p = sigmoid(slope z + offset).

    The slope is 0.1 to 4: the ranking stays.

    Priors on ln slope and offset, as for the temperature and for its reason, instead of Platt's smoothed targets.

    Args:
        positive: bool (N,). Where all films agree nothing can be fitted: slope 1, offset 0.
    """
    if logits.shape != positive.shape:
        raise CheckpointError(f"logits {logits.shape} and labels {positive.shape}", "one label for each logit")
    if positive.all() or not positive.any():
        return 1.0, 0.0
    z, y = logits.astype(np.float64), positive.astype(np.float64)

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = np.exp(found[0]), found[1]
        score = slope * z + offset
        value = (np.logaddexp(0, score) - y * score).sum() + ((found / [_SPREAD, _DRIFT]) ** 2).sum() / 2
        rest = expit(score) - y
        return float(value), np.array([(rest * slope * z).sum(), rest.sum()]) + found / [_SPREAD**2, _DRIFT**2]

    bounds = [(-np.log(HIGHEST), -np.log(LOWEST)), (-30, 30)]
    found = minimize(loss, np.zeros(2), jac=True, bounds=bounds, method="L-BFGS-B")
    return float(np.exp(found.x[0])), float(found.x[1])


def operating_point(probabilities: np.ndarray, positive: np.ndarray, lowest: float = 0.05) -> float:
    """The operating point with the highest sensitivity + specificity (Youden), from ``lowest`` to 1 - ``lowest``.

    Well separated films leave a range of equally good operating points; the middle of it is taken.

    Args:
        probabilities: float (N,), of one class.
        positive: bool (N,), films of that class; some must be and some must not.
    """
    values = np.unique(probabilities)
    cuts = (values[:-1] + values[1:]) / 2 if len(values) > 1 else values
    yes, no = np.sort(probabilities[positive]), np.sort(probabilities[~positive])
    sensitivity = 1 - np.searchsorted(yes, cuts) / len(yes)
    specificity = np.searchsorted(no, cuts) / len(no)
    index = sensitivity + specificity
    best = np.flatnonzero(np.isclose(index, index.max()))
    run = best[: 1 + int(np.argmax(np.diff(best, append=best[-1] + 2) > 1))]  # the first unbroken stretch
    low, high = values[run[0]], values[min(run[-1] + 1, len(values) - 1)]
    return float(np.clip((low + high) / 2, lowest, 1 - lowest))
