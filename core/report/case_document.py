"""One case on one page, as PDF or self-contained HTML: what the model said, where it looked, if that is evidence."""

import base64
import html
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.explain.trust import Trust
from core.model.checkpoint import Card
from core.model.classifier import Prediction
from core.report import document_page, overlay

DISCLAIMER = "Research and teaching, not for diagnosis. The answers can be wrong and must not guide care."
MARKS = {"good": "+", "caution": "~", "bad": "-", "unknown": "?"}


@dataclass(frozen=True, eq=False)
class CaseReport:
    """Everything the page shows.

    Args:
        prediction: of the film.
        card: of the model.
        heatmap: the one that is drawn.
        drawing: the overlay as shown, uint8 (H, W, 3), with its colour bar.
        trust: the trust card of the heatmap.
        label: the known label; "" if there is none.
        film_sha256: hash of the film's file.
    """

    prediction: Prediction
    card: Card
    heatmap: Heatmap
    drawing: np.ndarray
    trust: Trust
    label: str = ""
    film_sha256: str = ""

    @property
    def caption(self) -> str:
        """What the picture shows."""
        map_ = self.heatmap
        blank = " There is no positive evidence: the map is blank." if map_.blank else ""
        return f"{METHODS[map_.method].title} for {map_.class_name}, layer {map_.layer}, {map_.seconds:.2f} s.{blank}"

    @property
    def facts(self) -> dict[str, str]:
        """Where film and model come from."""
        return {
            "Film": self.prediction.name,
            "SHA-256": self.film_sha256,
            "Known label": self.label,
            "Model": f"{self.card.title} ({self.card.name}, {self.card.created[:10]})",
            "Learned from": str(self.card.data.get("name", "")),
            "In domain": self.prediction.domain.sentence,
        }

    @property
    def answers(self) -> list[tuple[str, str, str]]:
        """Class, probability and cut-off."""
        p = self.prediction
        return [(c, f"{v:.3f}", f"{t:.3f}") for c, v, t in zip(p.classes, p.probabilities, p.thresholds, strict=True)]


def as_html(report: CaseReport) -> str:
    """A self-contained page."""
    image = base64.b64encode(overlay.png(report.drawing)).decode()
    body = [
        f"<h1>{html.escape(report.prediction.label)}</h1>",
        f'<p class="note">{DISCLAIMER}</p>',
        f'<figure><img src="data:image/png;base64,{image}" alt="Overlay">'
        f"<figcaption>{html.escape(report.caption)}</figcaption></figure>",
        "<h2>Answer</h2>",
        document_page.table(("class", "calibrated probability", "cut-off"), report.answers),
        "<h2>Is this evidence?</h2>",
        document_page.table(("test", "verdict", ""), [(x.title, x.verdict, x.sentence) for x in report.trust.lines]),
        "<h2>Provenance</h2>",
        document_page.table(("", ""), list(report.facts.items())),
    ]
    return document_page.page(f"Case {report.prediction.name}", body)


def as_pdf(report: CaseReport) -> bytes:
    """One A4 page."""
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.add_page()
    pdf.set_title(_latin(f"Case {report.prediction.name}"))
    pdf.set_font("Helvetica", "B", 18)
    pdf.cell(0, 9, _latin(report.prediction.label), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 8)
    pdf.cell(0, 5, DISCLAIMER, new_x="LMARGIN", new_y="NEXT")
    top = pdf.get_y() + 3
    pdf.image(BytesIO(overlay.png(report.drawing)), x=10, y=top, w=100)
    height = 100 * report.drawing.shape[0] / report.drawing.shape[1]
    pdf.set_xy(115, top)
    _lines(pdf, "Answer (probability, cut-off)", {c: f"{p} ({t})" for c, p, t in report.answers}, 115)
    pdf.set_xy(115, pdf.get_y() + 3)
    _lines(pdf, "Provenance", report.facts, 115)
    pdf.set_xy(10, top + height + 2)
    pdf.set_font("Helvetica", "I", 8)
    pdf.multi_cell(100, 4, _latin(report.caption))
    pdf.set_xy(10, max(pdf.get_y(), top + height) + 6)
    tests = {f"{MARKS[line.verdict]} {line.title}": line.sentence for line in report.trust.lines}
    _lines(pdf, "Is this evidence?  (+ good, ~ caution, - bad, ? unknown)", tests, 10)
    return bytes(pdf.output())


def _lines(pdf: Any, title: str, rows: Mapping[str, str], left: float) -> None:
    pdf.set_x(left)
    pdf.set_font("Helvetica", "B", 10)
    pdf.cell(0, 6, _latin(title), new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("Helvetica", "", 8.5)
    for name, value in rows.items():
        pdf.set_x(left)
        shown = value or document_page.NOT_PROVIDED
        pdf.multi_cell(200 - left, 4.2, _latin(f"**{name}:** {shown}"), markdown=True, new_x="LMARGIN", new_y="NEXT")


def _latin(text: str) -> str:
    """The PDF's built-in fonts know Latin-1 only."""
    return text.encode("latin-1", "replace").decode("latin-1")
