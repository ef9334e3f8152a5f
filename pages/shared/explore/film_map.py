"""Every film a point: films that the model finds alike lie together."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.explain import embeddings
from core.report import cohort_figures
from pages.shared import filters, gallery, overview, state, widgets
from pages.shared.case import Case, current
from pages.shared.explore.sampling import MAPPED, thinned
from pages.shared.explore.scored import scored
from pages.shared.selection_link import films_told

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PROJECTIONS = ("PCA", "UMAP")
COLOURS = ("label", "called", "error", "source", "split")


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """Every film a point; films that the model finds alike lie together."""
    case, chosen = current(), thinned(rows, MAPPED)
    found = scored(case, spec, cohort, chosen)
    if found is None:
        return
    chosen = found.scored(chosen)
    if not chosen:
        st.info("None of these films can be read.")
        return
    state.choose("projection", PROJECTIONS, lambda: PROJECTIONS[0])
    state.choose("colour", COLOURS, lambda: COLOURS[0])
    with st.container(horizontal=True):
        method = st.segmented_control(
            "Projection", PROJECTIONS, required=True, key="projection", persist_state="session",
            help="PCA keeps distances, UMAP neighbours; its first run takes up to a minute.",
        )  # fmt: skip
        colour = st.selectbox("Colour", COLOURS, key="colour", width=160, persist_state="session")
    features, wanted = found.matrix(chosen), method or PROJECTIONS[0]
    points = widgets.in_background(
        "Projecting", lambda: st.session_state.update(projection="PCA"), lambda: overview.projection(features, wanted)
    )
    group = grouping(case, cohort, found, chosen, colour)
    hover = [f"film {row + 1}: {cohort.samples['label'].iat[row]}" for row in chosen]
    lasso(
        spec,
        cohort,
        cohort_figures.film_map(points, chosen, group, hover, colour, cohort.classes),
        f"Map of films coloured by {colour}",
    )


@widgets.part
def lasso(spec: str, cohort: Cohort, figure: "Figure", alt: str) -> None:
    """The map, and below it the films that were picked on it."""
    event = st.plotly_chart(
        figure, key="map", config=widgets.VIEWER, on_select="rerun", selection_mode=("box", "lasso"), alt=alt
    )
    picked = sorted({int(_first(point["customdata"])) for point in event["selection"]["points"]})
    st.caption("Draw a lasso round films to see them.")
    if picked:
        st.button(f"Select these {len(picked):,} films", on_click=_select, args=(picked,))
        gallery.grid(spec, cohort, picked, "lasso")


def grouping(case: Case, cohort: Cohort, found: embeddings.Embeddings, rows: list[int], colour: str) -> list[str]:
    """What each film of the map is coloured by."""
    if colour in cohort.samples:
        return [str(value) or "unknown" for value in cohort.samples[colour].to_numpy()[rows]]
    called = [case.model.classes[index] for index in case.model.output.first(found.probabilities(rows))]
    if colour == "called":
        return called
    from core.evaluate.scoring import class_of_label

    meaning = class_of_label(case.model, cohort.classes)
    labels = [meaning.get(label) for label in cohort.samples["label"].to_numpy()[rows]]
    verdicts = {True: "right", False: "wrong"}
    return [
        "a label the model does not know" if label is None else verdicts[call == label]
        for call, label in zip(called, labels, strict=True)
    ]


def _select(rows: list[int]) -> None:
    st.session_state[filters.LASSO] = films_told(rows)
    state.ask_for_whole_page()


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)
