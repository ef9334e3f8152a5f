"""Many uploaded films at once: a row for each with its picture, map and answer, as CSV, and as a package of all."""

import base64
from dataclasses import replace

import pandas as pd
import streamlit as st

from core.data.film.radiograph import Radiograph
from core.report import overlay
from core.report.call import in_words
from core.report.outputs import export_name
from pages.shared import downloads, exports, resources, uploads, viewer, widgets
from pages.shared.case import Case

FITS = {"in": "yes", "doubtful": "doubtful", "out": "no"}
ONE_CLASS = (
    "The answer is the class whose probability is the largest multiple of its own operating point, which need not be "
    "the largest probability."
)
SEVERAL_FINDINGS = "The answer names every finding at or above its own operating point: none, one or several."
REFUSED = (
    "A film that the model does not know gets no answer: no probabilities and no map; opened, it shows them on demand."
)
PACKED = "PDF, overlay, raw map and numbers of every film; of one that the model does not know, why."
MAPPED = "The heatmap of the answer; none of a film that the model does not know."


def table(films: list[Radiograph], case: Case) -> None:
    """Many films at once: sortable, one click opens a film."""
    rows = []
    with widgets.progress("Asking the model", uploads.forget) as progress:
        for number, film in enumerate(films):
            progress(number / len(films))
            p = resources.prediction(case.model, film)
            rows.append(
                {"film": _source(resources.small(p.picture, 64)), "map": _overlay(case, film), "name": film.name}
                | {"answer": in_words(p), "fits": FITS[p.domain.status]}
                | p.told
            )
    frame = pd.DataFrame(rows)
    config = {
        name: st.column_config.ProgressColumn(name, width=115, min_value=0, max_value=1, format="%.3f")
        for name in case.model.classes
    }
    widgets.table(
        frame,
        hide_index=True,
        row_height=52,
        on_select=open_row,
        selection_mode="single-row",
        key="table",
        column_config=config
        | {"film": st.column_config.ImageColumn(width=60), "map": st.column_config.ImageColumn(width=60, help=MAPPED)}
        | {"name": st.column_config.TextColumn(width=130)}
        | {"fits": st.column_config.TextColumn(width=80, help="Whether the model knows films like this one.")},
    )
    hashes = [film.sha256 for film in films]
    told = frame.drop(columns="map").assign(film=frame["name"], sha256=hashes).drop(columns="name")
    csv = exports.films_as_csv(told)
    with st.container(horizontal=True, vertical_alignment="center"):
        file = export_name("predictions", "csv", case.model.card.name)
        st.download_button("CSV", csv, file, "text/csv", icon=":material/download:", on_click="ignore")
        zipped = export_name("package", "zip", case.model.card.name)
        st.download_button(
            "Package of all .zip", lambda: _package(films, case), zipped, "application/zip",
            icon=":material/folder_zip:", on_click="ignore", help=PACKED,
        )  # fmt: skip
        rule = ONE_CLASS if case.model.output.exclusive else SEVERAL_FINDINGS
        no_answer = f" {REFUSED}" if "no" in set(frame["fits"]) else ""
        st.caption(f"Tick a row to open its film. {rule}{no_answer}")
        exports.ask_for_names()


def _source(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _overlay(case: Case, film: Radiograph) -> str:
    """A small picture of the film with the map of its answer; none of a film that is outside what the model knows."""
    one = replace(case, film=film, row=None, label="")
    if one.prediction.refused:
        return ""
    map_ = resources.heatmaps(one.model, film)[one.prediction.label]
    picture = overlay.enlarge(one.prediction.picture, 64)
    return _source(overlay.png(overlay.overlay(picture, overlay.enlarge(map_.values, 64), overlay.Style(0.6))))


def _package(films: list[Radiograph], case: Case) -> bytes:
    cases = [replace(case, film=film, row=None, label="") for film in films]
    maps = [
        None if one.prediction.refused else resources.heatmaps(one.model, one.film)[one.prediction.label]
        for one in cases
    ]
    drawing = viewer.Drawing(overlay.Style(st.session_state["opacity"]))
    return downloads.package(list(zip(cases, maps, strict=True)), drawing, exports.names_wanted())


def open_row() -> None:
    """Show the film whose row was clicked."""
    rows = st.session_state["table"]["selection"]["rows"]
    if rows:
        st.session_state["upload"] = rows[0] + 1
