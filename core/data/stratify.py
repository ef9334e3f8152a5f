"""Shares of films with several findings each: iterative stratification (Sechidis 2011) of whole groups.

The rarest finding that is still to be dealt is dealt first, each group to the part that lacks it most: what is common
can be balanced later, what is rare cannot.
"""

from collections.abc import Sequence

import numpy as np

_OPEN = -1


def strata(present: np.ndarray) -> np.ndarray:
    """Bool (N, F + 1): the findings of each film that are known to be there, and films without any."""
    there = present == 1
    return np.column_stack([there, ~there.any(axis=1)])


def deal(
    order: Sequence[int] | np.ndarray, group: np.ndarray, present: np.ndarray, shares: Sequence[float]
) -> np.ndarray:
    """The part (N,) of each film, an index into ``shares``; films of a group stay together, -1 for groups not dealt.

    Args:
        order: the groups to deal, each once; of equal claims the first one is met.
        group: int (N,), the group of each film.
        present: bool (N, F), see `strata`.
        shares: wished parts of the films, adding up to 1; the first one gets what nobody lacks.
    """
    place = {int(g): k for k, g in enumerate(order)}
    rows = np.array([place.get(int(g), _OPEN) for g in group])
    dealt_rows = rows != _OPEN
    counts = np.zeros((len(order), present.shape[1]), np.int64)  # films of each group by finding
    np.add.at(counts, rows[dealt_rows], present[dealt_rows].astype(np.int64))
    films = np.bincount(rows[dealt_rows], minlength=len(order))
    wished = np.outer(shares, counts.sum(axis=0)).astype(float)
    room = np.array(shares) * films.sum()
    part = np.full(len(order), _OPEN)
    left = counts.sum(axis=0)
    while left.any():
        finding = int(np.argmin(np.where(left > 0, left, np.iinfo(np.int64).max)))
        for g in np.flatnonzero((part == _OPEN) & (counts[:, finding] > 0)):
            lacking = wished[:, finding]
            best = np.flatnonzero(np.isclose(lacking, lacking.max()))
            chosen = int(best[np.argmax(room[best])])
            part[g] = chosen
            wished[chosen] -= counts[g]
            room[chosen] -= films[g]
            left = left - counts[g]
    return np.where(dealt_rows, part[rows], _OPEN)
