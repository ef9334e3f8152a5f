"""What leaves the Heatmaps page: the picture, the numbers behind it, and a one-page report."""

import json
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.report import overlay
from core.report.documents.case import CaseReport, case_html, case_pdf
from pages.shared import resources, viewer
from pages.shared.case import Case

if TYPE_CHECKING:
    from core.explain.heatmap import Heatmap


def row(case: Case, map_: "Heatmap", drawing: viewer.Drawing) -> None:
    """A row of downloads; each file is made when it is asked for."""
    stem = f"{PurePath(case.film.name).stem}-{map_.class_name}-{map_.method}".replace(" ", "_")
    view = viewer.View(case.prediction.picture, map_, "", case.lungs, case.truth)
    with st.container(horizontal=True):
        for label, suffix, mime, make in (
            ("Overlay", "png", "image/png", lambda: overlay.png(picture(view, drawing))),
            ("Raw map", "npy", "application/octet-stream", lambda: array(map_)),
            ("Numbers", "json", "application/json", lambda: numbers(case, map_)),
            ("Report", "pdf", "application/pdf", lambda: case_pdf(report(case, map_, drawing))),
            ("Report", "html", "text/html", lambda: case_html(report(case, map_, drawing))),
        ):
            st.download_button(
                f"{label} .{suffix}",
                make,
                f"{stem}.{suffix}",
                mime,
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
            )


def picture(view: viewer.View, drawing: viewer.Drawing) -> np.ndarray:
    """The picture as drawn, with its colour bar, RGB uint8 (H, W, 3)."""
    image = viewer.draw(view, drawing, view.top)
    signed = view.heatmap is not None and view.heatmap.signed
    return overlay.beside(image, overlay.colourbar(drawing.style, view.top, image.shape[0], signed), gap=0)


def report(case: Case, map_: "Heatmap", drawing: viewer.Drawing) -> CaseReport:
    """The case as one page."""
    view = viewer.View(case.prediction.picture, map_, "", case.lungs, case.truth)
    trust = resources.trust(case.model, case.film, map_, case.lungs, case.truth)
    images = {"The film as the model sees it": case.prediction.picture, "The heatmap on it": picture(view, drawing)}
    return CaseReport(case.model.card, case.prediction, case.film.sha256, images, map_, trust.lines, case.label)


def array(map_: "Heatmap") -> bytes:
    """The map at its true scale, as a NumPy file."""
    buffer = BytesIO()
    np.save(buffer, map_.values)
    return buffer.getvalue()


def numbers(case: Case, map_: "Heatmap") -> str:
    """Everything about the case but its pixels."""
    prediction, card = case.prediction, case.model.card
    return json.dumps(
        {
            "film": {"name": case.film.name, "sha256": case.film.sha256, "label": case.label or None},
            "model": {"name": card.name, "created": card.created, "temperature": card.temperature},
            "probabilities": prediction.by_class,
            "logits": dict(zip(prediction.classes, map(float, prediction.logits), strict=True)),
            "cut_offs": prediction.cut_offs,
            "domain": {"status": prediction.domain.status, "sentence": prediction.domain.sentence},
            "heatmap": {
                "class": map_.class_name, "method": map_.method, "layer": map_.layer, "seconds": map_.seconds,
                "largest": float(np.abs(map_.values).max()), "blank": map_.blank, "signed": map_.signed,
            },
            "not_for_diagnosis": True,
        },
        indent=1,
    )  # fmt: skip
