"""What the model makes of the films: asked for first, since it takes long; a few films at first, then all."""

from math import ceil

from core.data.cohort import Cohort
from core.explain import embeddings
from pages.shared import overview, widgets
from pages.shared.case import Case

FIRST = 300  # films shown to the model before there is something to see: seconds


def scored(case: Case, spec: str, cohort: Cohort, rows: list[int]) -> embeddings.Embeddings | None:
    """The embeddings with these rows scored, or with some 300 of them, evenly chosen, until the visitor asks for all.

    None until the visitor asks for work that takes long.
    """
    found, title = overview.embeddings_of(case.model, spec), case.model.card.title
    few = rows[:: max(1, ceil(len(rows) / FIRST))]
    if missing := overview.missing(found, case.model, cohort, few):
        if not widgets.asked("Show them", "play_arrow", f"{missing:,} films have to be shown to {title} first."):
            return None
        _fill(found, case, cohort, few)
    if missing := overview.missing(found, case.model, cohort, rows):
        sentence = f"{missing:,} more films have not been shown to {title}."
        if widgets.asked("Show all", "play_arrow", sentence):
            _fill(found, case, cohort, rows)
    return found


def _fill(found: embeddings.Embeddings, case: Case, cohort: Cohort, rows: list[int]) -> None:
    with widgets.progress("Showing films to the model", lambda: None) as progress:
        overview.fill(found, case.model, cohort, rows, progress)
