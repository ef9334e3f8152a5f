"""What chance alone would give: the labels are permuted many times, and the same figure is computed each time.

Whole patients and pictures change their label together, for films of one patient are not independent witnesses.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

DEALS = 499
P = 0.01  # a figure is believed where chance reaches it in fewer deals than this
_SEED = 0
_USUAL = 95  # percentile of the deals that is called the chance level


@dataclass(frozen=True)
class Null:
    """A figure and what chance makes of it.

    Args:
        observed: the figure.
        level: what chance stays below in 95 of 100 permutations.
        p: share of the permutations, the observed labels among them, that reach the figure.
        highest: figure of all permutations; least: share of them that reach it. No figure of these films could have a
            smaller p.
    """

    observed: float
    level: float
    p: float
    highest: float = 0.0
    least: float = 0.0

    def verdict(self, limit: float) -> bool | None:
        """False: at least ``limit``, and more than chance. None: chance alone may reach ``limit``, or these films could
        reach it and not be told from chance. True: neither."""
        if self.observed >= limit and self.p < P:
            return False
        return None if self.level >= limit or (self.highest >= limit and self.least >= P) else True


def against_chance(
    figure: Callable[[np.ndarray], float], labels: np.ndarray, groups: np.ndarray, deals: int = DEALS, seed: int = _SEED
) -> Null:
    """Judge a figure of the labels int (N,) of films in groups int (N,), by permutation (Phipson and Smyth 2010)."""
    observed = figure(labels)
    rng = np.random.default_rng(seed)
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    of_group = labels[first]
    dealt = np.array([figure(of_group[rng.permutation(len(first))][number]) for _ in range(deals)])
    dealt = np.where(np.isnan(dealt), observed, dealt)  # a deal that gave no figure speaks for chance
    reached = int((dealt >= observed - 1e-12).sum()) + 1
    level = float(np.percentile(dealt, _USUAL)) if deals else observed
    highest = float(dealt.max(initial=observed))
    least = (int((dealt >= highest - 1e-12).sum()) + 1) / (deals + 1)
    return Null(float(observed), level, reached / (deals + 1), highest, least)
