"""One film on one page, as HTML or PDF: what the model said, where it looked, and whether that deserves belief.

The film is named by the first digits of its SHA-256 only: file names often carry a patient's name.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from core.explain.heatmap import Heatmap
from core.explain.trust_lines import TrustLine
from core.model.checkpoint import Card
from core.model.classifier import Prediction
from core.report.document import DISCLAIMER
from core.report.document_page import page, table, text
from core.report.overlay import png

_HEADINGS = ("Class", "Probability", "Called from", "")
_WIDTH = 180  # mm between the margins of an A4 page


@dataclass(frozen=True, eq=False)
class CaseReport:
    """One film, ready to be written.

    Args:
        card, prediction: of the model and of the film.
        film_sha256: of the film's file.
        images: caption -> uint8 (H, W) or (H, W, 3), side by side in this order; one to three.
        heatmap: the map among the images, for the caption; None where there is none.
        trust: the lines of its trust card.
        spread: lowest and highest probability of each class under mild changes of the film.
    """

    card: Card
    prediction: Prediction
    film_sha256: str
    images: Mapping[str, np.ndarray]
    heatmap: Heatmap | None = None
    trust: tuple[TrustLine, ...] = ()
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"Film {self.film_sha256[:12]}"

    @property
    def caption(self) -> str:
        """Where the heatmap comes from."""
        if self.heatmap is None:
            return f"Model: {self.card.title} ({self.card.name})."
        h = self.heatmap
        blank = " No positive evidence: the map is blank." if h.blank else ""
        return (
            f"Model: {self.card.title} ({self.card.name}). Heatmap: {h.method} for {h.class_name} "
            f"(probability {h.probability:.3f}), layer {h.layer}, {h.seconds:.2f} s.{blank}"
        )

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Class, probability, operating point, verdict; the most probable first."""
        p = self.prediction
        order = np.argsort(-p.probabilities, kind="stable")
        return [
            (
                p.classes[i],
                f"{p.probabilities[i]:.3f}" + self._range(p.classes[i]),
                f"{p.thresholds[i]:.3f}",
                "called" if p.index == i else "",
            )
            for i in order
        ]

    def _range(self, name: str) -> str:
        return f" ({self.spread[name][0]:.3f} to {self.spread[name][1]:.3f})" if name in self.spread else ""


def case_html(report: CaseReport) -> str:
    """Self-contained, its pictures inside."""
    return page(f"{report.title}: {report.card.title}", _body(report))


def _body(report: CaseReport) -> Iterator[str]:
    yield f"<h1>{text(report.title)}: {text(report.prediction.label)}</h1>"
    yield f'<p class="note">{DISCLAIMER} {text(report.prediction.domain.sentence)}</p>'
    yield '<div class="films">'
    for caption, image in report.images.items():
        source = base64.b64encode(png(image)).decode()
        yield (
            f'<figure><img src="data:image/png;base64,{source}" alt="{text(caption)}">'
            f"<figcaption>{text(caption)}</figcaption></figure>"
        )
    yield f"</div><p>{text(report.caption)}</p>"
    yield table(_HEADINGS, report.rows)
    if report.trust:
        yield "<h2>Does the heatmap deserve belief?</h2>"
        yield table(("Check", "Verdict", ""), ((line.title, line.verdict, line.sentence) for line in report.trust))
    yield f"<p>{text(report.card.limitations)}</p>"


def case_pdf(report: CaseReport) -> bytes:
    """One A4 page."""
    import matplotlib
    from fpdf import FPDF
    from fpdf.fonts import FontFace
    from PIL import Image

    pdf = FPDF(format="A4")
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font("sans", style, fonts / name)  # the built-in fonts know Latin letters only
    pdf.set_margin(15)
    pdf.add_page()
    pdf.set_font("sans", "B", 16)
    pdf.cell(0, 9, f"{report.title}: {report.prediction.label}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("sans", "", 9)
    pdf.multi_cell(0, 5, f"{DISCLAIMER} {report.prediction.domain.sentence}", new_x="LMARGIN", new_y="NEXT")
    side = min(_WIDTH / max(len(report.images), 1) - 4, 86)
    top, left, lowest = pdf.get_y() + 2, 15.0, 0.0
    for caption, image in report.images.items():
        height = side * image.shape[0] / image.shape[1]
        pdf.image(Image.fromarray(image), x=left, y=top, w=side)
        pdf.set_xy(left, top + height + 1)
        pdf.multi_cell(side, 4, caption, new_x="LMARGIN", new_y="NEXT")
        left, lowest = left + side + 4, max(lowest, pdf.get_y())
    pdf.set_xy(15, max(lowest, top) + 2)
    pdf.multi_cell(0, 5, report.caption, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("sans", "", 8)
    bold = FontFace(emphasis="BOLD")
    with pdf.table(line_height=5, headings_style=bold, col_widths=(40, 30, 15, 15)) as rows:
        for row in (_HEADINGS, *report.rows):
            rows.row(row)
    pdf.ln(2)
    if report.trust:
        with pdf.table(line_height=4.5, headings_style=bold, col_widths=(26, 12, 62)) as rows:
            rows.row(("Does the heatmap deserve belief?", "Verdict", ""))
            for line in report.trust:
                rows.row((line.title, line.verdict, line.sentence))
    pdf.multi_cell(0, 4, report.card.limitations, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())
