"""Films that a model was judged on, drawn from the sidebar's cohort: errors, doubts, a cell of the confusion matrix."""

import functools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluate import review
from core.evaluate.operating import OperatingPoint
from core.report import overlay
from pages.shared import evaluations, gallery, resources, widgets
from pages.shared.case import current_cohort
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.evaluate.compare import Comparison
    from core.evaluate.evaluation import Evaluation

CHANGED = 24  # films shown that two models call differently
CELL_FILMS = 12  # films of a cell that get heatmaps
LISTED = {
    "film": "Film",
    "label": "Label",
    "called": "Called",
    "p_called": "Probability of the call",
    "p_label": "Probability of the label",
}


def grid(found: pd.DataFrame, notes: list[str], key: str, with_maps: bool = False) -> None:
    """Films as thumbnails where the sidebar's cohort has them, else as a table.

    Args:
        with_maps: each with the map of what the sidebar's model calls it; a click then opens it on Heatmaps.
    """
    if found.empty:
        st.success("None.", icon=":material/check:")
        return
    cohort = current_cohort()
    rows = evaluations.rows_in(cohort, found.rename(columns={"film": "path"}))
    here = np.flatnonzero(rows >= 0)
    if len(here):
        spec, shown = st.session_state["cohort"], [int(rows[i]) for i in here]
        picture = functools.partial(mapped, spec) if with_maps else None
        gallery.grid(spec, cohort, shown, key, [notes[i] for i in here], picture)
    if len(here) < len(rows):
        elsewhere = found[rows < 0]
        st.caption(f"{len(elsewhere):,} films are not in the sidebar's cohort; choose theirs there to see them.")
        widgets.table(elsewhere[list(LISTED)].rename(columns=LISTED), hide_index=True)


def mapped(spec: str, row: int) -> np.ndarray:
    """A film with the heatmap of what the sidebar's model calls it, RGB uint8 (S, S, 3)."""
    model, film = resources.classifier(st.session_state["model"]), resources.film(spec, row)
    said = resources.prediction(model, film)
    map_ = resources.heatmaps(model, film)[said.label]
    return overlay.overlay(said.picture, map_.values, overlay.Style(opacity=st.session_state["opacity"]))


def cell(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """The films of the chosen cell, where the model looked on each, and on average."""
    label, called = (st.session_state.get(name) for name in ("cell label", "cell called"))
    if label is None or called is None:
        return
    found = review.cell(evaluation, label, called, point)
    st.header(f"{plain(label)} called {plain(called)}: {len(found):,}", anchor=False)
    cohort, spec = current_cohort(), st.session_state["cohort"]
    rows = evaluations.rows_in(cohort, found.rename(columns={"film": "path"}))
    here = [int(row) for row in rows if row >= 0][:CELL_FILMS]
    if found.empty or not here:
        grid(found, [""] * len(found), "cell")
        return
    model = resources.classifier(st.session_state["model"])
    with st.spinner("Computing heatmaps"):
        picture, evidence = evaluations.mean_heatmap(spec, model, here, called)
        maps = [(row, resources.heatmaps(model, resources.film(spec, row))[called]) for row in here]
    style = overlay.Style(opacity=st.session_state["opacity"])
    with st.grid("auto", min_column_width=150, gap="small"):
        st.image(
            overlay.overlay(picture, evidence, style), width="stretch", alt="Mean heatmap of the cell",
            caption=f"mean of {len(here)}: evidence for {plain(called)}",
        )  # fmt: skip
        for row, map_ in maps:
            with st.container(gap="xxsmall"):
                film = resources.prediction(model, resources.film(spec, row)).picture
                st.image(overlay.overlay(film, map_.values, style), width="stretch", alt=f"Heatmap of film {row + 1}")
                note = "no evidence" if map_.blank else f"{called} {map_.probability:.2f}"
                st.button(
                    f"{row + 1} · {note}", key=f"cell {row}", on_click=gallery.open_film,
                    args=(row, gallery.HEATMAPS), type="tertiary", width="stretch",
                    help=f"Make film {row + 1} the case of every page, and open it",
                )  # fmt: skip
    st.caption(
        f"{len(here)} of {len(found):,} films, most confident calls first. {widgets.made_by(model, maps[0][1])}, each "
        f"map on its own scale; no evidence: nothing on the film speaks for {called}. A click makes the film the case "
        "of every page."
    )


def changed(result: "Comparison") -> None:
    """Films that the two models call differently."""
    counts = result.changed["verdict"].value_counts()
    verdict = st.pills(
        "Films that changed", list(counts.index), format_func=lambda v: f"{v} ({counts[v]})", key="verdict"
    )
    table = result.changed if verdict is None else result.changed[result.changed["verdict"] == verdict]
    cohort = current_cohort()
    rows = evaluations.rows_in(cohort, table.rename(columns={"film": "path"}))
    here = np.flatnonzero(rows >= 0)[:CHANGED]
    st.caption(f"{len(here) or len(table):,} of {len(table):,} films: first model's call → second model's.")
    notes = [f"{a} → {b}" for a, b in zip(table["first"], table["second"], strict=True)]
    if len(here):
        gallery.grid(
            st.session_state["cohort"], cohort, [int(rows[i]) for i in here], "changed", [notes[i] for i in here]
        )
    else:
        widgets.table(table, hide_index=True)
