"""How far a figure can be trusted: Wilson intervals for plain proportions, the bootstrap over patients for all else.

Its percentiles serve where they are good. Near the end of a figure's scale, where a handful of errors decides, they are
too narrow and lie on one side (an AUROC of 0.97 on ten positive films: 80 % of them hold the truth); there the
bootstrap's standard error is taken on the logit or log scale instead.

The bootstrap draws patients, not films: two films of one patient are not two pieces of evidence. A resample is a column
of film weights (how often the film's patient was drawn), so every figure of every resample is a weighted sum, and the
whole bootstrap a few matrix products. Column 0 weighs every film once: the figure itself.
"""

import math
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95  # the share of such intervals that hold the truth
HOW = (
    "bootstrap over patients, near the ends of a scale by its standard error on the logit or log scale; Wilson for "
    "proportions where every patient has one film; MOVER for PPV and NPV at another prevalence"
)
REPLICATES = 1000  # resamples of the patients ...
_MOST_WEIGHTS = 20_000_000  # ... unless films x resamples would pass this (80 MB); never fewer than 200
_Z = 1.959964  # normal quantile of (1 + LEVEL) / 2
_NEAR = 3.2  # standard errors from the end of a scale: of a plain proportion, ten errors


@dataclass(frozen=True)
class Estimate:
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


def of_mean(values: np.ndarray, clusters: np.ndarray, share: bool, seed: int = 0) -> tuple[float, float]:
    """The interval of a mean over films whose films of one patient count together.

    Args:
        values: float (N,), one a film.
        clusters: (N,), of any sort: the patient of each film.
        share: the mean lies between 0 and 1, and near them a handful of films decides (see ``settle``). Otherwise a
            single patient gives NaN.
    """
    _, groups = np.unique(clusters.astype(str), return_inverse=True)
    patients = int(groups.max()) + 1
    if patients == 1 and not share:
        return math.nan, math.nan
    weights = resamples(groups, seed=seed).astype(float)
    samples = (values @ weights) / weights.sum(axis=0)
    return of_share(float(samples[0]), samples[1:], patients) if share else _limits(samples[1:])


def of_share(value: float, samples: np.ndarray, clusters: int) -> tuple[float, float]:
    """The interval of a share of films, 0 to 1, from its resamples (R,), NaN where undefined; see ``settle``."""
    return settle(value, samples, _limits(samples), clusters)


def basic(value: float, low: float, high: float) -> tuple[float, float]:
    """The basic bootstrap's limits from those of the percentiles, for a figure that luck pushes one way.

    Luck adds to a calibration error, and once more to that of a resample: what the resamples have above the figure is
    taken off it.
    """
    return 2 * value - high, 2 * value - low


def settle(
    value: float,
    samples: np.ndarray,
    limits: tuple[float, float],
    clusters: int,
    scale: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float]:
    """The interval of a bootstrapped figure, mended where its percentiles mislead.

    Args:
        value: the figure itself.
        samples: its resamples (R,); NaN where undefined.
        limits: their percentiles.
        clusters: patients of the smallest class involved.
        scale: lowest and highest value the figure can have; the highest may be infinite.
    """
    low, high = widen(value, *limits, clusters)
    known = samples[~np.isnan(samples)]
    error = float(known.std()) if len(known) else 0.0
    below, above = value - scale[0], scale[1] - value
    if error < 1e-9 and clusters == 1 and min(below, above) > 1e-9 and math.isfinite(above):
        share = wilson(below / (below + above), 1)  # one patient is drawn or not: no resample differs
        return scale[0] + share[0] * (below + above), scale[0] + share[1] * (below + above)
    if error < 1e-9 or min(below, above) <= 1e-9 or min(below, above) >= _NEAR * error:
        return low, high
    if math.isinf(above):
        factor = math.exp(_Z * error / below)
        return scale[0] + below / factor, scale[0] + below * factor
    step = _Z * error * (1 / below + 1 / above)  # on the logit scale
    odds = (below / above * math.exp(-step), below / above * math.exp(step))
    low, high = ((scale[0] + scale[1] * o) / (1 + o) for o in odds)
    return low, high


def _limits(samples: np.ndarray) -> tuple[float, float]:
    low, high = (float(limit[0]) for limit in percentiles(samples[:, None]))
    return low, high


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


def ratio(
    first: float, first_limits: tuple[float, float], second: float, second_limits: tuple[float, float]
) -> tuple[float, float]:
    """The interval of ``first / second``, two independent shares, from that of each (Donner and Zou 2012, MOVER).

    It stays right where ``second`` is 0 on the films at hand: the lower limit is finite, the upper infinite.
    """
    (low, high), (least, most) = first_limits, second_limits
    product = first * second

    def root(limit: float, other: float) -> float:
        return math.sqrt(max(product**2 - limit * other * (2 * first - limit) * (2 * second - other), 0.0))

    lower = low * (2 * first - low) / (product + root(low, most)) if first > 0 else 0.0
    upper = (product + root(high, least)) / (least * (2 * second - least)) if least > 0 else math.inf
    return lower, upper
