"""One film on one page, as HTML or PDF: what the model said, where it looked, and whether that deserves belief.

The film is named by the first digits of its SHA-256 only: file names often carry a patient's name.
"""

import base64
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.evaluate import track_record
from core.examine.examined import Examined
from core.examine.extent import area_in_words
from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.explain.trust import TrustLine
from core.model.card import Card
from core.model.classifier import Prediction
from core.report.call import agreement, in_words, promise, rule, triage
from core.report.documents import fonts
from core.report.documents.page import NOT_PROVIDED, page, table, text
from core.report.documents.report import DISCLAIMER
from core.report.overlay import Style, beside, colourbar, enlarge, overlay, png

if TYPE_CHECKING:
    from fpdf import FPDF

BELIEF = "Does the heatmap deserve belief?"
_ANSWER = ("Class", "Calibrated probability", "Called from", "")
_WIDTH = 180  # mm between the margins of an A4 page
_MARGIN = 15  # mm
_CODES = 12  # letters that are named
_MISSING = (
    "Letters that no font here has are left out above: {}. The HTML report shows them; for Chinese, Japanese, Korean "
    "and Hindi: pip install -r requirements-fonts.txt"
)
_SIDE = 448  # pixels of the drawn heatmap


@dataclass(frozen=True, eq=False)
class CaseReport:
    """One film, ready to be written.

    Args:
        card, prediction: of the model and of the film.
        film_sha256: of the film's file.
        images: caption -> uint8 (H, W) or (H, W, 3), side by side in this order; one to three.
        heatmap: the map among the images, for the caption; None where there is none.
        trust: the lines of its trust card.
        label: the known label; "" if there is none.
        place: where the heatmap's evidence lies, in a sentence.
        doubts: sentences on how the class came to be called, how firmly, and how often the model is right.
    """

    card: Card
    prediction: Prediction
    film_sha256: str
    images: Mapping[str, np.ndarray]
    heatmap: Heatmap | None = None
    trust: tuple[TrustLine, ...] = ()
    label: str = ""
    doubts: tuple[str, ...] = ()
    place: str = ""

    @property
    def title(self) -> str:
        return f"Film {self.film_sha256[:12]}: {in_words(self.prediction)}"

    @property
    def text(self) -> str:
        """All its words, in no order: for whoever has to find glyphs for them."""
        rows = [*self.answer, *self.belief, *((name, value or "") for name, value in self.provenance)]
        return " ".join([self.title, self.caption, *self.images, *self.doubts, *(cell for row in rows for cell in row)])

    @property
    def caption(self) -> str:
        """Where the heatmap comes from; "" where there is none."""
        if self.heatmap is None:
            return ""
        h = self.heatmap
        blank = " There is no positive evidence: the map is blank." if h.blank else ""
        return (
            f"{METHODS[h.method].title} for {h.class_name} (probability {h.probability:.3f}), layer {h.layer}, "
            f"{h.seconds:.2f} s.{blank}{self.place and ' ' + self.place}"
        )

    @property
    def answer(self) -> list[tuple[str, str, str, str]]:
        """Class, probability, operating point, verdict; the most probable first."""
        p = self.prediction
        called = () if p.refused else p.called
        return [
            (
                p.classes[i],
                f"{p.probabilities[i]:.3f}",
                f"{p.output.operating_points[i]:.3f}",
                "called" if p.classes[i] in called else "",
            )
            for i in np.argsort(-p.probabilities, kind="stable")
        ]

    @property
    def belief(self) -> list[tuple[str, str, str]]:
        """Check, verdict in a word, sentence."""
        return [(line.title, line.word, line.sentence) for line in self.trust]

    @property
    def provenance(self) -> list[tuple[str, str | None]]:
        """Where film and model come from; None where it is not known."""
        return [
            ("Known label", self.label or None),
            ("Like the films the model knows?", self.prediction.domain.sentence),
            ("Model", f"{self.card.title} ({self.card.name}, {self.card.created[:10]})"),
            ("Learned from", str(self.card.data.get("name", "")) or None),
            ("Limitations", self.card.all_limitations or None),
            ("SHA-256 of the film", self.film_sha256),
        ]


def case_report(examined: Examined, map_: Heatmap, drawn: np.ndarray | None = None) -> CaseReport:
    """What was examined, as a report on one of its heatmaps; ``drawn`` is the map on the film, RGB uint8 (H, W, 3)."""
    shown = heatmap_image(examined, map_) if drawn is None else drawn
    images = {"The film as the model sees it": examined.picture, "The heatmap on it": shown}
    lines = examined.trust(map_).lines
    card, said = examined.classifier.card, examined.prediction
    doubts, extent = tuple(filter(None, _doubts(examined))), area_in_words(examined, map_)
    return CaseReport(card, said, examined.film.sha256, images, map_, lines, examined.label, doubts, extent)


