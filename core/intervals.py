"""How far a figure can be trusted: an interval by the kind of figure, each kind covered by `benchmarks.coverage`.

- plain proportions: Wilson's score interval (1927); where patients have several films, of as many *effective* films as
  the patients' variance leaves (Korn and Graubard 1998), with Student's t of the patients;
- other figures on a bounded scale (AUROC, F1, MCC ...): the same score interval of an effective number of films that
  follows from the bootstrap's variance: v (1 - v) / variance. Bare percentiles are too narrow and lie on one side where
  a handful of errors decides (an AUROC of 0.97 on ten positive films: 80 % of them hold the truth);
- means of a skewed loss (log loss, Brier score): Hall's transformation (1992) of Student's t, by patient;
- sums of shares and their ratios: MOVER (Donner and Zou 2012), from the intervals of the parts;
- calibration errors: below, less the luck of their bins (triangle inequality); above, the basic bootstrap or more.

The bootstrap draws patients, not films, and of more than 20,000 films random groups of patients: `core.resamples`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from core.resamples import MANY, drawn, films_in, total

LEVEL = 0.95  # the share of such intervals that hold the truth
HOW = (
    "Wilson for proportions, of effective films where patients have several; the same of the bootstrap's variance by "
    "patient for other bounded figures; Hall's transformation for log loss and Brier score; MOVER for macro recall "
    "and for PPV and NPV at another prevalence; for calibration errors the luck of their bins and the bootstrap"
)
TOO_FEW = "too few for an interval"
_RARE = 3  # events
FEWEST = 5  # patients on the rarer side of a ranking, and of a mean loss; below, no interval is shown
_Z = 1.959964  # normal quantile of (1 + LEVEL) / 2


@dataclass(frozen=True)
class Estimate:
    """One number with its 95 % interval; all NaN where it is not defined, the limits alone where films are too few."""

    value: float
    low: float
    high: float
    n: int  # films behind it
    help: str = ""  # plain language, from the glossary
    note: str = ""  # "not defined: no films of COVID-19", else empty
    method: str = ""  # how the interval was made; `TOO_FEW` where there is none

    @classmethod
    def without(cls, value: float, n: int, help: str = "") -> "Estimate":
        """A number that too few patients stand behind for an interval."""
        return cls(value, math.nan, math.nan, n, help, method=TOO_FEW)

    @property
    def bounded(self) -> bool:
        """Whether it has an interval."""
        return self.defined and not math.isnan(self.low)

    @property
    def defined(self) -> bool:
        return math.isfinite(self.value)

    def text(self, digits: int = 3) -> str:
        """``0.951 [0.912, 0.973]``, or the note of a figure that is not defined."""
        if not self.defined:
            return self.note or "not defined"
        return f"{self.value:.{digits}f} {self.limits(digits)}"

    def limits(self, digits: int = 3) -> str:
        """``[0.912, 0.973]``, or that there are too few films for an interval."""
        return limits(self.low, self.high, digits)

    def __str__(self) -> str:
        return self.text()


def limits(low: Any, high: Any, digits: int = 2) -> str:
    """``[0.91, 0.97]``, or that there are too few films for an interval where one is NaN."""
    return f"({TOO_FEW})" if math.isnan(low) or math.isnan(high) else f"[{low:.{digits}f}, {high:.{digits}f}]"


def wilson(successes: float, n: float, z: float = _Z) -> tuple[float, float]:
    """Wilson's score interval (1927) of ``successes / n``; (NaN, NaN) where n is 0."""
    if n <= 0:
        return math.nan, math.nan
    share = successes / n
    centre = share + z**2 / (2 * n)
    spread = z * math.sqrt(max(share * (1 - share), 0.0) / n + z**2 / (4 * n**2))
    low, high = (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)


def proportion(successes: float, n: float, z: float = _Z) -> tuple[float, float]:
    """`wilson`, mended near 0 and 1 (Brown, Cai and DasGupta 2001), where bare it may hold the truth in 83 %.

    With up to three events the nearer limit is that of a Poisson number, which the normal's overstates.
    """
    low, high = wilson(successes, n, z)
    if 0 < successes <= _RARE:
        low = min(low, _poisson(successes) / n)
    if 0 < n - successes <= _RARE:
        high = max(high, 1 - _poisson(n - successes) / n)
    return low, high


def _poisson(events: float) -> float:
    """The one-sided lower limit of the mean of a Poisson number of which this many events were seen."""
    from scipy.special import gammaincinv  # a third of a second to import: no start of the dashboard needs it

    return float(gammaincinv(events, 1 - LEVEL))


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
        values: float (N,), one per film.
        clusters: (N,), of any sort: the patient of each film.
        share: the mean lies between 0 and 1, and near them a handful of films decides (see ``settle``). Otherwise a
            single patient gives NaN.
    """
    numbered = clusters.dtype.kind in "iu" and len(clusters) > MANY  # as text a million take seconds
    _, groups = np.unique(clusters if numbered else clusters.astype(str), return_inverse=True)
    patients = int(groups.max()) + 1
    if patients == 1 and not share:
        return math.nan, math.nan
    weights = drawn(groups, seed=seed)
    samples = total(values.astype(float), weights) / films_in(weights)
    if share:
        counted = np.isin(values, (0, 1)).all()  # of anything finer a film says more than a coin does
        return of_share(float(samples[0]), samples[1:], patients, len(values) if counted else math.inf)
    reach = student(patients) * error(samples[1:], patients)
    return float(samples[0]) - reach, float(samples[0]) + reach


def of_share(value: float, samples: np.ndarray, clusters: int, most: float = math.inf) -> tuple[float, float]:
    """The interval of a share of films, 0 to 1, from its resamples (R,), NaN where undefined; see ``settle``."""
    return settle(value, samples, clusters, most=most)


@lru_cache(maxsize=4096)
def student(clusters: int) -> float:
    """Quantile of Student's t for an interval that rests on this many patients; that of two for one."""
    from scipy.special import stdtrit

    return float(stdtrit(max(clusters - 1, 1), (1 + LEVEL) / 2))


