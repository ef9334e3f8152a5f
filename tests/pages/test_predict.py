"""Live prediction: uploads of every kind, refusals in words, one film and many."""

import csv
import json
import re
import zipfile
from dataclasses import replace
from io import BytesIO, StringIO

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from core.data.phantom.cohort import cohort
from core.model.domain import DomainVerdict, Gate
from core.report.spreadsheet import MARK
from pages.shared import resources
from tests.browser.steps import dicom_film
from tests.pages.tiny import small_cohort, sound

PAGE = "case/predict.py"


def encoded(kind: str, pixels: np.ndarray | None = None, **options: object) -> bytes:
    """A drawn film (or other pixels) as an image file."""
    buffer = BytesIO()
    Image.fromarray(cohort("fair").film(3).pixels if pixels is None else pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def dicom_without_pixels() -> bytes:
    import pydicom

    film = pydicom.dcmread(BytesIO(dicom_film()))
    del film.PixelData
    buffer = BytesIO()
    film.save_as(buffer)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG that claims 40,000 x 40,000 pixels and carries none."""
    import struct
    import zlib

    header = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


REFUSED = {
    "empty.png": lambda: b"",
    "notes.txt": lambda: b"This is not a film.",
    "page.html": lambda: b"<!doctype html><html><body>Hello</body></html>",
    "report.pdf": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "archive.zip": lambda: b"PK\x03\x04" + b"\0" * 60,
    "truncated.png": lambda: encoded("PNG")[:900],
    "truncated.jpg": lambda: encoded("JPEG")[:700],
    "tiny.png": lambda: encoded("PNG", np.zeros((3, 3), np.uint8)),
    "no-pixels.dcm": dicom_without_pixels,
    "bomb.png": bomb,
}


def upload(app, *files: tuple[str, bytes]):
    """Hand files to the uploader."""
    return app.file_uploader[0].set_value([(name, data, "application/octet-stream") for name, data in files]).run()


def test_ten_refused_uploads_each_with_its_sentence(open_page):
    app = open_page(PAGE)
    upload(app, *((name, make()) for name, make in REFUSED.items()))
    assert not app.exception
    assert len(app.error) == len(REFUSED)
    for name, error in zip(REFUSED, app.error, strict=True):
        assert name in error.value
        assert "Expected" in error.value or "expected" in error.value
        assert "Traceback" not in error.value
    assert app.session_state["upload"] is None


@pytest.mark.parametrize(
    ("name", "make", "stored"),
    [
        ("film.png", lambda: encoded("PNG"), "PNG, 256 x 256, 8 bit"),
        ("film.jpg", lambda: encoded("JPEG"), "JPEG, 256 x 256, 8 bit"),
        ("film.tiff", lambda: encoded("TIFF"), "TIFF, 256 x 256, 8 bit"),
        ("IM0001", dicom_film, "DICOM, 256 x 256, 12 bit"),
    ],
)
def test_an_upload_becomes_the_case(open_page, name, make, stored):
    app = sound(upload(open_page(PAGE), (name, make())))
    assert app.query_params["upload"] == "1"
    assert any(stored in caption.value and name in caption.value for caption in app.caption)
    app.switch_page("pages/case/heatmaps.py").run()
    assert any(name in caption.value for caption in app.caption)


def test_many_films_make_a_table_whose_row_opens_a_film(open_page):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")), ("b.dcm", dicom_film()), ("c.txt", b"no film"))
    assert len(app.error) == 1
    table = app.dataframe[0].value
    assert list(table["name"]) == ["a.png", "b.dcm"]
    assert np.allclose(table[["Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity"]].sum(axis=1), 1, atol=1e-5)
    app.selectbox(key="upload").set_value(2).run()
    assert any("b.dcm" in caption.value for caption in app.caption)


def test_uploads_can_be_forgotten(open_page):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")))
    app.button[[button.label for button in app.button].index("Remove all")].click().run()
    sound(app)
    assert app.session_state["upload"] is None
    assert app.session_state["uploads"] == []
    assert not app.session_state["_upload_shelves"]  # nor what was worked out from it


@pytest.fixture
def only_other_knows(monkeypatch):
    """The model "tiny" refuses every film, "other" takes it."""
    from pages.shared import resources

    real = resources.prediction

    def said(model, film):
        status = "in" if model.card.name == "other" else "out"
        return replace(real(model, film), domain=DomainVerdict(0.5, 1.0, status, "As the test wants it."))

    monkeypatch.setattr(resources, "prediction", said)


@pytest.mark.parametrize("way", ["Remove all", "off the list"])
def test_the_cohorts_model_comes_back_with_its_film(open_page, only_other_knows, way):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")))
    assert app.session_state["model"] == "other"
    if way == "Remove all":
        app.button[[button.label for button in app.button].index(way)].click().run()
    else:
        app.file_uploader[0].set_value([]).run()
    assert sound(app).session_state["model"] == "tiny"


def test_an_upload_is_answered_by_the_default_even_where_it_is_in_doubt(open_page, monkeypatch):
    """Of real films `opacity` warns about some that others let through: a third of NIH's. (A drawn one it refuses.)"""
    real, says = resources.prediction, {"honest": "doubtful", "opacity": "doubtful"}
    doubt = DomainVerdict(0.5, 1.0, "doubtful", "As the test wants it.")
    monkeypatch.setattr(Gate, "judge", lambda self, *film: doubt)

    def said(model, film):
        status = says.get(model.card.name, "in")
        return replace(real(model, film), domain=DomainVerdict(0.5, 1.0, status, "As the test wants it."))

    monkeypatch.setattr(resources, "prediction", said)
    app = upload(open_page(PAGE, model="honest"), ("a.png", encoded("PNG")))
    assert sound(app).session_state["model"] == "opacity"
    told = '"Opacity of pneumonia, and where" answers instead'
    assert told in sound(app.run()).info[0].value  # a browser runs the page again when the file has arrived
    assert told not in " ".join(info.value for info in sound(app.selectbox(key="model").set_value("hilum").run()).info)


def test_a_model_chosen_by_hand_stays(open_page, only_other_knows):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")))
    app.selectbox(key="model").set_value("honest").run()
    app.button[[button.label for button in app.button].index("Remove all")].click().run()
    assert sound(app).session_state["model"] == "honest"


def test_a_film_taken_off_the_list_is_forgotten(open_page):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")), ("b.dcm", dicom_film()))
    app.selectbox(key="upload").set_value(2).run()
    sound(app.file_uploader[0].set_value([]).run())
    assert app.session_state["uploads"] == []
    assert app.session_state["upload"] is None


def test_the_verdict_comes_before_the_answer(open_page):
    app = open_page(PAGE)
    kinds = [element.type for element in app.main if element.type in ("warning", "success", "error", "header")]
    assert kinds.index("warning") < kinds.index("header")


def test_a_photograph_from_the_camera_is_read(open_page):
    app = open_page(PAGE)
    app.camera_input[0].set_value(("photo.jpg", encoded("JPEG"), "image/jpeg")).run()
    sound(app)
    assert app.session_state["upload"] == 1


def test_nearest_films_are_found_when_asked(open_page, tmp_path):
    resources.shelf().clear()  # what another test has shown the model already would be found without asking
    app = open_page(PAGE, cohort=small_cohort(tmp_path))
    assert not any("cosine similarity" in caption.value for caption in app.caption)
    next(button for button in app.button if button.label == "Find nearest films").click().run()
    sound(app)
    assert sum("cosine similarity" in caption.value for caption in app.caption) >= 6


def photograph() -> bytes:
    """A coloured picture that is not a film."""
    pixels = np.zeros((256, 256, 3), np.uint8)
    pixels[:128], pixels[128:] = (40, 90, 220), (30, 160, 40)
    return encoded("PNG", pixels)


def test_what_is_no_film_gets_no_answer(open_page):
    app = open_page(PAGE)
    upload(app, ("holiday.png", photograph()))
    assert app.header[0].value.startswith("No answer")
    assert "What the model would say anyway" in [expander.label for expander in app.expander]
    upload(app, ("holiday.png", photograph()), ("film.png", encoded("PNG")))
    table = app.dataframe[0].value.set_index("name")
    assert table.loc["holiday.png", "answer"].startswith("No answer")
    assert table.loc["holiday.png", "fits"] == "no"
    assert table.loc["film.png", "fits"] == "doubtful"


def test_what_is_no_film_has_no_probabilities_in_table_csv_and_package(open_page, monkeypatch):
    left = {}
    monkeypatch.setattr(
        st, "download_button", lambda label, data, *_, **__: left.update({label: data() if callable(data) else data})
    )
    app = upload(open_page(PAGE), ("holiday.png", photograph()), ("film.png", encoded("PNG")))
    classes = list(cohort("fair").classes)
    table = app.dataframe[0].value.set_index("name")
    assert table.loc["holiday.png", classes].isna().all()
    assert table.loc["film.png", classes].notna().all()
    refused, film = csv.DictReader(StringIO(left["CSV"].removeprefix(MARK)))
    assert (refused["fits"], {refused[name] for name in classes}) == ("no", {""})
    assert sum(float(film[name]) for name in classes) == pytest.approx(1, abs=1e-5)
    with zipfile.ZipFile(BytesIO(left["Package of all .zip"])) as package:
        files = package.namelist()
        folders = sorted({name.split("/")[0] for name in files})
        assert [sum(name.startswith(folder) for name in files) for folder in folders] == [1, 4]
        refused, film = (json.loads(package.read(f"{folder}/numbers.json")) for folder in folders)
    assert refused["domain"]["status"] == "out"
    assert {refused[key] for key in ("prediction", "called", "logits", "prediction_set")} == {None}
    assert set(film["prediction"]) == set(classes)


def test_the_headline_says_how_many_copies_agree_and_the_rule_stands_beside_it(open_page):
    app = open_page(PAGE)
    assert re.search(r"; \d+ of 16 mild copies agree$", app.header[0].value)
    said = " ".join(caption.value for caption in app.caption)
    assert "exceeds its own operating point by the largest factor" in said
    assert "It knows Normal, COVID-19, Viral Pneumonia and Lung Opacity only" in said
    assert "How often this model is right is unknown" in said  # nobody has judged it
    assert not app.success  # that a film fits makes no answer right


def test_a_known_label_is_said_in_the_models_words_too(open_page):
    app = open_page(PAGE)
    assert any(text.value.startswith("Known label: **COVID-19**.") for text in app.markdown)


def zipped(*files: tuple[str, bytes]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_zip_brings_its_films_and_takes_them_along(open_page):
    other = encoded("PNG", cohort("fair").film(4).pixels)
    films = zipped(("ward/a.png", encoded("PNG")), ("ward/b.png", other), ("ward/notes.txt", b"no film"))
    app = upload(open_page(PAGE), ("films.zip", films))
    assert [film.name for film in app.session_state["uploads"]] == ["a.png", "b.png"]
    assert [error.value for error in app.error if "notes.txt" in error.value]
    assert {"film", "map", "answer"} <= set(app.dataframe[0].value.columns)
    app.file_uploader[0].set_value([]).run()
    assert app.session_state["uploads"] == []


def test_a_film_is_inverted_and_turned_where_that_is_advised(open_page, only_other_knows):
    app = upload(open_page(PAGE, model="tiny"), ("a.png", encoded("PNG")))
    app.selectbox(key="model").set_value("tiny").run()  # to which it is outside, says the fixture
    for label in ("Invert", "Turn left", "Turn right"):
        next(button for button in app.button if button.label == label).click().run()
        assert not app.exception
        app.selectbox(key="model").set_value("tiny").run()
    given, inverted, left = (film.pixels for film in app.session_state["uploads"])
    assert np.array_equal(inverted, 255 - given)
    assert np.array_equal(left, np.rot90(inverted))
    assert app.session_state["upload"] == 2  # turned back it is the inverted one again
