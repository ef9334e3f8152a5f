"""What leaves the Heatmaps page: the picture, the numbers behind it, and a one-page report."""

from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.report import overlay
from core.report.documents.case import CaseReport, case_html, case_pdf, case_report
from core.report.documents.numbers import as_json, numbers
from core.report.outputs import export_name
from core.report.spreadsheet import called
from pages.shared import exports, viewer
from pages.shared.case import Case

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap


def row(case: Case, map_: "Heatmap", drawing: viewer.Drawing) -> None:
    """A row of downloads; each file is made when it is asked for."""
    film, names = case.film, exports.names_wanted()
    of = called(PurePath(film.name).stem, film.sha256, names), map_.class_name, map_.method, case.model.card.name
    view = viewer.View(case.prediction.picture, map_, "", case.lungs, case.truth)
    maps = {map_.class_name: map_}
    with st.container(horizontal=True):
        for label, suffix, mime, make in (
            ("Overlay", "png", "image/png", lambda: overlay.png(picture(view, drawing))),
            ("Raw map", "npy", "application/octet-stream", lambda: array(map_)),
            (
                "Numbers",
                "json",
                "application/json",
                lambda: as_json(numbers(case.examined, maps, names=names)),
            ),
            ("Report", "pdf", "application/pdf", lambda: case_pdf(report(case, map_, drawing))),
            ("Report", "html", "text/html", lambda: case_html(report(case, map_, drawing))),
        ):
            st.download_button(
                f"{label} .{suffix}",
                make,
                export_name("report" if label == "Report" else "", suffix, *of),
                mime,
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
            )
        exports.ask_for_names()


def picture(view: viewer.View, drawing: viewer.Drawing) -> np.ndarray:
    """The picture as drawn, with its colour bar, RGB uint8 (H, W, 3)."""
    image = viewer.draw(view, drawing, view.top)
    signed = view.heatmap is not None and view.heatmap.signed
    return overlay.beside(image, overlay.colourbar(drawing.style, view.top, image.shape[0], signed), gap=0)


def report(case: Case, map_: "Heatmap", drawing: viewer.Drawing) -> CaseReport:
    """The case as one page."""
    view = viewer.View(case.prediction.picture, map_, "", case.lungs, case.truth)
    return case_report(case.examined, map_, picture(view, drawing))


def array(map_: "Heatmap") -> bytes:
    """The map at its true scale, as a NumPy file."""
    buffer = BytesIO()
    np.save(buffer, map_.values)
    return buffer.getvalue()
