"""Films on which heatmaps can be marked right or wrong: the finding's place is known and the model never met them."""

import pandas as pd

from core.data.cohort import Cohort
from core.errors import EvaluationError

TRUTHS = ("truth", "outlines", "boxes")
"""Columns of a cohort that say where a finding is, the best first."""


def markable(met: Cohort, each: int) -> Cohort:
    """Films with a known finding that a model did not learn from: at most ``each`` of a class and severity.

    Args:
        met: films under the model's class names, with the splits they had when it was trained.

    Raises:
        EvaluationError: no finding's place is known.
    """
    table = met.samples
    known = pd.Series(False, index=table.index)
    for column in TRUTHS:
        if column in table:
            known |= table[column].astype(str) != ""
    table = table[known & table["split"].isin(["test", ""])]
    if table.empty:
        remedy = "Choose one of the drawn cohorts in the sidebar"
        raise EvaluationError(
            f"{met.name} does not say where its findings are", "films with a truth mask or boxes", remedy
        )
    groups = ["label", "band"] if "band" in table else ["label"]
    return met.take(sorted(table.groupby(groups).head(each).index))
