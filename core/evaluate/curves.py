"""ROC, precision-recall and cumulative gains curves, with the band that the bootstrap draws round them."""

import math
from dataclasses import dataclass

import numpy as np

from core.evaluate.ranking import corners
from core.intervals import FEWEST, score_interval

GRID = np.linspace(0, 1, 101)  # where the bands are given
_REPLICATES = 300  # resamples behind a band


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of one class against the rest. Empty arrays where the class, or every other, has no film."""

    threshold: np.ndarray  # (T,), descending, first +inf
    fpr: np.ndarray  # (T,), 1 - specificity
    tpr: np.ndarray  # (T,), recall = sensitivity
    precision: np.ndarray  # (T,); the first is that of the first film found
    prevalence: float  # where the precision-recall curve of a coin toss lies
    roc_low: np.ndarray  # (101,), sensitivity at GRID of 1 - specificity
    roc_high: np.ndarray
    pr_low: np.ndarray  # (101,), precision at GRID of recall
    pr_high: np.ndarray
    gains: np.ndarray  # (101,), recall where the GRID's share of all films is looked at, the likeliest first
    gains_low: np.ndarray
    gains_high: np.ndarray

    @property
    def flagged(self) -> np.ndarray:
        """The share of all films called at each threshold (T,): beside ``tpr`` the cumulative gains curve."""
        return self.prevalence * self.tpr + (1 - self.prevalence) * self.fpr

    def lift(self, share: float) -> tuple[float, float, float]:
        """How many times as many films of the class as by chance are among the likeliest ``share`` (0 .. 1) of all.

        With its 95 % limits; NaN where there is no curve.
        """
        if not len(self.gains) or not share > 0:
            return math.nan, math.nan, math.nan
        value, low, high = (
            float(np.interp(share, GRID, curve)) / share for curve in (self.gains, self.gains_low, self.gains_high)
        )
        return value, low, high


def curves(threshold: np.ndarray, tp: np.ndarray, fp: np.ndarray, patients: tuple[int, int]) -> Curves:
    """Curves of one sweep: thresholds (T,) and counts (T, 1+R), as `ranking.swept` returns them.

    Args:
        patients: who have films of the class, and films of others.
    """
    positives, negatives = float(tp[-1, 0]), float(fp[-1, 0])
    if not positives or not negatives:
        nothing = np.array([])
        share = positives / (positives + negatives)
        points, bands = (nothing, nothing, nothing, nothing), (nothing,) * 7
        return Curves(*points, share, *bands)
    kept = corners(tp[:, 0], fp[:, 0])
    tp, fp = tp[kept, : 1 + _REPLICATES].astype(float), fp[kept, : 1 + _REPLICATES].astype(float)
    valid = (tp[-1] > 0) & (fp[-1] > 0)  # a resample may lack the class
    tpr, fpr = tp[:, valid] / tp[-1, valid], fp[:, valid] / fp[-1, valid]
    found = tp[:, valid] + fp[:, valid]
    purity = tp[:, valid] / np.maximum(found, 1)
    first = np.argmax(found > 0, axis=0)  # above the first film found, its precision holds
    purity = np.where(found > 0, purity, purity[first, np.arange(len(first))])
    roc = np.array([np.interp(GRID, fpr[:, r], tpr[:, r]) for r in range(tpr.shape[1])])
    # A curve of precision is a step: a recall has the precision of the first operating point that reaches it.
    reached = [np.searchsorted(tpr[:, r], GRID - 1e-9).clip(0, len(tpr) - 1) for r in range(tpr.shape[1])]
    pr = np.array([purity[reached[r], r] for r in range(tpr.shape[1])])
    looked = found / found[-1]
    gains = np.array([np.interp(GRID, looked[:, r], tpr[:, r]) for r in range(tpr.shape[1])])
    share = positives / (positives + negatives)
    # Behind a precision are the films called there, not all of the class: at a recall of 0.1 a tenth of it, and the
    # false alarms. Of all of the class the band of 120 films held 0.79 of truths at a recall of 0.4.
    called = patients[0] * GRID / np.maximum(pr[0], 1e-9)
    bands = (*_band(roc, patients[0]), *_band(pr, patients[0], called), gains[0], *_band(gains, patients[0]))
    return Curves(threshold[kept], fpr[:, 0], tpr[:, 0], purity[:, 0], share, *bands)


def _band(curve: np.ndarray, patients: int, behind: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise 95 % limits (101,) of shares (1+R, 101): as `settle` gives them, of at most this many films.

    Resamples alone take what is perfect for certain, and the steps of few films for the curve. NaN for few patients.

    Args:
        behind: float (101,), patients behind each point; all of them unless given. At least one is counted.
    """
    if patients < FEWEST:
        return np.full(len(GRID), np.nan), np.full(len(GRID), np.nan)
    spreads = curve[1:].std(axis=0) * math.sqrt(
        patients / max(patients - 1, 1)
    )  # `intervals.error`, all points at once
    most = np.full(len(GRID), float(patients)) if behind is None else np.maximum(behind, 1.0)
    points = zip(curve[0].tolist(), spreads.tolist(), most.tolist(), strict=True)
    low, high = np.array([score_interval(v, spread, patients, most=n, silent=n) for v, spread, n in points]).T
    return np.minimum(low, curve[0]), np.maximum(high, curve[0])
