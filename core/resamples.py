"""Bootstrap resamples of patients, as weights of films: two films of one patient are not two pieces of evidence.

A resample is a column of film weights (how often the film's patient was drawn), so every figure of every resample is a
function of weighted sums over films, and the whole bootstrap a few matrix products. Column 0 weighs every film once:
the figure itself.

Of up to `MANY` films the weights are an array (N, 1+R). Of more they would be gigabytes: there the patients are dealt
at random into `GROUPS` groups, and whole groups are drawn. Each sum over films is taken once by group, in O(N), and a
resample adds up groups. It is the bootstrap's form of the random groups of survey statistics (Wolter 2007, chapter 2;
Kott 2001, "The delete-a-group jackknife"): unbiased for the variance, whatever patients have in common, with a standard
error that is itself known to 1 / sqrt(2 x 2000) = 1.6 %, less than the 2.2 % that 1,000 resamples leave open anyhow.
Where there are no more patients than groups, each is a group of its own and nothing is lost.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

REPLICATES = 1000
_MOST_WEIGHTS = 20_000_000  # films x resamples of an array (80 MB)
MANY = _MOST_WEIGHTS // REPLICATES  # films up to which each film has weights of its own
GROUPS = 2000


@dataclass(frozen=True, eq=False)
class Grouped:
    """Weights of films that are those of their groups."""

    groups: np.ndarray  # int32 (N,), 0 .. G-1
    counts: np.ndarray  # float64 (G, 1+R), read only; column 0 is all ones

    def __getitem__(self, films: np.ndarray) -> "Grouped":
        """Those of some films: positions, or bool (N,)."""
        return Grouped(self.groups[films], self.counts)


Weights = np.ndarray | Grouped
"""Of films (N,) under resamples: (N, 1+R)."""


def resamples(clusters: np.ndarray, replicates: int = REPLICATES, seed: int = 0) -> np.ndarray:
    """Film weights of bootstrap resamples of whole clusters, spread out over films.

    Args:
        clusters: int (N,), 0 .. P-1; films with one number are drawn together (one patient).
        replicates: how many resamples at most; fewer, down to 200, where the array would pass 80 MB.

    Returns:
        float32 (N, 1 + R); column 0 is all ones, column r how often resample r drew the film.
    """
    replicates = max(200, min(replicates, _MOST_WEIGHTS // len(clusters)))
    counts = _counts(int(clusters.max()) + 1, replicates, seed)
    weights = np.ones((len(clusters), 1 + replicates), np.float32)
    weights[:, 1:] = counts[clusters]
    return weights


def drawn(clusters: np.ndarray, replicates: int = REPLICATES, seed: int = 0) -> Weights:
    """The same for any number of films: of more than `MANY`, by group of patients."""
    if len(clusters) <= MANY:
        return resamples(clusters, replicates, seed)
    patients = int(clusters.max()) + 1
    groups = np.arange(patients, dtype=np.int32)
    if patients > GROUPS:
        groups = (np.random.default_rng([seed, 1]).permutation(patients) % GROUPS).astype(np.int32)
    return Grouped(groups[clusters], _of_groups(min(patients, GROUPS), replicates, seed))


def first(weights: Weights, replicates: int) -> Weights:
    """The films themselves and at most this many of the resamples."""
    if isinstance(weights, Grouped):
        return Grouped(weights.groups, weights.counts[:, : 1 + replicates])
    return weights[:, : 1 + replicates]


def how(weights: Weights) -> str:
    """What a figure's ``method`` says of its resamples beside the kind of interval; "" where patients are drawn."""
    if isinstance(weights, Grouped) and len(weights.counts) == GROUPS:
        return f"; patients drawn in {GROUPS:,} random groups"
    return ""


def total(values: np.ndarray, weights: Weights) -> np.ndarray:
    """Sums of ``values`` (..., N) over films under every resample, (..., 1+R)."""
    if not isinstance(weights, Grouped):
        sums: np.ndarray = values @ weights
        return sums
    rows = values.reshape(-1, values.shape[-1])
    by_group = np.stack([np.bincount(weights.groups, row, len(weights.counts)) for row in rows])
    return np.asarray((by_group @ weights.counts).reshape(*values.shape[:-1], -1))


def films_in(weights: Weights) -> np.ndarray:
    """Films in every resample (1+R,)."""
    if isinstance(weights, Grouped):
        return np.asarray(np.bincount(weights.groups, minlength=len(weights.counts)) @ weights.counts)
    return np.asarray(weights.sum(axis=0))


def tally(cells: np.ndarray, n: int, weights: Weights, values: np.ndarray | None = None) -> np.ndarray:
    """Films in each of ``n`` cells under every resample, (n, 1+R).

    Args:
        cells: int (N,), 0 .. n-1: where each film lies.
        values: float (N,), what each film counts; 1 unless given.
    """
    if isinstance(weights, Grouped):
        places = weights.groups.astype(np.int64) * n + cells
        by_group = np.bincount(places, values, len(weights.counts) * n).reshape(-1, n)
        return np.asarray(by_group.T @ weights.counts)
    members: Any = np.eye(n, dtype=np.float32)[cells]
    return np.asarray((members if values is None else members * values[:, None]).T @ weights)


@lru_cache(maxsize=2)  # of GROUPS groups they are the same for all films: 16 MB
def _of_groups(groups: int, replicates: int, seed: int) -> np.ndarray:
    counts = np.ones((groups, 1 + replicates))
    counts[:, 1:] = _counts(groups, replicates, seed)
    counts.setflags(write=False)
    return counts


def _counts(clusters: int, replicates: int, seed: int) -> np.ndarray:
    """How often each of R resamples drew each cluster, int (P, R)."""
    chosen = np.random.default_rng(seed).integers(0, clusters, (replicates, clusters))
    chosen += clusters * np.arange(replicates)[:, None]
    return np.bincount(chosen.ravel(), minlength=replicates * clusters).reshape(replicates, clusters).T
