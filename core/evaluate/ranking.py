"""Figures and curves of ranking under every resample: of weights by film from a sweep of each resample, of weights by
group (see `core.resamples`) without one.

A sweep of a million films under a thousand resamples would be a billion counts. There the two areas move with the
weights as far as their derivatives say, which are known for every film from one sort (the infinitesimal jackknife,
Efron 1982; for AUROC these are the placements of DeLong 1988), and the curves are swept at the few hundred thresholds
that are drawn, where nothing is lost.
"""

import numpy as np

from core.evaluate import metrics
from core.resamples import Grouped, Weights, tally, total

POINTS = 400  # most points of a drawn curve
Swept = tuple[np.ndarray, np.ndarray, np.ndarray]  # as `metrics.sweep` returns it


def areas(scores: np.ndarray, positive: np.ndarray, weights: Weights) -> tuple[np.ndarray, np.ndarray]:
    """AUROC and average precision under every resample, each (1+R,); NaN where they are not defined.

    Args:
        scores: float (N,), high for the class.
        positive: bool (N,).
    """
    if not isinstance(weights, Grouped):
        _, tp, fp = metrics.sweep(scores, positive, weights)
        return metrics.auroc(tp, fp), metrics.average_precision(tp, fp)
    places, tp, fp = _sweep(scores, positive)
    auroc, precision = (float(area(tp[:, None], fp[:, None])[0]) for area in (metrics.auroc, metrics.average_precision))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = _slopes_of_auroc(auroc, tp, fp), _slopes_of_precision(precision, tp, fp)
        moved = total(np.stack([np.where(positive, up[places], down[places]) for up, down in slopes]), weights)
    return auroc + moved[0] - moved[0, 0], precision + moved[1] - moved[1, 0]


def swept(scores: np.ndarray, positive: np.ndarray, weights: Weights) -> Swept:
    """A sweep under every resample; of weights by group at no more than `POINTS` thresholds, evenly along both axes."""
    if not isinstance(weights, Grouped):
        return metrics.sweep(scores, positive, weights)
    places, tp, fp = _sweep(scores, positive)
    if not tp[-1] or not fp[-1]:
        return np.array([]), tp[-1:, None], fp[-1:, None]
    kept = corners(tp, fp)
    thresholds = np.append(np.inf, -np.unique(-scores))[kept]
    cells = np.searchsorted(kept, places + 1)  # the first of the kept thresholds that a film reaches
    sums = np.cumsum(tally(2 * cells + positive, 2 * len(kept), weights).reshape(len(kept), 2, -1), axis=0)
    return thresholds, sums[:, 1], sums[:, 0]


def corners(tp: np.ndarray, fp: np.ndarray) -> np.ndarray:
    """Rows of a sweep's counts (T,) that are worth drawing: evenly spread along both axes, ends included."""
    path = tp / tp[-1] + fp / fp[-1]
    wanted = np.searchsorted(path, np.linspace(0, path[-1], POINTS))
    return np.unique(np.concatenate([[0, 1], wanted, [len(path) - 1]]).clip(0, len(path) - 1))


def _sweep(scores: np.ndarray, positive: np.ndarray) -> Swept:
    """The films themselves: the place of each film's score among the different ones, highest first, int (N,), and true
    and false positives float64 (T,) above the first and from each of them on."""
    different, places = np.unique(-scores, return_inverse=True)
    counts = np.bincount(2 * places + positive, minlength=2 * len(different)).reshape(-1, 2)
    fp, tp = np.vstack([np.zeros(2), np.cumsum(counts, axis=0)]).T
    return places, tp, fp


def _slopes_of_auroc(area: float, tp: np.ndarray, fp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How AUROC moves with the weight of a positive and of a negative film at each score, both (T,)."""
    beaten = 1 - (fp[1:] + fp[:-1]) / 2 / fp[-1]  # share of the negatives below, ties by half
    beating = (tp[1:] + tp[:-1]) / 2 / tp[-1]  # share of the positives above
    return (beaten - area) / tp[-1], (beating - area) / fp[-1]


def _slopes_of_precision(area: float, tp: np.ndarray, fp: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of average precision: a film weighs in its own term and in the precision of every positive below."""
    gained, found = np.diff(tp), tp[1:] + fp[1:]
    by_positive, by_negative = (np.cumsum((gained * of[1:] / found**2)[::-1])[::-1] for of in (fp, tp))
    return (tp[1:] / found - area + by_positive) / tp[-1], -by_negative / tp[-1]
