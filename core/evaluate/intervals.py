"""How far a figure can be trusted: Wilson intervals for plain proportions, the bootstrap over patients for all else.

The bootstrap draws patients, not films: two films of one patient are not two pieces of evidence. A resample is a column
of film weights (how often the film's patient was drawn), so every figure of every resample is a weighted sum, and the
whole bootstrap a few matrix products. Column 0 weighs every film once: the figure itself.
"""

import math
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95  # the share of such intervals that hold the truth
REPLICATES = 1000  # resamples of the patients ...
_MOST_WEIGHTS = 20_000_000  # ... unless films x resamples would pass this (80 MB); never fewer than 200
_Z = 1.959964  # normal quantile of (1 + LEVEL) / 2


@dataclass(frozen=True)
class Figure:
    """One number with its 95 % interval; all three are NaN where the number is not defined."""

    value: float
    low: float
    high: float
    n: int  # films behind it
    help: str = ""  # plain language, from the glossary
    note: str = ""  # "not defined: no films of COVID-19", else empty

    @property
    def defined(self) -> bool:
        return math.isfinite(self.value)

    def text(self, digits: int = 3) -> str:
        """``0.951 [0.912, 0.973]``, or the note of a figure that is not defined."""
        if not self.defined:
            return self.note or "not defined"
        return f"{self.value:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"

    def __str__(self) -> str:
        return self.text()


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of ``successes / n``; (NaN, NaN) where n is 0."""
    if n <= 0:
        return math.nan, math.nan
    share = successes / n
    centre = share + _Z**2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low, high = (centre - spread) / (1 + _Z**2 / n), (centre + spread) / (1 + _Z**2 / n)
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)


def resamples(clusters: np.ndarray, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """Film weights of bootstrap resamples of whole clusters.

    Args:
        clusters: int (N,), 0 .. P-1; films with one number are drawn together (one patient).
        replicates: how many resamples at most.

    Returns:
        float32 (N, 1 + R); column 0 is all ones, column r how often resample r drew the film.
    """
    replicates = max(200, min(replicates, _MOST_WEIGHTS // len(clusters)))
    n_clusters = int(clusters.max()) + 1
    drawn = np.random.default_rng(seed).integers(0, n_clusters, (replicates, n_clusters))
    drawn += n_clusters * np.arange(replicates)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=replicates * n_clusters).reshape(replicates, n_clusters)
    weights = np.ones((len(clusters), 1 + replicates), np.float32)
    weights[:, 1:] = counts.T[clusters]
    return weights


def percentiles(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper limit (K,) of resampled figures (R, K); resamples where a figure is undefined are left out."""
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    limits = np.quantile(samples, tails, axis=0)
    broken = np.isnan(samples).any(axis=0)
    for column in np.flatnonzero(broken):
        known = samples[:, column][~np.isnan(samples[:, column])]
        limits[:, column] = np.quantile(known, tails) if len(known) else math.nan
    return limits[0], limits[1]


def widen(value: float, low: float, high: float, clusters: int) -> tuple[float, float]:
    """Replace an interval that collapsed onto 0 or 1 by Wilson's.

    Where every film is right, every resample is right too and the bootstrap knows nothing of the errors it has not met.
    Wilson's interval of ``clusters`` successes out of ``clusters`` (patients, of the smallest class involved) does.
    """
    if clusters > 0 and math.isclose(low, high, abs_tol=1e-9):
        if math.isclose(value, 1.0, abs_tol=1e-9):
            return wilson(clusters, clusters)[0], 1.0
        if math.isclose(value, 0.0, abs_tol=1e-9):
            return 0.0, wilson(0, clusters)[1]
    return low, high
