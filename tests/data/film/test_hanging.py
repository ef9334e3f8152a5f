"""How a film lies in its file, and that a frontal one is turned to hang as films do."""

import numpy as np
import pytest

from core.data.film.dicom.reader import read_with_values
from core.data.film.opener import read
from core.data.film.values import Window
from tests.data.film.dicom_files import dicom
from tests.data.film.test_dicom_cases import RAMP


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"PatientOrientation": ["L", "F"]}, ""),
        ({"PatientOrientation": ["L", "FP"]}, ""),
        ({"PatientOrientation": ["R", "F"]}, "mirrored"),
        ({"PatientOrientation": ["R", "H"]}, "upside down"),
        ({"PatientOrientation": ["F", "R"]}, "on its side"),
        ({"PatientOrientation": ["Doe", "Jane"]}, ""),
        ({"PatientOrientation": ["L"]}, ""),
        ({"PatientOrientation": ["", "H"], "ViewPosition": "PA"}, ""),
        ({"PatientOrientation": ["A", "H"]}, ""),  # lateral: no frontal film's way of hanging
        ({"ImageLaterality": "U"}, ""),
        ({"ImageLaterality": "R"}, "right side only"),
        ({"Laterality": "L"}, "left side only"),
        ({"Laterality": "L", "ViewPosition": "LL"}, ""),  # which side was nearer: what a lateral film says
    ],
)
def test_how_the_film_hangs_and_which_side_it_shows(tags: dict, said: str) -> None:
    film = read(dicom(RAMP, bits=12, **tags), "a")
    np.testing.assert_array_equal(film.pixels, read(dicom(RAMP, bits=12), "a").pixels)
    told = [note for note in film.notes if "lies" in note or "side only" in note]
    assert [said in note for note in told] == [True] * bool(said)


@pytest.mark.parametrize("ends", ["LF", "RF", "LH", "RH", "FL", "FR", "HL", "HR"])
def test_a_frontal_film_that_lies_otherwise_is_turned_to_hang(ends: str) -> None:
    hung = RAMP[:40].copy()
    hung[:10, :20] //= 3  # no two of the eight ways look alike
    row, column = ends
    lying = hung if row in "LR" else hung.T  # rows of the file run to the first letter, its columns to the second
    lying = lying[:: -1 if column in "HR" else 1, :: -1 if row in "HR" else 1]
    film, values = read_with_values(
        dicom(np.ascontiguousarray(lying), bits=12, PatientOrientation=list(ends), ViewPosition="PA"), "a", "0"
    )
    wanted = read(dicom(hung, bits=12, ViewPosition="PA"), "a").pixels
    np.testing.assert_array_equal(film.pixels, wanted)
    np.testing.assert_allclose(values.shown(Window(2047.5, 4095)).astype(int), film.pixels, atol=1)
    assert bool(film.turn) == (ends != "LF")
    assert any("turned to hang" in note for note in film.notes) == (ends != "LF")
    np.testing.assert_array_equal(film.turn.stored(film.pixels).shape, film.source_shape)
    marked = np.zeros(film.shape, bool)
    marked[:10, :20] = True
    dark = values.of_lungs(marked)
    assert dark is not None
    assert dark.ends[1] < values.range[1] / 2
