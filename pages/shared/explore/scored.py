"""What the model makes of the films: asked for first, since it takes long."""

from core.data.cohort import Cohort
from core.explain import embeddings
from pages.shared import overview, widgets
from pages.shared.case import Case


def scored(case: Case, spec: str, cohort: Cohort, rows: list[int]) -> embeddings.Embeddings | None:
    """The embeddings with these rows scored; None until the visitor asks for work that takes long."""
    found = overview.embeddings_of(case.model, spec)
    missing = overview.missing(found, case.model, cohort, rows)
    if missing:
        sentence = f"{missing:,} films have to be shown to {case.model.card.title} first."
        if not widgets.asked("Show them", "play_arrow", sentence):
            return None
        with widgets.progress("Showing films to the model", lambda: None) as progress:
            overview.fill(found, case.model, cohort, rows, progress)
    return found
