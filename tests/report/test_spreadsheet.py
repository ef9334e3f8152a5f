"""CSV that a spreadsheet opens as what it is, with films by their hash."""

import csv
from io import StringIO

import pandas as pd
import pytest

from core.data.notes import UNNAMED, note_without_names
from core.report.spreadsheet import MARK, as_csv, called, frame_as_csv, without_names


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
    assert called("Doe_Jane.dcm").startswith("film-")  # its content is not known


FILMS = pd.DataFrame(
    {
        "film": ["ward 3/Doe_Jane.png", "ward 3/Doe_Jane.png", "x.png"],
        "sha256": ["ab" * 32, "cd" * 32, ""],
        "patient": ["Doe, Jane", "Doe, Jane", ""],
        "film_id": ["Doe/1.png", "Doe/2.png", "x.png"],
        "lungs": ["/masks/Doe_Jane.png", "", ""],
        "p": [0.25, float("nan"), 1.0],
    }
)


def test_a_table_of_films_leaves_without_names() -> None:
    table = without_names(FILMS)
    assert "Doe" not in frame_as_csv(table)
    assert table["film"].tolist()[:2] == ["film-abababababab", "film-cdcdcdcdcdcd"]
    assert table["film"].nunique() == 3
    assert table["patient"].iloc[0] == table["patient"].iloc[1] != ""  # films of one patient can still be told
    assert table["patient"].iloc[2] == ""
    assert [row["p"] for row in read_back(frame_as_csv(table))] == ["0.25", "", "1.0"]


def test_names_that_are_asked_for_come_without_their_folders() -> None:
    text = frame_as_csv(without_names(FILMS, names=True))
    assert text.count("Doe_Jane.png") == 3
    assert "ward" not in text
    assert "/" not in text


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("3 files left out (empty): a.png, Doe.png", f"3 files left out (empty) ({UNNAMED})"),
        ("CoronaHack: 1,294 rows name a file that is missing: 1.2.840", f"CoronaHack: 1,294 rows name a file that is "
         f"missing ({UNNAMED})"),
        ('1 film could not be read: "Doe.png" is damaged. Expected: a film', f"1 film could not be read ({UNNAMED})"),
        ("labels renamed: 0 to Normal", "labels renamed: 0 to Normal"),
        ("split by patient and near-duplicate: 3 groups of 9 films, seed 0",) * 2,
    ],
)  # fmt: skip
def test_a_note_leaves_without_the_names_of_files(note: str, said: str) -> None:
    assert note_without_names(note) == said
    assert note_without_names(note, names=True) == note
