"""Drawn films: the same bytes everywhere, true masks, every parameter visible."""

import subprocess
import sys
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.phantom import CLASSES, Acquisition, Finding, Patient, draw
from core.data.phantom.cohort import VERSION
from core.errors import CohortError

PATIENT = Patient(seed=5, sex="F", age=50, habitus=0.4)
FILM = Acquisition(seed=5)
SIZE = 128
# fmt: off
OF_A_PATIENT = [  # field, another value
    ("sex", "M"), ("age", 90), ("stature", 0.9), ("habitus", 1.0), ("heart", 0.6), ("girth", 0.92), ("seed", 6),
]
OF_AN_ACQUISITION = [  # field, another value, share of the picture that changes
    ("view", "AP", 0.05), ("inspiration", 0.2, 0.05), ("rotation", 8.0, 0.05), ("tilt", 5.0, 0.05),
    ("shift", (2.0, -1.0), 0.05), ("exposure", 0.8, 0.2), ("contrast", 1.3, 0.1), ("scatter", 0.6, 0.05),
    ("blur", 0.15, 0.005),
    ("collimation", (0.1, 0.0, 0.1, 0.0), 0.02), ("marker", "R", 0.0005), ("marker_at", (0.1, 0.9), 0.001),
    ("marker_style", "plate", 0.001), ("leads", 3, 0.002), ("label", "PORTABLE", 0.002), ("seed", 6, 0.0),
]
OF_VERSION_1 = np.array([
    [78.5, 110.8, 108.6, 53.5],
    [121.8, 150.9, 134.9, 120.6],
    [143.5, 200.2, 200.5, 111.8],
    [191.8, 223.7, 214.4, 114.1],
])  # mean greys of a film's sixteen parts
# fmt: on


def drawn(patient: Patient = PATIENT, finding: Finding | None = None, film: Acquisition = FILM) -> np.ndarray:
    """Pixels as int, so that differences do not wrap round."""
    return draw(patient, finding or Finding(), film, SIZE).pixels.astype(int)


def test_another_process_draws_the_same_bytes() -> None:
    script = (
        "import hashlib; from core.data.phantom import *; "
        "p = draw(Patient.random(3), Finding('COVID-19', 0.5, 3), Acquisition.random(3), 128); "
        "print(hashlib.sha256(p.pixels.tobytes() + p.lungs.tobytes() + p.lesion.tobytes()).hexdigest())"
    )
    command = [sys.executable, "-c", script]
    digests = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1
    assert len(digests.pop()) == 65


def test_the_drawing_is_the_one_that_its_version_names() -> None:
    """Caches and the shipped models know the films of this version: see ``phantom_cohort.VERSION``."""
    pixels = draw(Patient.random(3), Finding("COVID-19", 0.5, 3), Acquisition.random(3), SIZE).pixels
    blocks = pixels.reshape(4, 32, 4, 32).mean(axis=(1, 3))
    assert VERSION == "v1"
    np.testing.assert_allclose(blocks, OF_VERSION_1, atol=0.5)


def test_no_parameter_is_forgotten_here() -> None:
    assert {field for field, _ in OF_A_PATIENT} == {field.name for field in fields(Patient)}
    assert {field for field, *_ in OF_AN_ACQUISITION} == {field.name for field in fields(Acquisition)} - {"shutter"}


@pytest.mark.parametrize(("field", "value"), OF_A_PATIENT)
def test_every_parameter_of_a_patient_shows(field: str, value: object) -> None:
    difference = np.abs(drawn() - drawn(replace(PATIENT, **{field: value})))
    assert (difference > 8).mean() > 0.01


@pytest.mark.parametrize(("field", "value", "share"), OF_AN_ACQUISITION)
def test_every_parameter_of_an_acquisition_shows(field: str, value: object, share: float) -> None:
    difference = np.abs(drawn() - drawn(film=replace(FILM, **{field: value})))
    assert difference.max() >= 2
    assert (difference > 6).mean() >= share


def test_the_shutter_shows_once_the_field_is_collimated() -> None:
    shut = replace(FILM, collimation=(0.1, 0.0, 0.0, 0.0))
    assert drawn(film=shut)[:, :8].mean() < 20
    assert drawn(film=replace(shut, shutter=1.0))[:, :8].mean() > 235


