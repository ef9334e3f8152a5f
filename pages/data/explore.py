"""Explore: the cohort before any model is believed: films, counts, distributions, means, map, similarity, audit."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.report.outputs import export_name
from pages.shared import exports, filters, gallery, state, widgets
from pages.shared.case import current_cohort
from pages.shared.explore import audit, counts, distributions, film_map, means, similar, table
from pages.shared.text import plain

TITLES = {
    "films": "Films",
    "counts": "Counts",
    "table": "Table",
    "distributions": "Distributions",
    "means": "Mean films",
    "map": "Map",
    "similar": "Similar films",
    "audit": "Audit",
}


def films(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """Thumbnails."""
    gallery.grid(spec, cohort, rows, "films")


VIEWS: dict[str, Callable[[str, Cohort, np.ndarray], None]] = {
    "films": films,
    "counts": counts.view,
    "table": table.view,
    "distributions": distributions.view,
    "means": means.view,
    "map": film_map.view,
    "similar": similar.view,
    "audit": audit.view,
}

widgets.heading(
    "Explore", "The films of the cohort: what is in it, and what a model could learn from it besides disease."
)
spec, cohort = st.session_state["cohort"], current_cohort()
with st.container(horizontal=True, vertical_alignment="center"):
    chosen_rows = filters.selection(cohort)
    st.markdown(f"**{len(chosen_rows):,} of {len(cohort):,} films** selected")
    if len(chosen_rows) < len(cohort):
        st.button("Clear", icon=":material/filter_alt_off:", on_click=filters.clear, type="tertiary")
        if filters.too_many():
            st.caption("Too much for a link, which leaves the longest part out.")
    st.download_button(
        "CSV",
        lambda: filters.as_csv(cohort, chosen_rows),
        export_name("selection", "csv", cohort.name),
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )
    if not cohort.drawn:
        exports.ask_for_names()
state.choose("explore view", TITLES, lambda: "films")
view = st.segmented_control(
    "View",
    list(TITLES),
    required=True,
    format_func=TITLES.__getitem__,
    label_visibility="collapsed",
    key="explore view",
    persist_state="session",
)
if not len(chosen_rows):
    st.info("No film passes the filters.", icon=":material/filter_alt_off:")
else:
    VIEWS[view or "films"](spec, cohort, chosen_rows)
for note in cohort.notes:
    st.caption(f":material/info: {plain(note, longest=600)}")
