"""The figures themselves, as pure functions.

Two families: figures of decisions are read off weighted confusion matrices ``(..., C, C)`` (rows: true class, columns:
called class), figures of ranking off one sweep over the probabilities. All accept a leading axis of resamples, so the
figure and its bootstrap come from one formula. What is not defined (0 / 0) is NaN, never a polite 0.
"""

from typing import Any

import numpy as np

from core.resamples import Weights, films_in, tally, total


def confusion(labels: np.ndarray, called: np.ndarray, n_classes: int, weights: Weights) -> np.ndarray:
    """Confusion matrices float64 (R, C, C) of int labels and calls (N,) under film weights (N, R)."""
    cells = tally(labels * n_classes + called, n_classes**2, weights)
    matrices: np.ndarray = cells.T.reshape(-1, n_classes, n_classes).astype(np.float64)
    return matrices


def _ratio(part: Any, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)


def one_vs_rest(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """True positives, false positives, false negatives, true negatives, each (..., C)."""
    tp = np.diagonal(matrix, axis1=-2, axis2=-1)
    fp = matrix.sum(axis=-2) - tp
    fn = matrix.sum(axis=-1) - tp
    return tp, fp, fn, matrix.sum(axis=(-2, -1))[..., None] - tp - fp - fn


Counts = tuple[np.ndarray, np.ndarray]  # successes and trials, each (..., C) or (...)


def precision_counts(matrix: np.ndarray) -> Counts:
    """Correctly called films of all that were called each class (..., C)."""
    tp, fp, _, _ = one_vs_rest(matrix)
    return tp, tp + fp


def recall_counts(matrix: np.ndarray) -> Counts:
    """Correctly called films of all of each class (..., C)."""
    tp, _, fn, _ = one_vs_rest(matrix)
    return tp, tp + fn


def specificity_counts(matrix: np.ndarray) -> Counts:
    """Films correctly not called each class, of all of other classes (..., C)."""
    _, fp, _, tn = one_vs_rest(matrix)
    return tn, tn + fp


def npv_counts(matrix: np.ndarray) -> Counts:
    """Films correctly not called each class, of all that were not (..., C)."""
    _, _, fn, tn = one_vs_rest(matrix)
    return tn, tn + fn


def prevalence_counts(matrix: np.ndarray) -> Counts:
    """Films of each class, of all (..., C)."""
    films = matrix.sum(axis=-1)
    return films, np.broadcast_to(films.sum(axis=-1, keepdims=True), films.shape)


def accuracy_counts(matrix: np.ndarray) -> Counts:
    """Correctly called films, of all (...)."""
    return np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1))


def share(counts: Counts) -> np.ndarray:
    """Successes over trials; NaN where nothing was tried."""
    return _ratio(*counts)


def balanced_accuracy(matrix: np.ndarray) -> np.ndarray:
    """Mean recall (R,) of the classes that the first of the matrices (R, C, C) contains."""
    mean_recall: np.ndarray = share(recall_counts(matrix))[..., matrix[0].sum(axis=-1) > 0].mean(axis=-1)
    return mean_recall


def f1(matrix: np.ndarray) -> np.ndarray:
    """(..., C); 0 for a class that exists but is never called correctly, undefined for one that does not exist."""
    tp, fp, fn, _ = one_vs_rest(matrix)
    return np.where(tp + fn == 0, np.nan, _ratio(2 * tp, 2 * tp + fp + fn))


def predictive_values(
    sensitivity: np.ndarray, specificity: np.ndarray, prevalence: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """PPV and NPV by Bayes' rule at a ``prevalence`` of the class (0 .. 1)."""
    hits, alarms = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    rejections, misses = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return _ratio(hits, hits + alarms), _ratio(rejections, rejections + misses)


def mcc(matrix: np.ndarray) -> np.ndarray:
    """Matthews correlation of any number of classes (Gorodkin 2004) (...)."""
    true, called, n = matrix.sum(axis=-1), matrix.sum(axis=-2), matrix.sum(axis=(-2, -1))
    covariance = n * np.trace(matrix, axis1=-2, axis2=-1) - (true * called).sum(axis=-1)
    return _ratio(covariance, np.sqrt((n**2 - (true**2).sum(axis=-1)) * (n**2 - (called**2).sum(axis=-1))))


def kappa(matrix: np.ndarray) -> np.ndarray:
    """Cohen's kappa, unweighted (...)."""
    n = matrix.sum(axis=(-2, -1))
    chance = (matrix.sum(axis=-1) * matrix.sum(axis=-2)).sum(axis=-1)
    return _ratio(n * np.trace(matrix, axis1=-2, axis2=-1) - chance, n**2 - chance)


def sweep(scores: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower the threshold from above every score to the lowest one.

    Args:
        scores: float (N,), high for the class.
        positive: bool (N,).
        weights: float32 (N, R), whole numbers.

    Returns:
        thresholds (T,) descending, the first +inf; true and false positives at each, float32 (T, R). Equal scores share
        one threshold.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last_of_tie = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    sorted_weights, is_positive = weights[order], positive[order].astype(np.float32)[:, None]
    tp = np.cumsum(sorted_weights * is_positive, axis=0)[last_of_tie]
    fp = np.cumsum(sorted_weights, axis=0)[last_of_tie] - tp
    start = np.zeros((1, weights.shape[1]), np.float32)
    return np.append(np.inf, ordered[last_of_tie]), np.concatenate([start, tp]), np.concatenate([start, fp])


def auroc(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Area under the ROC curve (R,) of a sweep's counts (T, R)."""
    area = np.sum(np.diff(fp, axis=0) * (tp[1:] + tp[:-1]), axis=0, dtype=np.float64) / 2
    return _ratio(area, tp[-1].astype(np.float64) * fp[-1])


def average_precision(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Sum of precision x gain in recall (R,) of a sweep's counts (T, R)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        purity = np.where(tp + fp > 0, tp / (tp + fp), 0)
    return _ratio(np.sum(np.diff(tp, axis=0) * purity[1:], axis=0, dtype=np.float64), tp[-1].astype(np.float64))


def log_losses(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """-ln(probability of the true class) of each film (N,); probabilities are kept above 1e-15."""
    given = probabilities[np.arange(len(labels)), labels]
    losses: np.ndarray = -np.log(np.clip(given.astype(np.float64), 1e-15, 1.0))
    return losses


def briers(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Squared distance between probabilities and truth of each film (N,): 0 .. 2, or 0 .. 1 with two classes."""
    n_classes = probabilities.shape[1]
    distance = ((probabilities - np.eye(n_classes)[labels]) ** 2).sum(axis=1)
    scores: np.ndarray = distance / 2 if n_classes == 2 else distance
    return scores


def mean(per_film: np.ndarray, weights: Weights) -> np.ndarray:
    """Weighted mean (R,) of a per-film figure (N,)."""
    return _ratio(total(per_film, weights), films_in(weights))