@pytest.mark.parametrize("name", CLASSES[1:])
def test_severity_whitens_the_mask_and_little_else(name: str) -> None:
    base = drawn()
    rise = []
    for severity in (0.2, 0.5, 0.9):
        finding = Finding(name, severity, 4)
        phantom = draw(PATIENT, finding, FILM, SIZE)
        change = phantom.pixels.astype(int) - base
        rise.append(change[phantom.lesion].mean())
        assert rise[-1] > 4 * np.abs(change[~phantom.lungs]).mean()
    assert rise == sorted(rise)
    assert rise[0] > 1
    assert rise[-1] > 30


def test_lungs_are_where_a_reader_expects_them() -> None:
    phantom = draw(PATIENT, Finding(), FILM, SIZE)
    left, right = phantom.lungs[:, : SIZE // 2], phantom.lungs[:, SIZE // 2 :]
    assert left.sum() > right.sum()  # the heart lies in the image's right half
    assert 0.2 < phantom.lungs.mean() < 0.5
    assert phantom.pixels[phantom.lungs].mean() < phantom.pixels[80:100, 58:70].mean() - 40
    lowest = [np.flatnonzero(half[:, column])[-1] for half, column in ((left, 34), (right, 34))]
    assert lowest[0] < lowest[1]  # the right dome is the higher


def test_covid_is_bilateral_and_consolidation_is_not() -> None:
    for seed in range(8):
        shares = {}
        for name in ("COVID-19", "Viral Pneumonia", "Lung Opacity"):
            lesion = draw(PATIENT, Finding(name, 0.6, seed), FILM, SIZE).lesion
            halves = lesion[:, :64].sum(), lesion[:, 64:].sum()
            shares[name] = min(halves) / max(halves)
        assert shares["Lung Opacity"] < 0.02
        assert min(shares["COVID-19"], shares["Viral Pneumonia"]) > 0.1


patients = st.builds(
    Patient, st.integers(0, 2**31), st.sampled_from("FM"), st.integers(18, 95), st.floats(0.84, 1.12), st.floats(0, 1),
    st.floats(0.38, 0.62), st.floats(0.9, 1.1),
)  # fmt: skip
findings = st.builds(Finding, st.sampled_from(CLASSES), st.floats(0, 1), st.integers(0, 2**31))
films = st.builds(
    Acquisition, st.integers(0, 2**31), st.sampled_from(("PA", "AP")), st.floats(0, 1), st.floats(-12, 12),
    st.floats(-8, 8), st.tuples(*[st.floats(-3, 3)] * 2), st.floats(-1, 1), st.floats(0.7, 1.4), st.floats(0.1, 0.6),
    st.floats(0, 0.15), st.tuples(*[st.floats(0, 0.2)] * 4), st.floats(0, 1), st.sampled_from(("", "L", "R")),
    st.tuples(*[st.floats(0.03, 0.97)] * 2), st.sampled_from(("plain", "circle", "plate")), st.integers(0, 5),
    st.sampled_from(("", "PORTABLE")),
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(patients, findings, films, st.sampled_from((64, 97, 128)))
def test_any_parameters_give_a_film(patient: Patient, finding: Finding, film: Acquisition, size: int) -> None:
    phantom = draw(patient, finding, film, size)
    assert phantom.pixels.shape == phantom.lungs.shape == phantom.lesion.shape == (size, size)
    assert phantom.pixels.dtype == np.uint8
    assert phantom.pixels.std() > 15
    assert phantom.lungs.mean() > 0.08
    assert not (phantom.lesion & ~phantom.lungs).any()
    if finding.name != "Normal" and not phantom.lesion.any():  # it may lie wholly under a shutter
        phantom = draw(patient, finding, replace(film, collimation=(0.0, 0.0, 0.0, 0.0)), size)
    assert phantom.lesion.any() == (finding.name != "Normal")


@pytest.mark.parametrize("wrong", [{"age": 5}, {"habitus": 2.0}, {"sex": "X"}])
def test_parameters_out_of_range_are_refused(wrong: dict) -> None:
    with pytest.raises(CohortError, match=next(iter(wrong))):
        Patient(seed=1, **wrong)
