"""How large a pixel is: where the file says it, what it means there, and when it is not believed."""

from pathlib import Path

import numpy as np
import pytest

from core.data.film.opener import read
from core.data.film.radiograph import Spacing
from tests.data.film.dicom_files import dicom

FILM = np.zeros((200, 180), np.uint8)


def spacing(**tags: object) -> Spacing | None:
    return read(dicom(FILM, **tags), "a").spacing


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"PixelSpacing": [2, 2]}, Spacing(2, "stated")),
        ({"ImagerPixelSpacing": [2, 2]}, Spacing(2, "detector")),
        ({"ImagerPixelSpacing": [2, 2], "PixelSpacing": [2, 2]}, Spacing(2, "detector")),
        ({"ImagerPixelSpacing": [2, 2], "PixelSpacing": [1.8, 1.8]}, Spacing(1.8, "patient")),
        ({"PixelSpacing": [2, 2], "PixelSpacingCalibrationType": "FIDUCIAL"}, Spacing(2, "patient")),
        ({"NominalScannedPixelSpacing": [2, 2]}, Spacing(2, "scanned")),
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [2, 2]}, Spacing(2, "detector")),
        ({"PixelSpacing": [4, 2]}, None),  # 80 cm long
        ({"PixelSpacing": [2.4, 1.8]}, Spacing(1.8, "stated")),  # the shorter side is stretched
        ({"PixelSpacing": [0, 0]}, None),
        ({}, None),
    ],
)
def test_where_it_stands_and_what_it_means(tags: dict, expected: Spacing | None) -> None:
    assert spacing(**tags) == expected


def test_a_chest_of_15_cm_is_not_believed_but_in_a_child() -> None:
    film = read(dicom(FILM, PixelSpacing=[0.75, 0.75]), "a")
    assert film.spacing is None
    assert "13.5 x 15 cm" in film.notes[-1]
    assert spacing(PixelSpacing=[0.75, 0.75], PatientAge="003Y") == Spacing(0.75, "stated")
    assert spacing(PixelSpacing=[0.75, 0.75], PatientAge="044Y") is None
    assert spacing(PixelSpacing=[0.01, 0.01], PatientAge="003Y") is None


def test_areas_are_square_centimetres() -> None:
    assert Spacing(2, "detector").area(250) == pytest.approx(10)
    assert "at the detector" in Spacing(2, "detector").sentence


@pytest.mark.real
def test_public_films_made_smaller_are_not_measured(real_data: Path) -> None:
    films = [read(path) for path in sorted(real_data.glob("dicom*/*.dcm"))]
    assert [film.name for film in films if film.spacing] == []
    assert sum("not a chest film's size" in " ".join(film.notes) for film in films) >= 10
