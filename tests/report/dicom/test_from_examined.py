"""From a film to the objects, as the command line makes them."""

from pathlib import Path

import numpy as np
import pydicom
import pytest

from core.cli import main
from core.data.film.opener import read
from core.errors import ExplainError
from core.examine.examined import examine
from core.model.classifier import open_classifier
from core.report.dicom.from_examined import KINDS, answer_of, objects
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
    blank = answer(evidence=np.zeros_like(answer().evidence), lungs=None)
    assert list(objects(film(), blank, list(KINDS))) == ["sc", "sr"]
    with pytest.raises(ExplainError):
        objects(film(), answer(), ["movie"])
