"""How well the classes can be told apart without looking at the lungs: by source, by frame, by the borders alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.audit.chance import against_chance
from core.data.signatures import SIDE

HALF = SIDE // 2  # pixels per side of what the forest sees
_HIDDEN = 8  # pixels of a 64-pixel thumbnail that stay visible at each edge; the lungs lie inside
_MOST_FILMS = 4000  # more make the borders-only test slower, not better
LEAST_FILMS = 20  # of a class, for it to take part,
FOLDS = 5  # and as many groups: one per fold
_RESAMPLES = 200


@dataclass(frozen=True)
class BordersOnly:
    """Area under the ROC curve, mean of one class against the rest, and its 95 % interval; 0.5 is chance.

    Args:
        chance: what the area stays below in 95 of 100 permutations of the labels; p: share of them that reach it.
        covered: share of the ring that lung lay in before it was masked, mean of the films; NaN where it was not looked
            for.
    """

    auroc: float
    low: float
    high: float
    films: int
    chance: float
    p: float
    covered: float = float("nan")


def cramers_v(first: np.ndarray, second: np.ndarray) -> float:
    """Cramér's V of two categories, int codes (N,), corrected for bias (Bergsma 2013), 0 to 1."""
    rows, columns = int(first.max(initial=0)) + 1, int(second.max(initial=0)) + 1
    table = np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns).astype(float)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return 0.0
    count = table.sum()
    expected = table.sum(axis=1)[:, None] * table.sum(axis=0) / count
    excess = max(
        0.0, float(((table - expected) ** 2 / expected).sum()) / count - (rows - 1) * (columns - 1) / (count - 1)
    )
    smaller = min(rows - (rows - 1) ** 2 / (count - 1), columns - (columns - 1) ** 2 / (count - 1))
    if smaller - 1 < 1e-9:  # as many categories as films: nothing is left once the bias is taken off
        return 0.0
    return min(1.0, float(np.sqrt(excess / (smaller - 1))))


def ranked(values: pd.Series) -> np.ndarray:
    """float64 (N,): the ranks of some measure, from 1; equal values share theirs."""
    from scipy.stats import rankdata

    ranks: np.ndarray = rankdata(values.to_numpy(float))
    return ranks


def effect(ranks: np.ndarray, labels: np.ndarray) -> float:
    """How much of the ranks (N,) of a measure the class, int (N,), explains: epsilon squared of Kruskal and Wallis."""
    centred = ranks - ranks.mean()
    total = float((centred**2).sum())
    counts = np.bincount(labels)
    sums = np.bincount(labels, centred)
    if (counts > 0).sum() < 2 or total == 0:
        return 0.0
    return float((sums[counts > 0] ** 2 / counts[counts > 0]).sum() / total)


def borders_only(
    thumbnails: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0, lungs: np.ndarray | None = None
) -> BordersOnly | None:
    """Train a forest on the borders of the films, the lungs hidden, and judge it on films it has not seen.

    Args:
        thumbnails: uint8 (N, 64, 64).
        labels: int (N,).
        groups: int (N,), films that must not be divided between training and judging.
        seed: of the forest and the resampling.
        lungs: bool (N, 32, 32), where lung was found; what of it lies in the ring is filled from other films.

    Returns:
        The cross-validated area, its interval by resampling groups; None where fewer than two classes have 20 films
        in 5 groups.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import StratifiedGroupKFold

    rng = np.random.default_rng(seed)
    enough = [
        (labels == c).sum() >= LEAST_FILMS and len(np.unique(groups[labels == c])) >= FOLDS
        for c in range(int(labels.max(initial=0)) + 1)
    ]
    chosen = np.flatnonzero(np.array(enough)[labels])
    chosen = np.sort(rng.permutation(chosen)[:_MOST_FILMS])
    labels, groups = labels[chosen], groups[chosen]
    classes = np.unique(labels)
    if len(classes) < 2:
        return None
    borders = _borders(thumbnails[chosen])
    covered = float("nan")
    if lungs is not None:
        hidden = lungs[chosen][:, _ring()]
        covered = float(hidden.mean())
        borders = _filled(borders, hidden, rng)
    scores = np.zeros((len(labels), len(classes)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(borders, labels, groups):
        forest = ExtraTreesClassifier(100, min_samples_leaf=2, class_weight="balanced", random_state=seed)
        forest.fit(borders[train], labels[train])
        scores[np.ix_(test, np.searchsorted(classes, forest.classes_))] = forest.predict_proba(borders[test])
    area = _mean_area(labels, scores, classes)
    members = list(pd.Series(np.arange(len(groups))).groupby(groups).groups.values())
    resampled = []
    for _ in range(_RESAMPLES):
        drawn = np.concatenate([members[k] for k in rng.integers(0, len(members), len(members))])
        resampled.append(_mean_area(labels[drawn], scores[drawn], classes))
    low, high = np.nanpercentile(resampled, (2.5, 97.5))  # a resample may lack a class
    null = against_chance(lambda dealt: _mean_area(dealt, scores, classes), labels, groups, _RESAMPLES, seed)
    return BordersOnly(area, float(low), float(high), len(labels), null.level, null.p, covered)


def _borders(thumbnails: np.ndarray) -> np.ndarray:
    """float32 (N, features): the edges of each film at half the thumbnail's size."""
    small = thumbnails.reshape(len(thumbnails), HALF, 2, HALF, 2).mean(axis=(2, 4), dtype=np.float32)
    border: np.ndarray = small[:, _ring()]
    return border


def _ring() -> np.ndarray:
    """Bool (32, 32): what stays visible."""
    visible = np.ones((HALF, HALF), bool)
    edge = _HIDDEN // 2
    visible[edge:-edge, edge:-edge] = False
    return visible


def _filled(borders: np.ndarray, hidden: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Borders (N, features) whose hidden places hold what another film shows there, whichever its class.

    One grey for all of them would not do: where it lies, and so the lung's outline, would tell the classes apart.
    """
    filled = borders.copy()
    for place in np.flatnonzero(hidden.any(axis=0)):
        mine, donors = np.flatnonzero(hidden[:, place]), np.flatnonzero(~hidden[:, place])
        filled[mine, place] = borders[rng.choice(donors, len(mine)), place] if len(donors) else 0
    return filled


def _mean_area(labels: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> float:
    """Mean area under the ROC curve of each class that occurs against the rest, from ranks; NaN where one does."""
    found = areas(scores, labels[:, None] == classes)
    known = found[~np.isnan(found)]
    return float(known.mean()) if len(known) else float("nan")


def areas(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of each column (D,), from ranks (Hanley and McNeil 1982); NaN where one side is absent.

    Args:
        scores: float (N, D), high for the positives.
        positive: bool (N, D).
    """
    from scipy.stats import rankdata

    n, ranks = positive.sum(axis=0), rankdata(scores, axis=0)
    pairs = n * (len(positive) - n)
    above = (ranks * positive).sum(axis=0) - n * (n + 1) / 2
    found: np.ndarray = np.where(pairs > 0, above / np.maximum(pairs, 1), np.nan)
    return found
