"""Chance as a value: what a measure gives to maps that know nothing, and what a map has beyond it over many films.

How it is measured: `core.explain.nulls`. One value serves trust card, cohort summary, Method lab and benchmarks.
"""

import math
from dataclasses import dataclass

import numpy as np

from core.intervals import FEWEST, of_mean, percentiles
from core.resamples import drawn, films_in, total

BASELINES = {
    "area": "an evenly lit picture",
    "lungs": "evenly lit lungs",
    "lung_prior": "the blurred lung mask",
    "random_cam": "Random CAM",
    "surrogate": "surrogates of the map",
}
"""The fields of `Chance`, and what a reader calls them."""


@dataclass(frozen=True)
class Chance:
    """The value of one measure on one film for maps that know nothing of the answer, each 0 to 1; NaN where unknown.

    Attributes:
        area: an evenly lit picture.
        lungs: evenly lit lungs.
        lung_prior: the blurred lung mask.
        random_cam: the mean of Random CAMs of many seeds.
        surrogate: the mean of phase surrogates of the map in question.
    """

    area: float
    lungs: float = math.nan
    lung_prior: float = math.nan
    random_cam: float = math.nan
    surrogate: float = math.nan

    @property
    def strongest(self) -> tuple[str, float]:
        """The baseline that a map of this film must beat, as a reader calls it, and what it gets."""
        known = {key: getattr(self, key) for key in BASELINES if not math.isnan(getattr(self, key))}
        best = max(known, key=known.__getitem__)
        return BASELINES[best], known[best]


@dataclass(frozen=True)
class Gain:
    """How far a measure exceeds chance, over the same films.

    Attributes:
        value, chance: the two means.
        difference: value - chance, film by film, on average; ``low`` and ``high`` are the limits of its 95 % interval,
            bootstrapped by patient; NaN for fewer than five patients.
        skill: (value - chance) / (1 - chance): 0 at chance, 1 when perfect; NaN where chance is perfect. Its limits
            are ``skill_low`` and ``skill_high``.
        films: how many it rests on: those where both are known.
    """

    value: float
    chance: float
    difference: float
    low: float
    high: float
    skill: float
    skill_low: float
    skill_high: float
    films: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero: more, or less, than chance."""
        return self.low > 0 or self.high < 0

    @property
    def better(self) -> bool:
        """Whether it is clearly more than chance."""
        return self.low > 0


def gain(values: np.ndarray, chance: np.ndarray, patients: np.ndarray, seed: int = 0) -> Gain:
    """A measure beside its chance on the same N films, float (N,) in 0 .. 1; films where either is NaN are left out.

    The bootstrap takes a map that hits on every film for certain. There the doubt about the measure itself, Wilson's,
    is added in quadrature (MOVER, Donner and Zou 2012), for both intervals.

    Args:
        patients: (N,), of any sort: films of one patient count together.
    """
    known = np.isfinite(values) & np.isfinite(chance)
    if not known.any():
        none = math.nan
        return Gain(none, none, none, none, none, none, none, none, 0)
    values, chance = values[known].astype(float), chance[known].astype(float)
    groups = np.unique(patients[known].astype(str), return_inverse=True)[1]
    value, by_chance = float(values.mean()), float(chance.mean())
    difference, at = value - by_chance, skill(value, by_chance)
    limits, skills = (math.nan, math.nan), (math.nan, math.nan)
    if groups.max() + 1 >= FEWEST:
        limits = of_mean(values - chance, groups, share=False, seed=seed)
        skills = _skills(values, chance, groups, seed) if by_chance < 1 else skills
        if np.ptp(values) < 1e-9:
            own = of_mean(values, groups, share=True, seed=seed)
            limits = _widened(difference, limits, value, own)
            skills = _widened(at, skills, at, tuple(skill(limit, by_chance) for limit in own))
    return Gain(value, by_chance, difference, *limits, at, *skills, int(known.sum()))


def skill(value: float, chance: float) -> float:
    """The fraction of the way from chance to perfection, (h - c) / (1 - c); NaN where chance is perfect."""
    return (value - chance) / (1 - chance) if chance < 1 else math.nan


def _skills(values: np.ndarray, chance: np.ndarray, groups: np.ndarray, seed: int) -> tuple[float, float]:
    weights = drawn(groups, seed=seed)
    found, by_chance = ((total(each, weights) / films_in(weights))[1:] for each in (values, chance))
    low, high = percentiles(((found - by_chance) / np.maximum(1 - by_chance, 1e-12))[:, None])
    return float(low[0]), float(high[0])


def _widened(centre: float, limits: tuple[float, float], value: float, own: tuple[float, ...]) -> tuple[float, float]:
    """Limits about ``centre`` with the doubt about ``value``, whose limits are ``own``, added in quadrature."""
    (low, high), (own_low, own_high) = limits, own
    return centre - math.hypot(centre - low, value - own_low), centre + math.hypot(high - centre, own_high - value)
