"""What leaves the Heatmaps page: the picture, the numbers behind it, and a one-page report."""

import zipfile
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.report import overlay
from core.report.documents.case import CaseReport, case_html, case_pdf, case_report
from core.report.documents.numbers import as_json, numbers
from core.report.outputs import export_name, safe
from core.report.spreadsheet import called
from pages.shared import exports, viewer
from pages.shared.case import Case

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            ("Package", "zip", "application/zip", lambda: package([(case, map_)], drawing, names)),
        ):
            st.download_button(
                f"{label} .{suffix}",
                make,
                export_name(label.lower() if label in ("Report", "Package") else "", suffix, *of),
                mime,
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
            )
        exports.ask_for_names()


def package(cases: "Sequence[tuple[Case, Heatmap | None]]", drawing: viewer.Drawing, names: bool = False) -> bytes:
    """A zip to pass on where a link cannot show the film: of each case a folder of PDF, overlay, raw map and numbers.

    Args:
        cases: each with the map that its overlay shows; None for a film without an answer: its folder says why.
        names: folders are called as the film's files are; else by the film's hash.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (case, map_) in enumerate(cases, start=1):
            stem = safe(called(PurePath(case.film.name).stem, case.film.sha256, names))
            folder = f"{number:03d}-{stem}" if len(cases) > 1 else stem
            maps = {} if map_ is None else {map_.class_name: map_}
            archive.writestr(f"{folder}/numbers.json", as_json(numbers(case.examined, maps, names=names)))
            if map_ is None:
                continue
            view = viewer.View(case.prediction.picture, map_, "", case.lungs, case.truth)
            archive.writestr(f"{folder}/report.pdf", case_pdf(report(case, map_, drawing)))
            archive.writestr(f"{folder}/overlay.png", overlay.png(picture(view, drawing)))
            archive.writestr(f"{folder}/map.npy", array(map_))
    return buffer.getvalue()


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