def _doubts(examined: Examined) -> Iterator[str]:
    """What a reader should know before believing the answer."""
    said, card = examined.prediction, examined.classifier.card
    if not said.refused:
        yield rule(said)
        yield agreement(said, examined.mild_copies) + "."
        if said.prediction_set:
            yield f"{said.prediction_set.in_words}. {promise(card)}"
        yield triage(card, said)
        yield track_record.sentence(card, said.label)
    yield track_record.knows(card)


def heatmap_image(examined: Examined, map_: Heatmap) -> np.ndarray:
    """A heatmap on the picture the model saw, with its colour bar, RGB uint8 (H, W, 3)."""
    style = Style(top=map_.top or None)
    image = overlay(enlarge(examined.picture, _SIDE), enlarge(map_.values, _SIDE), style)
    return beside(image, colourbar(style, map_.top, image.shape[0], map_.signed), gap=0)


def case_html(report: CaseReport) -> str:
    """Self-contained, its pictures inside."""
    return page(f"{report.title} ({report.card.title})", _body(report))


def _body(report: CaseReport) -> Iterator[str]:
    yield f"<h1>{text(report.title)}</h1>"
    yield f'<p class="note">{DISCLAIMER}</p>'
    yield '<div class="films">'
    for caption, image in report.images.items():
        source = base64.b64encode(png(image)).decode()
        yield (
            f'<figure><img src="data:image/png;base64,{source}" alt="{text(caption)}">'
            f"<figcaption>{text(caption)}</figcaption></figure>"
        )
    yield f"</div><p>{text(report.caption)}</p>"
    yield table(_ANSWER, report.answer)
    yield from (f"<p>{text(sentence)}</p>" for sentence in report.doubts)
    if report.trust:
        yield f"<h2>{BELIEF}</h2>"
        yield table(("Check", "Verdict", ""), report.belief)
    yield "<h2>Provenance</h2>"
    yield table(("", ""), report.provenance)


def case_pdf(report: CaseReport) -> bytes:
    """One A4 page."""
    with tempfile.TemporaryDirectory() as folder:
        return _case_pdf(report, Path(folder))


def _case_pdf(report: CaseReport, folder: Path) -> bytes:
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    missing = fonts.add(pdf, report.text, folder)
    pdf.set_margin(_MARGIN)
    pdf.set_title(report.title)
    pdf.add_page()
    pdf.set_font("sans", "B", 16)
    pdf.multi_cell(0, 8, report.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("sans", "", 9)
    pdf.cell(0, 6, DISCLAIMER, new_x="LMARGIN", new_y="NEXT")
    _images(pdf, report.images)
    pdf.multi_cell(0, 5, report.caption, new_x="LMARGIN", new_y="NEXT")
    _table(pdf, (40, 30, 20, 10), (_ANSWER, *report.answer))
    pdf.ln(1)
    pdf.multi_cell(0, 4, " ".join(report.doubts), align="L", new_x="LMARGIN", new_y="NEXT")
    if report.trust:
        _table(pdf, (24, 12, 64), ((BELIEF, "Verdict", ""), *report.belief))
    known = [(name, value or NOT_PROVIDED) for name, value in report.provenance]
    _table(pdf, (30, 70), (("Provenance", ""), *known))
    if missing:
        codes = " ".join(f"U+{ord(letter):04X}" for letter in missing[:_CODES])
        more = f" and {len(missing) - _CODES} more" if len(missing) > _CODES else ""
        pdf.ln(2)
        pdf.multi_cell(0, 4, _MISSING.format(codes + more), align="L", new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _images(pdf: "FPDF", images: Mapping[str, np.ndarray]) -> None:
    """Side by side, of one height, each over its caption."""
    from PIL import Image

    shapes = [image.shape for image in images.values()]
    room = _WIDTH - 4 * (len(shapes) - 1)
    height = min(80.0, room / sum(width / tall for tall, width, *_ in shapes))
    top, left, lowest = pdf.get_y() + 1, float(_MARGIN), 0.0
    for caption, image in images.items():
        width = height * image.shape[1] / image.shape[0]
        pdf.image(Image.fromarray(image), x=left, y=top, w=width)
        pdf.set_xy(left, top + height + 1)
        pdf.multi_cell(width, 4, caption, align="L", new_x="LMARGIN", new_y="NEXT")
        left, lowest = left + width + 4, max(lowest, pdf.get_y())
    pdf.set_xy(_MARGIN, lowest + 1)


def _table(pdf: "FPDF", widths: tuple[int, ...], rows: Sequence[Sequence[str]]) -> None:
    from fpdf.fonts import FontFace

    pdf.ln(2)
    pdf.set_font("sans", "", 7.5)
    bold = FontFace(emphasis="BOLD")
    with pdf.table(
        line_height=4, col_widths=widths, text_align="LEFT", headings_style=bold, borders_layout="HORIZONTAL_LINES"
    ) as lines:
        for row in rows:
            lines.row(row)
