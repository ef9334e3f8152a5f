"""A film keeps all its bits for who looks at it, and what the model is fed does not depend on how it is looked at."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.film.opener import read, read_with_values
from core.data.film.values import Values, Window
from tests.data.film.dicom_files import dicom

DEEP = (np.arange(64 * 48).reshape(64, 48) % 4096).astype(np.uint16)


def png(values: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def test_twelve_bits_stay_twelve_bits_in_two_bytes() -> None:
    data = dicom(DEEP, bits=12, WindowCenter=2048, WindowWidth=1024, RescaleSlope=1, RescaleIntercept=-1024)
    film, values = read_with_values(data, "a")
    np.testing.assert_array_equal(values.values, DEEP.astype(int) - 1024)
    assert values.values.dtype == np.int16
    assert not values.values.flags.writeable
    assert values.asked == Window(2047.5, 1023)
    np.testing.assert_array_equal(film.pixels, read(data, "a").pixels)
    assert np.abs(values.shown(values.asked).astype(int) - film.pixels).max() <= 1


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_asked_window_draws_the_film_that_the_model_is_fed(photometric: str) -> None:
    tags = {"PhotometricInterpretation": photometric, "WindowCenter": 1800, "WindowWidth": 2000}
    film, values = read_with_values(dicom(DEEP, bits=12, **tags), "a")
    assert values.inverse == (photometric == "MONOCHROME1")
    assert values.asked is not None
    assert np.abs(values.shown(values.asked).astype(int) - film.pixels).max() <= 1
    assert np.abs(values.shown(values.full()).astype(int) - film.pixels).max() > 1


def test_curves_and_missing_windows_are_no_window() -> None:
    sigmoid = {"WindowCenter": 1800, "WindowWidth": 2000, "VOILUTFunction": "SIGMOID"}
    assert read_with_values(dicom(DEEP, bits=12, **sigmoid), "a")[1].asked is None
    assert read_with_values(dicom(DEEP, bits=12), "a")[1].asked is None


def test_pictures_of_sixteen_bits_keep_them_and_others_give_their_grey() -> None:
    film, values = read_with_values(png(DEEP * 16), "a.png")
    np.testing.assert_array_equal(values.values, DEEP * 16)
    shallow = png((DEEP // 16).astype(np.uint8))
    film, values = read_with_values(shallow, "a.png")
    assert np.shares_memory(values.values, film.pixels)
    coloured = png(np.dstack([DEEP // 16, DEEP // 32, DEEP // 64]).astype(np.uint8))
    film, values = read_with_values(coloured, "a.png")
    np.testing.assert_array_equal(values.values, film.pixels)


def test_a_narrow_window_tells_apart_what_eight_bits_do_not() -> None:
    low = np.full((32, 32), 2000, np.uint16)
    low[:16] += 3  # of 4096: less than one grey level
    film, values = read_with_values(dicom(low, bits=12, WindowCenter=2048, WindowWidth=4096), "a")
    assert np.ptp(film.pixels) <= 1
    seen = values.shown(Window(2001.5, 10))
    assert int(seen[0, 0]) - int(seen[-1, 0]) > 70


def test_the_lungs_window_spans_what_lies_in_them() -> None:
    values = Values(np.where(np.arange(100)[:, None] < 50, 500, 3000) + np.arange(100) % 100)
    mask = np.zeros((50, 50), bool)  # of another size: the film's pixels were made square
    mask[5:20, 5:45] = True
    window = values.of_lungs(mask)
    assert window is not None
    assert 500 <= window.ends[0] < window.ends[1] <= 600
    assert values.of_lungs(np.zeros((50, 50), bool)) is None


def test_pixels_that_are_not_square_are_shown_square() -> None:
    film, values = read_with_values(dicom(DEEP, bits=12, PixelAspectRatio=[2, 1]), "a")
    assert values.values.shape == DEEP.shape
    assert values.shown(values.full()).shape == film.shape == (128, 48)


@pytest.mark.real
def test_real_films_in_their_own_window(real_data: Path) -> None:
    seen = 0
    for path in sorted(real_data.glob("dicom*/*.dcm")):
        film, values = read_with_values(path)
        if values.asked is not None:
            assert np.abs(values.shown(values.asked).astype(int) - film.pixels).max() <= 1, path.name
            assert len(np.unique(values.values)) > 256
            seen += 1
    assert seen >= 3
