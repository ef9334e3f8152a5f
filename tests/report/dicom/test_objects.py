"""Each object is valid by an independent judge, joins the film's study, and says the same twice."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from core.data.phantom.cohort import cohort
from core.errors import ExplainError, FilmError
from core.report.dicom.answer import Answer, Finding
from core.report.dicom.archives import fractions, full_report, presentation_state
from core.report.dicom.document import document
from core.report.dicom.regions import outlines, regions
from core.report.dicom.secondary_capture import burned_in, secondary_capture
from core.report.dicom.segmentation import segmentation
from core.report.dicom.source import referred, spacing
from core.report.dicom.text_report import text_report
from tests.browser.steps import dicom_film
from tests.conftest import REPOSITORY

SHOWN = (secondary_capture, text_report, segmentation, regions)
KEPT = (document, full_report, presentation_state, fractions)  # by archives; asked for by name
KINDS = (*SHOWN, *KEPT)
PDF = b"%PDF-1.4 one page\n%%EOF"
HEIGHT, WIDTH = cohort("fair").film(0).shape
needs_judge = pytest.mark.tool("dciodvfy", "dicom3tools")


def film(**header: object) -> Dataset:
    """A drawn film as a hospital might send it: no study date, an age without a unit, a spacing of nought."""
    made = pydicom.dcmread(BytesIO(dicom_film()))
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5.6"
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    made.PatientID, made.PatientAge, made.SeriesNumber = "0815", "51", 3
    made.PixelSpacing = [0, 0]
    for name, value in header.items():
        setattr(made, name, value)
    return made


def answer(rows: int = HEIGHT, columns: int = WIDTH, **changes: object) -> Answer:
    y, x = np.mgrid[:rows, :columns] / (rows, columns)[0]
    evidence = np.exp(-(((x - 0.3) / 0.1) ** 2) - ((y - 0.6) / 0.1) ** 2).astype(np.float32)
    values: dict = {
        "film_sha256": "ab" * 32,
        "class_name": "COVID-19",
        "method": "Grad-CAM",
        "model": "honest",
        "weights_sha256": "cd" * 32,
        "version": "0.2.0",
        "findings": (Finding("Normal", 0.07, 0.3, False), Finding("COVID-19", 0.93, 0.4, True)),
        "domain": "It resembles the films this model learned from.",
        "refused": False,
        "evidence": np.where(evidence < 0.05, 0, evidence),
        "lungs": (abs(x - 0.3) < 0.15) & (abs(y - 0.5) < 0.3),
        "overlay": np.full((256, 256, 3), 90, np.uint8),
        "lung_share": 0.82,
        "report": lambda: PDF,
        "trust": (("Inside the lungs", "speaks for", "82 % of the evidence lies in the lungs."),),
    }
    return Answer(**{**values, **changes})


def judged(made: Dataset, path: Path) -> list[str]:
    """What dciodvfy calls an error."""
    made.save_as(path, enforce_file_format=True)
    told = subprocess.run(["dciodvfy", "-new", str(path)], check=False, capture_output=True, text=True)
    return [line for line in (told.stderr + told.stdout).splitlines() if line.startswith("Error")]


@needs_judge
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("header", [{}, {"PixelSpacing": [0.2, 0.2], "StudyDate": "20200101", "PatientAge": "058Y"}])
def test_an_independent_judge_finds_no_error(kind, header, tmp_path: Path) -> None:
    assert judged(kind(film(**header), answer()), tmp_path / "a.dcm") == []


@needs_judge
def test_the_judge_finds_one_where_there_is_one(tmp_path: Path) -> None:
    made = text_report(film(), answer())
    del made.CompletionFlag
    assert judged(made, tmp_path / "a.dcm")


@needs_judge
@pytest.mark.real
@pytest.mark.parametrize("kind", KINDS)
def test_real_films_of_every_make(kind, real_data: Path, tmp_path: Path) -> None:
    for path in sorted(real_data.glob("dicom*/*.dcm")):
        source = pydicom.dcmread(path, force=True)
        made = kind(source, answer(source.Rows, source.Columns))
        assert judged(made, tmp_path / "a.dcm") == [], path.name


@pytest.mark.parametrize("kind", KINDS)
def test_it_joins_the_study_after_the_film_and_says_what_it_is(kind) -> None:
    source, said = film(), answer()
    made = kind(source, said)
    assert (made.StudyInstanceUID, made.PatientID) == (source.StudyInstanceUID, source.PatientID)
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert int(made.SeriesNumber) > source.SeriesNumber
    assert made.SeriesDescription.startswith("AI ")
    assert "research only" in made.SeriesDescription
    assert source.PatientAge == "51"  # the film itself is left as it is


@pytest.mark.parametrize("kind", KINDS)
def test_sending_twice_stores_once_and_another_answer_is_another_object(kind) -> None:
    uids = {kind(film(), answer()).SOPInstanceUID for _ in range(2)}
    assert len(uids) == 1
    for change in ({"class_name": "Normal"}, {"method": "Occlusion"}, {"weights_sha256": "ef" * 32}, {"version": "1"}):
        uids.add(kind(film(), answer(**change)).SOPInstanceUID)
    assert len(uids) == 5
    assert all(len(uid) <= 64 for uid in uids)


def test_the_capture_says_that_it_is_burned_in_and_what_it_was_made_of() -> None:
    source = film()
    made = secondary_capture(source, answer())
    assert (made.BurnedInAnnotation, made.Modality, made.NumberOfFrames if "NumberOfFrames" in made else 1) == (
        "YES", "CR", 1,
    )  # fmt: skip
    assert made.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert made.pixel_array.shape == burned_in(answer()).shape
    assert made.pixel_array[256:].max() > 200  # the text is there
    assert "cd" * 32 in made.DerivationDescription


def test_segments_lie_where_the_bands_do_and_a_viewer_survives_them() -> None:
    made = segmentation(film(), answer())
    labels = [segment.SegmentLabel for segment in made.SegmentSequence]
    assert labels[0] == "Lung fields"
    assert [label.split()[1] for label in labels[1:]] == ["25%", "50%", "75%"]
    shared = made.SharedFunctionalGroupsSequence[0]
    assert shared.PlaneOrientationSequence[0].ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == [1, 1]  # nought counts as unknown
    frames = made.pixel_array
    np.testing.assert_array_equal(frames[0].astype(bool), answer().lungs)
    assert frames[1:].sum(axis=0).max() == 1  # disjoint
    np.testing.assert_array_equal(frames[3].astype(bool), answer().evidence >= 0.75 * answer().evidence.max())


def test_highdicom_reads_the_segments_back() -> None:
    read = hd.seg.segread(again(segmentation(film(), answer())))
    found = read.get_pixels_by_source_instance([film().SOPInstanceUID])[0]
    np.testing.assert_array_equal(found[..., 0].astype(bool), answer().lungs)
    assert read.number_of_segments == 4


def test_regions_repeat_their_coordinates_inside_the_measurement() -> None:
    made = regions(film(), answer())
    (measurements,) = [item for item in made.ContentSequence if item.ValueType == "CONTAINER" and
                       item.ConceptNameCodeSequence[0].CodeValue == "126010"]  # fmt: skip
    assert len(measurements.ContentSequence) == 3
    for group in measurements.ContentSequence:
        kinds = [item.ValueType for item in group.ContentSequence]
        assert "SCOORD" in kinds
        (number,) = [item for item in group.ContentSequence if item.ValueType == "NUM"]
        assert [item.ValueType for item in number.ContentSequence] == ["SCOORD"]
        assert number.MeasuredValueSequence[0].NumericValue == pytest.approx(0.93)
    assert "COVID-19 p = 0.93" in str(made)
    buffer = BytesIO()
    made.save_as(buffer)
    assert hd.sr.srread(BytesIO(buffer.getvalue())).SOPInstanceUID == made.SOPInstanceUID


def test_an_outline_encloses_its_band() -> None:
    mask = np.zeros((100, 80), bool)
    mask[20:60, 10:30] = True
    mask[0, 0] = True  # a speck
    (outline,) = outlines(mask)
    assert outline.min(axis=0) == pytest.approx([10, 20], abs=1)
    assert outline.max(axis=0) == pytest.approx([30, 60], abs=1)
    np.testing.assert_array_equal(outline[0], outline[-1])


def test_a_blank_map_has_no_region_and_a_refused_film_no_answer() -> None:
    nothing = answer(evidence=np.zeros((HEIGHT, WIDTH), np.float32), lungs=None)
    for kind in (segmentation, regions):
        with pytest.raises(ExplainError, match="blank"):
            kind(film(), nothing)
    made = text_report(film(), answer(refused=True, domain="It looks inverted."))
    words = " ".join(item.TextValue for item in made.ContentSequence)
    assert "No answer is given" in words
    assert "0.930" not in words


def again(made: Dataset) -> BytesIO:
    """As a file, for an independent reader."""
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return buffer


def test_the_case_report_comes_out_of_its_wrapping_as_it_went_in() -> None:
    read = pydicom.dcmread(again(document(film(), answer())))
    assert read.EncapsulatedDocument[: read.EncapsulatedDocumentLength] == PDF
    assert (read.MIMETypeOfEncapsulatedDocument, read.Modality) == ("application/pdf", "DOC")
    with pytest.raises(ExplainError, match="no case report"):
        document(film(), answer(report=None))


def test_the_full_report_measures_every_class_and_every_region() -> None:
    read = hd.sr.srread(again(full_report(film(), answer())))
    whole_film = read.content.get_image_measurement_groups()
    assert [group.tracking_identifier for group in whole_film] == ["Normal", "COVID-19"]
    assert [[m.value for m in group.get_measurements()] for group in whole_film] == [[0.07, 0.3], [0.93, 0.4]]
    said = [group.get_qualitative_evaluations()[0].value.meaning for group in whole_film]
    assert said == ["No", "Yes"]
    assert len(read.content.get_planar_roi_measurement_groups()) == 3


def test_the_presentation_state_draws_the_outlines_on_the_film() -> None:
    (drawn,) = pydicom.dcmread(again(presentation_state(film(), answer()))).GraphicAnnotationSequence
    assert len(drawn.GraphicObjectSequence) == 3
    assert drawn.GraphicObjectSequence[0].GraphicAnnotationUnits == "PIXEL"
    points = np.array(drawn.GraphicObjectSequence[2].GraphicData).reshape(-1, 2)
    rows, columns = np.nonzero(answer().evidence >= 0.75 * answer().evidence.max())
    assert points.min(axis=0) == pytest.approx([columns.min(), rows.min()], abs=1.5)
    assert points.max(axis=0) == pytest.approx([columns.max(), rows.max()], abs=1.5)


def test_fractions_are_the_map_to_one_step_of_255() -> None:
    read = hd.seg.segread(again(fractions(film(), answer())))
    (source,) = read.SegmentSequence
    found = read.get_pixels_by_source_instance([film().SOPInstanceUID], rescale_fractional=True)[0, ..., 0]
    np.testing.assert_allclose(found, answer().evidence / answer().evidence.max(), atol=1 / 255)
    assert source.SegmentLabel.startswith("Evidence")


def test_a_blank_map_has_nothing_for_archives_to_draw() -> None:
    nothing = answer(evidence=np.zeros((HEIGHT, WIDTH), np.float32), lungs=None)
    for kind in (presentation_state, fractions):
        with pytest.raises(ExplainError, match="blank"):
            kind(film(), nothing)
    assert len(hd.sr.srread(again(full_report(film(), nothing))).content.get_image_measurement_groups()) == 2


@pytest.mark.tool("dsrdump", "dcmtk")
@pytest.mark.parametrize("kind", [text_report, regions, full_report])
def test_dcmtk_reads_every_report(kind, tmp_path: Path) -> None:
    kind(film(), answer()).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    told = subprocess.run(["dsrdump", str(tmp_path / "a.dcm")], capture_output=True, text=True, check=True)
    assert "0.93" in told.stdout
    assert "E:" not in told.stderr


def test_headers_are_completed_and_repaired_in_a_copy() -> None:
    source = film(PatientAge="7m", ImagerPixelSpacing=[0.1, 0.1])
    source.add_new(0x00181110, "DS", "1.123456789012345678901")
    copy = referred(source)
    assert (copy.PatientAge, copy.StudyDate, copy.StudyID) == ("007M", "", "")
    assert "PixelSpacing" not in copy
    assert spacing(copy) == (0.1, 0.1)
    assert len(str(copy.DistanceSourceToDetector)) <= 16
    assert "PixelData" not in copy
    del source.StudyInstanceUID
    with pytest.raises(FilmError, match="StudyInstanceUID"):
        referred(source)


def test_no_warning_quotes_a_patients_name() -> None:
    """In a process of its own, for pytest has filters of its own: highdicom warns of a name without a first name."""
    told = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import *; make_all(KINDS)"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Hugenottenfels" not in told.stdout + told.stderr
    before = "import warnings; f = warnings.filterwarnings; warnings.filterwarnings = lambda *a, **k: None; "
    told = subprocess.run(
        [sys.executable, "-c", f"{before}from {__name__} import *; warnings.simplefilter('always'); make_all(KINDS)"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Hugenottenfels" in told.stderr  # it would have


def make_all(kinds: tuple) -> None:
    """Make every object of a film whose patient has one name only."""
    for kind in kinds:
        kind(film(PatientName="Hugenottenfels"), answer())


@pytest.mark.tool("dsrdump", "dcmtk")
def test_dcmtk_prints_the_text(tmp_path: Path) -> None:
    text_report(film(), answer()).save_as(tmp_path / "a.dcm", enforce_file_format=True)
    printed = subprocess.run(["dsrdump", str(tmp_path / "a.dcm")], capture_output=True, text=True, check=True).stdout
    assert "COVID-19: probability 0.930" in printed
    assert "UNVERIFIED" in printed.upper()
