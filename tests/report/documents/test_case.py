"""The one-page case report: complete, one page, and without a name."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from core.explain.heatmap import Heatmap
from core.explain.trust import TrustLine
from core.model.domain import DomainVerdict
from core.model.output import Softmax
from core.report.documents.case import CaseReport, case_html, case_pdf
from core.report.documents.report import DISCLAIMER
from tests.report.cards import card, prediction


@pytest.fixture(scope="module")
def case():
    said = prediction()
    heatmap = Heatmap(
        np.ones((64, 64), np.float32), "COVID-19", "gradcam", "layer4", "toy", "ab" * 32, 0.7, 0.12, False, False
    )
    lines = tuple(
        TrustLine(
            f"k{i}", f"Check {i}", 0.5, None, "good", "Half of the evidence lies in the lungs, as chance would have it."
        )
        for i in range(9)
    )
    overlay = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    images = {"The film as the model sees it": said.picture, "Grad-CAM, COVID-19": overlay}
    return CaseReport(card(), said, "ab" * 32, images, heatmap, lines, "Normal")


def test_html_says_it_all(case):
    page = case_html(case)
    for part in (
        DISCLAIMER,
        "Film abababababab",
        "<td>COVID-19</td><td>0.700</td>",
        "Grad-CAM for COVID-19",
        "<td>Known label</td><td>Normal</td>",
        "layer4",
        "Check 8",
    ):
        assert part in page
    assert page.count("data:image/png;base64,") == 2
    assert not re.findall(r"""(?:src|href)=["']?https?:""", page)


def test_a_film_the_model_may_not_judge_is_called_nothing(case):
    said = prediction(domain=DomainVerdict(3.0, 1.0, "out", "It does not look like a chest film."))
    page = case_html(CaseReport(card(), said, "ab" * 32, case.images))
    assert "Film abababababab: No answer" in page
    assert "<td>called</td>" not in page
    assert "<td>called</td>" in case_html(case)


def test_no_file_name_leaves(case):
    assert "SMITH" not in case_html(case)
    assert b"SMITH" not in case_pdf(case)


def test_pdf_is_one_page(case):
    pdf = case_pdf(case)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1


def test_pdf_copes_with_other_alphabets_and_no_heatmap(case):
    said = prediction(output=Softmax(("Normal", "Пневмония", "α"), (0.5, 0.4, 0.3)))
    pdf = case_pdf(CaseReport(card(title="Modèle – β"), said, "cd" * 32, {"film": said.picture}))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1


def test_pictures_in_the_page_are_the_pictures_given(case):
    import base64

    sources = re.findall(r"base64,([^\"]+)", case_html(case))
    first = np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[0]))))
    assert (first == case.prediction.picture).all()
