"""CSV that a spreadsheet opens as what it is, with films by their hash."""

import csv
from io import StringIO

import pytest

from core.report.spreadsheet import MARK, as_csv, called


def read_back(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text.removeprefix(MARK))))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_defused(cell: str) -> None:
    (row,) = read_back(as_csv([{"label": cell}], ["label"]))
    assert row["label"].startswith("'")


@pytest.mark.parametrize("cell", ["COVID-19", "-0.5", "+1e3", "", "a=b", "Łódź", "正常", 'a "quoted", cell'])
def test_anything_else_stays_as_it_is(cell: str) -> None:
    (row,) = read_back(as_csv([{"label": cell, "p": -0.25}], ["label", "p"]))
    assert row == {"label": cell, "p": "-0.25"}


def test_excel_is_told_that_it_is_utf_8_and_headings_are_defused_too() -> None:
    text = as_csv([{"=x": 1}], ["=x"])
    assert text.encode("utf-8").startswith(b"\xef\xbb\xbf")
    assert text.splitlines()[0] == f"{MARK}'=x"


def test_a_film_is_called_by_its_hash_unless_its_name_is_asked_for() -> None:
    assert called("Doe_Jane.dcm", "ab" * 32) == "film-abababababab"
    assert called("Doe_Jane.dcm", "ab" * 32, names=True) == "Doe_Jane.dcm"
