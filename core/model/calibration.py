"""Calibration from labelled films: a temperature (Guo 2017), class offsets beside it (Alexandari 2020), or slopes and
offsets (Platt 1999); operating points.

Weights (N,), where they are given, say how much each film counts; on average 1, so that the priors keep theirs.
"""

import numpy as np

from core.errors import CheckpointError

LOWEST, HIGHEST = 0.25, 10.0
_SPREAD = 0.7  # standard deviation of ln T before any film is seen: 95 % of temperatures lie between 0.25 and 4
_DRIFT = 3.0  # likewise of an offset, in log-odds: a positive weight of 20 in training shifts it by ln 20 = 3


def fit_temperature(logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The divisor of logits (N, C), 0.25 to 10, that makes labels (N,) most probable, a priori near 1.

    Where every film is right the likelihood alone has no maximum: it asks for ever greater certainty and stops at the
    bound. A normal prior on ln T (mean 0) weighs as little as a few films, so that it decides there and nowhere else.
    Platt's smoothed targets, the usual remedy, are meant for scores without a scale and drown calibrated logits: of 30
    films with a true T of 1 they make T = 7.6, this 0.9.
    """
    from scipy.optimize import minimize_scalar  # a second to import, and no film asks for it
    from scipy.special import log_softmax

    _check(logits, labels)
    counts = np.ones(len(labels)) if weights is None else weights

    def loss(log_temperature: float) -> float:
        logs = log_softmax(logits.astype(np.float64) / np.exp(log_temperature), axis=1)
        return -float(counts @ logs[np.arange(len(labels)), labels]) + (log_temperature / _SPREAD) ** 2 / 2

    found = minimize_scalar(loss, bounds=(np.log(LOWEST), np.log(HIGHEST)), method="bounded")
    return float(np.exp(found.x))


def fit_shifted(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, tuple[float, ...]]:
    """Temperature and class offsets, so that p = softmax(logits / temperature + offsets); the offsets sum to 0.

    For films whose classes are not as frequent as those that the model learned from (bias-corrected temperature
    scaling, Alexandari 2020, arXiv:1901.06852). Priors as for the temperature and for Platt's offset.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    _check(logits, labels)
    z, counts = logits.astype(np.float64), np.ones(len(labels)) if weights is None else weights
    rows, spreads = np.arange(len(labels)), np.array([_SPREAD, *[_DRIFT] * logits.shape[1]])

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        scaled = z / np.exp(found[0])
        logs = log_softmax(scaled + found[1:], axis=1)
        rest = np.exp(logs)
        rest[rows, labels] -= 1
        rest *= counts[:, None]
        slopes = np.array([-(rest * scaled).sum(), *rest.sum(axis=0)])
        value = -(counts @ logs[rows, labels]) + ((found / spreads) ** 2).sum() / 2
        return float(value), slopes + found / spreads**2

    bounds = [(np.log(LOWEST), np.log(HIGHEST)), *[(-30, 30)] * logits.shape[1]]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds, method="L-BFGS-B").x
    return float(np.exp(found[0])), tuple((found[1:] - found[1:].mean()).tolist())


def fit_softmax(
    logits: np.ndarray, labels: np.ndarray, weights: np.ndarray | None, offsets: bool
) -> tuple[float, tuple[float, ...]]:
    """Temperature, and the offsets where they are asked for; see ``fit_temperature`` and ``fit_shifted``."""
    return fit_shifted(logits, labels, weights) if offsets else (fit_temperature(logits, labels, weights), ())


def _check(logits: np.ndarray, labels: np.ndarray) -> None:
    if not len(labels) or logits.shape[:1] != labels.shape:
        came = f"logits {logits.shape} and labels {labels.shape}"
        raise CheckpointError(came, "shapes (N, C) and (N,) of at least one validation film")


def even_weights(*groups: np.ndarray) -> np.ndarray:
    """Weights (N,), on average 1, by which each combination of the groups' values (N,) weighs the same."""
    _, member = np.unique(np.stack([np.asarray(group).astype(str) for group in groups]), axis=1, return_inverse=True)
    counts = np.bincount(member.ravel())
    weights: np.ndarray = len(groups[0]) / (len(counts) * counts[member.ravel()])
    return weights


def fit_platt(logits: np.ndarray, positive: np.ndarray, weights: np.ndarray | None = None) -> tuple[float, float]:
    """Slope and offset of one finding's logits z (N,), so that p = sigmoid(slope z + offset).

    The slope is 0.1 to 4: the ranking stays.

    Priors on ln slope and offset, as for the temperature and for its reason, instead of Platt's smoothed targets.

    Args:
        positive: bool (N,). Where all films agree nothing can be fitted: slope 1, offset 0.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    if logits.shape != positive.shape:
        raise CheckpointError(f"logits {logits.shape} and labels {positive.shape}", "one label for each logit")
    if positive.all() or not positive.any():
        return 1.0, 0.0
    z, y = logits.astype(np.float64), positive.astype(np.float64)
    counts = np.ones(len(y)) if weights is None else weights

    def loss(found: np.ndarray) -> tuple[float, np.ndarray]:
        slope, offset = np.exp(found[0]), found[1]
        score = slope * z + offset
        value = counts @ (np.logaddexp(0, score) - y * score) + ((found / [_SPREAD, _DRIFT]) ** 2).sum() / 2
        rest = counts * (expit(score) - y)
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


def log_odds(p: np.ndarray) -> np.ndarray:
    """Of probabilities, which are kept off 0 and 1."""
    kept = np.clip(p.astype(np.float64), 1e-9, 1 - 1e-9)
    return np.log(kept) - np.log1p(-kept)
