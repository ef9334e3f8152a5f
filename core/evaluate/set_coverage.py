"""Whether conformal prediction sets hold the truth as often as they promise: by class, by source, by any slice."""

import numpy as np
import pandas as pd

from core.evaluate import slices
from core.evaluate.evaluation import Evaluation
from core.intervals import Estimate, of_mean
from core.model.conformal import Sets

COLUMNS = ("films", "covered", "labels a film", "empty", "one label")


def table(evaluation: Evaluation, sets: Sets, column: str | None = None, seed: int = 0) -> pd.DataFrame:
    """One row per group of films, all films first.

    Args:
        column: a column of ``slices.columns``; None groups by true class, which is what the sets promise.

    Returns:
        Columns ``group``, ``films`` (int), ``covered`` (`Estimate`: the share whose set holds the truth, interval over
        patients), ``labels a film`` (mean size of the sets), ``empty`` and ``one label`` (shares of the sets).
    """
    inside = sets.of(evaluation.probabilities, seed)
    held = inside[np.arange(len(evaluation)), evaluation.labels].astype(float)
    size = inside.sum(1)
    if column is None:
        groups = pd.Series([evaluation.classes[label] for label in evaluation.labels])
    else:
        groups = slices.groups(evaluation.samples, column).reset_index(drop=True)
    rows = [_row("all films", np.ones(len(evaluation), bool), held, size, evaluation.clusters)]
    for name in sorted(groups.unique(), key=str):
        rows.append(_row(str(name), (groups == name).to_numpy(bool), held, size, evaluation.clusters))
    return pd.DataFrame(rows)


def _row(name: str, chosen: np.ndarray, held: np.ndarray, size: np.ndarray, clusters: np.ndarray) -> dict[str, object]:
    low, high = of_mean(held[chosen], clusters[chosen], share=True)
    covered = Estimate(float(held[chosen].mean()), low, high, int(chosen.sum()))
    sizes = size[chosen]
    shares = [float(sizes.mean()), float((sizes == 0).mean()), float((sizes == 1).mean())]
    return {"group": name, **dict(zip(COLUMNS, [int(chosen.sum()), covered, *shares], strict=True))}
