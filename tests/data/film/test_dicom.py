"""DICOM films: what is decoded, what is refused, and that no patient leaves the reader."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEGLossless

from core.data.film.opener import read
from core.errors import FilmError
from tests.conftest import REPOSITORY
from tests.data.film.dicom_files import FILM, dicom


def test_plain_pixels_come_as_they_are() -> None:
    film = read(dicom(), "a.dcm")
    np.testing.assert_array_equal(film.pixels, FILM)
    assert (film.format, film.bit_depth, film.source_shape) == ("DICOM", 8, (96, 96))


def test_monochrome1_is_inverted() -> None:
    film = read(dicom(255 - FILM, PhotometricInterpretation="MONOCHROME1"), "a")
    np.testing.assert_array_equal(film.pixels, FILM)
    assert "inverted (MONOCHROME1)" in film.notes


def test_twelve_bits_are_scaled_by_their_stated_depth() -> None:
    film = read(dicom(FILM.astype(int) * 8, bits=12), "a")  # uses half the range: stays half as bright
    assert abs(float(film.pixels.mean()) - float((FILM * (8 * 255 / 4095)).mean())) < 1


def test_window_and_rescale_are_applied() -> None:
    tags = {"WindowCenter": 0.0, "WindowWidth": 201.0, "RescaleSlope": 1.0, "RescaleIntercept": -100.0}
    ramp = np.tile(np.arange(256), (64, 1))
    film = read(dicom(ramp, bits=12, **tags), "a")
    assert film.pixels[0, 0] <= 1  # half a step above the window's lower edge (C.11.2.1.2.1)
    assert film.pixels[0, 200:].min() == 255
    assert abs(int(film.pixels[0, 100]) - 127) <= 2
    assert any("VOI LUT" in note for note in film.notes)


def test_colour_is_averaged() -> None:
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 240
    tags = {
        "SamplesPerPixel": 3,
        "PlanarConfiguration": 0,
        "PhotometricInterpretation": "RGB",
        "Rows": 32,
        "Columns": 32,
    }
    film = read(dicom(red, **tags), "a")
    assert film.pixels[0, 0] == 80
    assert film.colour > 0.5


def test_a_file_without_its_preamble_is_read() -> None:
    data = dicom()
    bare = data[132:]
    np.testing.assert_array_equal(read(bare, "old").pixels, FILM)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (dicom(None), "without pixels"),
        (dicom(np.stack([FILM, FILM]), NumberOfFrames=2), "2 frames"),
        (dicom(Rows=30000, Columns=30000), "30000 x 30000"),
        (dicom(syntax=JPEGLossless), "cannot be decoded"),
        (dicom()[:-500], "cannot be decoded"),
        (dicom()[:200], "without pixels|damaged"),
        (dicom(syntax="1.2.840.10008.1.2.1.99")[:-99], "deflated"),
    ],
)
def test_refusals(data: bytes, words: str) -> None:
    with pytest.raises(FilmError, match=words) as caught:
        read(data, "a.dcm")
    assert caught.value.expected
    assert caught.value.remedy


def test_only_whitelisted_tags_leave_and_only_if_they_look_right() -> None:
    film = read(dicom(ViewPosition="PA", PatientSex="F", PatientAge="034Y"), "a.dcm")
    assert film.tags == {"view": "PA", "sex": "F", "age": "34", "photometric": "MONOCHROME2", "modality": "CR"}
    sly = read(dicom(ViewPosition="DOE JANE", PatientSex="JANE", PatientAge="098Y"), "a.dcm")
    assert sly.tags == {"age": "90", "photometric": "MONOCHROME2", "modality": "CR"}
    for secret in ("Doe", "SECRET", "1970", "Nowhere"):
        assert secret not in repr(film) + repr(sly)


@pytest.mark.real
def test_real_dicom_films(real_data: Path) -> None:
    films = {p.name: read(p) for p in sorted((real_data / "dicom").glob("*.dcm"))}
    assert len(films) == 7
    for film in films.values():
        assert film.shape == (1024, 1024)
        assert film.tags["modality"] == "CR"
    twin = films["1.2.276.0.7230010.3.1.4.8323329.6904.1517875201.850819.dcm"]
    np.testing.assert_array_equal(films["Fake_MONOHR1.dcm"].pixels, 255 - twin.pixels)


@pytest.mark.real
def test_no_identity_of_a_real_file_leaves(real_data: Path) -> None:
    for path in (real_data / "dicom").glob("*.dcm"):
        data, film = pydicom.dcmread(path, stop_before_pixels=True), read(path)
        told = " ".join((*film.tags.values(), *film.notes))
        for key in ("PatientID", "PatientName", "StudyInstanceUID"):
            value = str(data.get(key) or "")
            assert len(value) < 3 or value not in told


def test_no_librarys_warning_quotes_a_value() -> None:
    """In a process of its own, for pytest has filters of its own."""
    made = "from tests.data.film.dicom_files import dicom; data = dicom(SOPClassUID='Doe'); "
    read_it = "print('READ', file=sys.stderr); from core.data.film.opener import read; read(data, 'a')"
    unfiltered = "import warnings; warnings.filterwarnings = lambda *a, **k: None; warnings.simplefilter('always'); "
    for before, expected in (("", False), (unfiltered, True)):
        told = subprocess.run(
            [sys.executable, "-c", f"import sys; {before}{made}{read_it}"],
            cwd=REPOSITORY, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert ("Doe" in told.stderr.split("READ")[1]) == expected