def error(samples: np.ndarray, clusters: int) -> float:
    """Standard error from resamples (R,) of this many patients, of which the bootstrap sees (P - 1) / P."""
    known = samples[~np.isnan(samples)]
    return float(known.std()) * math.sqrt(clusters / max(clusters - 1, 1)) if len(known) else 0.0


def basic(value: float, low: float, high: float) -> tuple[float, float]:
    """The basic bootstrap's limits from those of the percentiles, for a figure that luck pushes one way.

    Luck adds to a calibration error, and once more to that of a resample: what the resamples have above the figure is
    taken off it.
    """
    return 2 * value - high, 2 * value - low


def settle(
    value: float,
    samples: np.ndarray,
    clusters: int,
    scale: tuple[float, float] = (0.0, 1.0),
    most: float = math.inf,
    silent: float | None = None,
) -> tuple[float, float]:
    """The score interval of a bootstrapped figure on a bounded scale: Wilson's, of an effective number of films.

    That number is v (1 - v) / variance of the figure taken to 0 .. 1. Where no resample differs, the bootstrap knows
    nothing of the errors it has not met: there it is the number of patients, or ``silent``.

    Args:
        value: the figure itself.
        samples: its resamples (R,); NaN where undefined.
        clusters: patients of the smallest class involved.
        scale: lowest and highest value the figure can have.
        most: effective films at most.
        silent: effective films where no resample differs.
    """
    return score_interval(value, error(samples, clusters), clusters, scale, most, silent)


def score_interval(
    value: float,
    spread: float,
    clusters: int,
    scale: tuple[float, float] = (0.0, 1.0),
    most: float = math.inf,
    silent: float | None = None,
) -> tuple[float, float]:
    """The same from the figure's standard error; arguments as `settle`."""
    length = scale[1] - scale[0]
    share = min(max((value - scale[0]) / length, 0.0), 1.0)
    spread = spread / length
    if spread < 1e-9 or min(share, 1 - share) < 1e-9:
        films = max(clusters, 1) if silent is None else silent
        low, high = wilson(share * films, films)
    else:
        films = min(share * (1 - share) / spread**2, most)
        low, high = proportion(share * films, films, student(clusters))
    return scale[0] + length * low, scale[0] + length * high


def of_losses(losses: np.ndarray, clusters: np.ndarray) -> tuple[float, float]:
    """The interval of a mean of skewed losses (N,), 0 or more, of films whose patients (N,) are 0 .. P-1.

    Hall's monotone transformation (1992) of Student's t takes off the skewness that a few confident errors make.
    """
    films = np.bincount(clusters).astype(float)
    sums = np.bincount(clusters, weights=losses)
    patients, mean = len(films), float(sums.sum() / films.sum())
    each = (sums - mean * films) / films.mean()  # (P,), what each patient adds to the error of the mean
    spread = float(np.sqrt((each**2).sum() / (patients - 1)))
    if spread < 1e-12:
        return mean, mean
    skewness = max(float((each**3).mean() / (each**2).mean() ** 1.5), 1e-3)
    root = math.sqrt(patients)

    def at(quantile: float) -> float:
        inner = 1 + skewness * (quantile / root - skewness / (6 * patients))
        return 3 / skewness * (float(np.cbrt(inner)) - 1) * spread

    reach = student(patients)
    return max(0.0, mean - at(reach)), max(mean, mean - at(-reach))


def rank_films(area: float, positives: int, negatives: int) -> float:
    """Films of a proportion that tell as much as an AUROC of at most this many positive and negative patients.

    From Newcombe's symmetric form (2006, method 5) of the variance of Hanley and McNeil (1982), near which that of few
    films scatters. Where the bootstrap sees more variance, as with mislabelled films, that counts: there Newcombe's own
    interval holds the truth in 0.83 of studies, this in 0.97.
    """
    area = min(max(area, 1 - area), 1 - 1e-6)
    both = (positives + negatives) / 2 - 1
    return positives * negatives / (1 + both * ((1 - area) / (2 - area) + area / (1 + area)))


def mover(value: float, parts: Sequence[tuple[float, float, float, float]]) -> tuple[float, float]:
    """The interval of a weighted sum of independent figures (weight, value, low, high): MOVER, 0 to 1."""
    down = math.sqrt(sum((weight * (own - low)) ** 2 for weight, own, low, _ in parts))
    up = math.sqrt(sum((weight * (high - own)) ** 2 for weight, own, _, high in parts))
    return max(0.0, value - down), min(1.0, value + up)


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
