"""From a film to the objects, as the command line makes them."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pypdf import PdfReader

from core.cli import main
from core.data.film.opener import read
from core.errors import ExplainError
from core.examine.examined import examine
from core.model.classifier import open_classifier
from core.report.dicom.from_examined import ASKED, KINDS, answer_of, known_kinds, objects
from tests.browser.steps import png_film
from tests.report.dicom.test_objects import answer, film, judged


@pytest.fixture
def dicom_path(tmp_path: Path) -> Path:
    path = tmp_path / "film.dcm"
    film(PixelSpacing=[0.2, 0.2]).save_as(path, enforce_file_format=True)
    return path


def test_the_answer_says_what_was_examined(dicom_path: Path) -> None:
    examined = examine(open_classifier("honest"), read(dicom_path))
    said = examined.prediction
    map_ = examined.heatmaps("gradcam", [said.label])[said.label]
    told = answer_of(examined, map_)
    assert told.of_class().probability == pytest.approx(float(said.probabilities.max()))
    assert told.evidence.shape == examined.film.shape
    assert [line[0] for line in told.trust] == [line.title for line in examined.trust(map_).lines]
    if told.lung_share is not None:
        assert told.lung_share == examined.measures(map_)["lung_share"]
    assert np.isfinite(told.evidence).all()


@pytest.mark.tool("dciodvfy", "dicom3tools")
def test_the_command_writes_valid_objects_beside_the_report(dicom_path: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    assert main(["report", "honest", str(dicom_path), "--dicom", "all", "--out", str(out)]) == 0
    files = sorted(out.glob("*.dcm"))
    assert {path.stem.rsplit("-", 1)[1] for path in files} <= set(KINDS)
    assert any(path.stem.endswith("-sr") for path in files)
    for path in files:
        assert judged(pydicom.dcmread(path), tmp_path / "again.dcm") == []
    before = {path.name: pydicom.dcmread(path).SOPInstanceUID for path in files}
    assert main(["report", "honest", str(dicom_path), "--dicom", "all", "--out", str(tmp_path / "b")]) == 0
    assert {p.name: pydicom.dcmread(p).SOPInstanceUID for p in (tmp_path / "b").glob("*.dcm")} == before


def test_objects_lie_on_the_stored_pixels_of_a_film_whose_pixels_are_not_square() -> None:
    stored = film(PixelAspectRatio=[2, 1])
    del stored.PixelSpacing
    buffer = BytesIO()
    stored.save_as(buffer, enforce_file_format=True)
    examined = examine(open_classifier("honest"), read(buffer.getvalue(), "film"))
    said = examined.prediction
    told = answer_of(examined, examined.heatmaps("gradcam", [said.label])[said.label])
    assert examined.film.shape[0] == 2 * examined.film.source_shape[0]
    assert told.evidence.shape == examined.film.source_shape == (stored.Rows, stored.Columns)
    assert set(objects(stored, replace(told, refused=False), ["sc", "sr", "seg", "fractional"])) >= {"sc", "sr"}


def test_the_case_report_goes_along_when_it_is_asked_for(dicom_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", "honest", str(dicom_path), "--dicom", "pdf,full", "--out", str(out)]) == 0
    (wrapped,) = out.glob("*-pdf.dcm")
    assert pydicom.dcmread(wrapped).EncapsulatedDocument.startswith(b"%PDF")
    assert judged(pydicom.dcmread(wrapped), tmp_path / "again.dcm") == []
    assert "Nobody" not in str(
        PdfReader(BytesIO(pydicom.dcmread(wrapped).EncapsulatedDocument)).pages[0].extract_text()
    )


def test_a_picture_has_no_study_to_join_and_an_unknown_kind_is_named(
    dicom_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "film.png"
    picture.write_bytes(png_film())
    assert main(["report", "honest", str(picture), "--dicom", "sr", "--out", str(tmp_path / "a")]) == 2
    assert "whose study the objects can join" in capsys.readouterr().err
    assert main(["report", "honest", str(dicom_path), "--dicom", "movie", "--out", str(tmp_path / "b")]) == 2
    assert "no DICOM object 'movie'" in capsys.readouterr().err


def test_a_refused_film_gets_a_text_that_says_so_and_no_picture() -> None:
    assert list(objects(film(), answer(refused=True, domain="It looks inverted."), list(KINDS))) == ["sr"]
    assert list(objects(film(), answer(), ["sc", "seg"])) == ["sc", "seg"]
    assert list(objects(film(), answer(), list(ASKED))) == list(ASKED)
    assert list(objects(film(), answer(refused=True), list(ASKED))) == []
    assert known_kinds("pdf,all") == (*KINDS, "pdf")
    blank = answer(evidence=np.zeros_like(answer().evidence), lungs=None)
    assert list(objects(film(), blank, list(KINDS))) == ["sc", "sr"]
    with pytest.raises(ExplainError):
        objects(film(), answer(), ["movie"])


def test_a_mirrored_film_gets_the_answer_of_the_film_as_it_hangs_and_objects_on_its_stored_pixels(
    tmp_path: Path,
) -> None:
    hung = film(ViewPosition="PA", PatientOrientation=["L", "F"])
    lying = film(ViewPosition="PA", PatientOrientation=["R", "F"])
    lying.PixelData = np.ascontiguousarray(hung.pixel_array[:, ::-1]).tobytes()
    told = []
    for number, source in enumerate((hung, lying)):
        path = tmp_path / f"{number}.dcm"
        source.save_as(path, enforce_file_format=True)
        examined = examine(open_classifier("honest"), read(path))
        told.append(answer_of(examined, examined.heatmaps("gradcam", ["COVID-19"])["COVID-19"]))
    assert [one.probability for one in told[0].findings] == [one.probability for one in told[1].findings]
    np.testing.assert_array_equal(told[1].evidence, told[0].evidence[:, ::-1])
    np.testing.assert_array_equal(told[1].overlay, told[0].overlay)
    assert told[0].evidence.max() > 0
    assert told[0].lungs is not None
    np.testing.assert_array_equal(told[1].lungs, told[0].lungs[:, ::-1])
    captures = [KINDS["sc"](source, one) for source, one in zip((hung, lying), told, strict=True)]
    assert [list(capture.PatientOrientation) for capture in captures] == [["L", "F"], ["L", "F"]]
