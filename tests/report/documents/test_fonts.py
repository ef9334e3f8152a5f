"""Names in any script are in the PDF, or the PDF says which letters it lacks."""

import io

import pytest
from pypdf import PdfReader

from core.model.output import Softmax
from core.report.documents import fonts
from core.report.documents.case import CaseReport, case_pdf
from tests.report.cards import card, prediction


def written(names: tuple[str, ...]) -> str:
    """What can be read in the report on a film whose classes are called so."""
    said = prediction(output=Softmax(names, (0.5, 0.4, 0.3)))
    pdf = case_pdf(CaseReport(card(), said, "ab" * 32, {"film": said.picture}))
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    "names",
    [
        ("Normal", "Łódź", "Норма"),
        ("正常", "病毒性肺炎", "新冠肺炎"),
        ("정상", "폐렴", "코로나"),
        ("正常", "ウイルス性肺炎", "コロナ"),
    ],
)
def test_every_name_is_in_the_pdf(names):
    found = written(names)
    assert [name for name in names if name not in found] == []
    assert "left out" not in found


def test_hindi_is_written_without_a_word_of_apology():
    assert "left out" not in written(("सामान्य", "निमोनिया", "कोविड"))


def test_what_no_font_has_is_said(monkeypatch):
    found = written(("Normal", "COVID \N{MICROBE}", "ไข้หวัด"))
    assert "left out above" in found
    assert "U+1F9A0" in found
    monkeypatch.setattr(fonts, "NOTO", {})
    assert "U+6B63" in written(("正常", "病毒性肺炎", "新冠肺炎"))
