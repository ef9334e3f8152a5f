"""How well the classes can be told apart without looking at the lungs: by source, by frame, by the borders alone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.signatures import SIDE

_HIDDEN = 8  # pixels of a 64-pixel thumbnail that stay visible at each edge; the lungs lie inside
_MOST_FILMS = 4000  # more make the borders-only test slower, not better
LEAST_FILMS = 20  # of a class, for it to take part,
FOLDS = 5  # and as many groups: one a fold
_RESAMPLES = 200


@dataclass(frozen=True)
class BordersOnly:
    """Area under the ROC curve, mean of one class against the rest, and its 95 % interval; 0.5 is chance."""

    auroc: float
    low: float
    high: float
    films: int


def cramers_v(first: pd.Series, second: pd.Series) -> tuple[float, float]:
    """Cramér's V of two categories, corrected for bias (Bergsma 2013), 0 to 1, and the p value of independence."""
    from scipy.stats import chi2_contingency

    table = pd.crosstab(first, second).to_numpy()
    rows, columns = table.shape
    if min(rows, columns) < 2:
        return 0.0, 1.0
    count = table.sum()
    chi2, p, _, _ = chi2_contingency(table, correction=False)
    excess = max(0.0, chi2 / count - (rows - 1) * (columns - 1) / (count - 1))
    smaller = min(rows - (rows - 1) ** 2 / (count - 1), columns - (columns - 1) ** 2 / (count - 1))
    if smaller - 1 < 1e-9:  # as many categories as films: nothing is left once the bias is taken off
        return 0.0, float(p)
    return min(1.0, float(np.sqrt(excess / (smaller - 1)))), float(p)


def effect(values: pd.Series, classes: pd.Series) -> float:
    """How much of the ranks of a measure the class explains: epsilon squared of Kruskal and Wallis, 0 to 1."""
    from scipy.stats import kruskal

    samples = [group.to_numpy() for _, group in values.groupby(classes.to_numpy()) if len(group)]
    if len(samples) < 2 or values.nunique() < 2:
        return 0.0
    return float(kruskal(*samples).statistic / (len(values) - 1))


def borders_only(thumbnails: np.ndarray, labels: np.ndarray, groups: np.ndarray, seed: int = 0) -> BordersOnly | None:
    """Train a forest on the borders of the films, the lungs hidden, and judge it on films it has not seen.

    Args:
        thumbnails: uint8 (N, 64, 64).
        labels: int (N,).
        groups: int (N,), films that must not be divided between training and judging.
        seed: of the forest and the resampling.

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
    return BordersOnly(area, float(low), float(high), len(labels))


def _borders(thumbnails: np.ndarray) -> np.ndarray:
    """float32 (N, features): the edges of each film at half the thumbnail's size."""
    half = SIDE // 2
    small = thumbnails.reshape(len(thumbnails), half, 2, half, 2).mean(axis=(2, 4), dtype=np.float32)
    visible = np.ones((half, half), bool)
    edge = _HIDDEN // 2
    visible[edge:-edge, edge:-edge] = False
    return small[:, visible]


def _mean_area(labels: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> float:
    """Mean area under the ROC curve of each class that occurs against the rest, from ranks; NaN where one does."""
    from scipy.stats import rankdata

    areas = []
    for column, label in enumerate(classes):
        mine = labels == label
        n, m = int(mine.sum()), int((~mine).sum())
        if n and m:
            areas.append((rankdata(scores[:, column])[mine].sum() - n * (n + 1) / 2) / (n * m))
    return float(np.mean(areas)) if areas else float("nan")
