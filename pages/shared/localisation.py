"""Heatmaps marked against known findings. A mark is made once for all visitors and kept by model and cohort."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.data.cohort import Cohort
from core.errors import EvaluationError
from pages.shared import evaluations, resources

if TYPE_CHECKING:
    from core.model.classifier import Classifier

KEPT = 8  # models and cohorts


def films(model: "Classifier", cohort: Cohort, each: int) -> Cohort:
    """Films with a known finding that the model did not learn from: at most ``each`` of a class and severity.

    Raises:
        EvaluationError: no label of the cohort means anything to the model, or no finding's place is known.
    """
    met = evaluations.with_training_splits(model, cohort)
    table = met.samples
    known = pd.Series(False, index=table.index)
    for column in ("truth", "boxes"):
        if column in table:
            known |= table[column].astype(str) != ""
    table = table[known & table["split"].isin(["test", ""])]
    if table.empty:
        remedy = "Choose one of the drawn cohorts in the sidebar"
        raise EvaluationError(
            f"{cohort.name} does not say where its findings are", "films with a truth mask or boxes", remedy
        )
    groups = ["label", "band"] if "band" in table else ["label"]
    return met.take(sorted(table.groupby(groups).head(each).index))


def marks(model: "Classifier", chosen: Cohort, methods: Sequence[str]) -> pd.DataFrame:
    """The marks made so far of these films: see ``core.explain.cohort.rows``."""
    kept = _kept(model, chosen.name)
    return kept[kept["id"].isin(_ids(chosen)) & kept["method"].isin(methods)]


def mark(model: "Classifier", chosen: Cohort, methods: Sequence[str], progress: Callable[[float], None]) -> None:
    """Make the marks that are missing; ``report`` gets the share done and may raise to stop: what is made stays."""
    from core.explain.cohort import columns, rows

    kept = _kept(model, chosen.name)
    done = set(zip(kept["id"], kept["method"], strict=True))
    made = []
    try:
        for row in rows(model, chosen, methods, done=done, progress=lambda count, total: progress(count / total)):
            made.append(row)
    finally:
        whole = pd.concat([_kept(model, chosen.name), pd.DataFrame(made, columns=columns())], ignore_index=True)
        resources.shelve(_shelf(), _key(model, chosen.name), whole.drop_duplicates(["id", "method"]), KEPT)


def _ids(chosen: Cohort) -> list[str]:
    from core.explain.cohort import film_id

    return [film_id(chosen, position) for position in range(len(chosen))]


def _kept(model: "Classifier", cohort: str) -> pd.DataFrame:
    from core.explain.cohort import columns

    return _shelf().get(_key(model, cohort), pd.DataFrame(columns=columns()))


def _key(model: "Classifier", cohort: str) -> tuple[str, str, str]:
    return model.card.name, model.card.created, cohort


@st.cache_resource(show_spinner=False)
def _shelf() -> dict[tuple[str, str, str], pd.DataFrame]:
    """A plain dictionary, oldest first: a cached function may not draw on a progress bar made outside it."""
    return {}
