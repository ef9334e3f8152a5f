"""Pictures against independent references, and geometry there and back again."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torchvision.transforms import v2

from core.data.film.radiograph import from_pixels
from core.errors import RecipeError
from core.transform.preprocess import Preprocess

SHAPES = [(300, 200), (200, 300), (448, 448), (100, 90), (1025, 640)]


def ramp(shape: tuple[int, int]) -> np.ndarray:
    """Grey levels that rise to the right and downwards."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (255 * (rows / shape[0] + columns / shape[1]) / 2).astype(np.uint8)


def grain(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def lungs_of(shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[shape[0] // 5 : shape[0] * 3 // 5, shape[1] // 4 : shape[1] * 3 // 4] = True
    return mask


def test_shrinking_averages_pixel_areas() -> None:
    pixels = grain((448, 896))
    expected = pixels.reshape(224, 2, 224, 4).astype(float).mean(axis=(1, 3))
    assert np.abs(Preprocess().picture(from_pixels(pixels, "x")) - expected).max() <= 0.5


def test_a_film_of_the_right_size_is_left_alone() -> None:
    pixels = grain((224, 224))
    assert np.array_equal(Preprocess().picture(from_pixels(pixels, "x")), pixels)


def test_enlarging_is_pillows_bilinear() -> None:
    pixels = ramp((100, 90))
    expected = np.asarray(Image.fromarray(pixels).resize((224, 224), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(Preprocess().picture(from_pixels(pixels, "x")) - expected).max() <= 1


def test_crop_and_pad_are_pillows() -> None:
    pixels = ramp((600, 448))
    crop = ImageOps.fit(Image.fromarray(pixels), (224, 224), Image.Resampling.BOX)
    ours = Preprocess(fit="crop").picture(from_pixels(pixels, "x"))
    assert np.abs(ours.astype(int) - np.asarray(crop)).max() <= 1
    pixels = ramp((896, 448))
    pad = ImageOps.pad(Image.fromarray(pixels), (224, 224), Image.Resampling.BOX)
    ours = Preprocess(fit="pad").picture(from_pixels(pixels, "x"))
    assert np.abs(ours.astype(int) - np.asarray(pad)).max() <= 2


def test_tensor_is_torchvisions_normalise() -> None:
    pictures = grain((3, 64, 64))
    theirs = v2.Compose(
        [v2.ToDtype(torch.float32, scale=True), v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    )
    expected = theirs(torch.from_numpy(pictures)[:, None].expand(-1, 3, -1, -1))
    torch.testing.assert_close(Preprocess(size=64).tensor(pictures), expected)


@pytest.mark.parametrize(("contrast", "theirs"), [("equalise", ImageOps.equalize), ("stretch", ImageOps.autocontrast)])
def test_contrast_is_near_pillows(contrast: str, theirs) -> None:
    pixels = (60 + ramp((224, 224)).astype(float) / 3).astype(np.uint8)
    arguments = {"cutoff": 1} if contrast == "stretch" else {}
    expected = np.asarray(theirs(Image.fromarray(pixels), **arguments)).astype(int)
    ours = Preprocess(contrast=contrast).picture(from_pixels(pixels, "x"))
    assert np.abs(ours - expected).mean() < 4


@pytest.mark.parametrize("contrast", ["none", "stretch", "equalise", "clahe"])
def test_a_blank_film_stays_blank(contrast: str) -> None:
    picture = Preprocess(contrast=contrast).picture(from_pixels(np.full((50, 70), 90, np.uint8), "x"))
    assert picture.dtype == np.uint8
    assert np.ptp(picture) == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("setting", [{"fit": "squash"}, {"fit": "pad"}, {"fit": "crop"}, {"region": "lungs"}])
def test_geometry_there_and_back(shape: tuple[int, int], setting: dict) -> None:
    """Coordinates carried to the picture and back name the place they came from, wherever the model looked."""
    preprocess, lungs = Preprocess(**setting), lungs_of(shape)
    seen = preprocess.to_film(np.ones((224, 224), np.float32), shape, lungs) > 0
    assert seen[shape[0] // 2, shape[1] // 2]
    assert seen.all() == (setting.get("fit") in ("squash", "pad") or (shape[0] == shape[1] and "fit" in setting))
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for coordinates in (rows, columns):
        back = preprocess.to_film(preprocess.to_picture(coordinates, lungs), shape, lungs)
        error = np.abs(back - coordinates)[seen]
        assert np.quantile(error, 0.95) < 1.0
        assert error.max() <= 2 * max(shape) / 224 + 1  # the outermost half pixel


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mask_stays_a_mask_and_follows_the_film(shape: tuple[int, int]) -> None:
    lungs = lungs_of(shape)
    film = from_pixels(np.where(lungs, 255, 0).astype(np.uint8), "x")
    for preprocess in (Preprocess(), Preprocess(fit="pad"), Preprocess(fit="crop"), Preprocess(region="lungs")):
        mask = preprocess.to_picture(lungs, lungs)
        assert mask.dtype == bool
        assert (mask != (preprocess.picture(film, lungs) >= 128)).mean() < 0.002


def test_the_lung_box_is_square_centred_and_inside() -> None:
    lungs = lungs_of((1000, 800))
    frame = Preprocess(region="lungs").frame((1000, 800), lungs)
    top, left, height, width = frame.film
    assert height == width == round(400 * 1.16)
    assert top + height / 2 == pytest.approx(400, abs=1)
    assert left + width / 2 == pytest.approx(400, abs=1)
    assert frame.picture == (0, 0, 224, 224)


def test_without_a_mask_the_whole_film_is_used() -> None:
    film = from_pixels(grain((300, 200)), "x")
    whole = Preprocess().picture(film)
    assert np.array_equal(Preprocess(region="lungs").picture(film), whole)
    assert np.array_equal(Preprocess(region="lungs").picture(film, np.zeros((300, 200), bool)), whole)


def test_settings_survive_a_card() -> None:
    preprocess = Preprocess(size=256, fit="pad", contrast="clahe", region="lungs", mean=(0.5,) * 3, std=(0.25,) * 3)
    assert Preprocess.from_dict(preprocess.to_dict()) == preprocess


@pytest.mark.parametrize(
    ("settings", "named"),
    [({"fit": "bend"}, "fit"), ({"size": 4}, "size"), ({"std": [0.0, 1, 1]}, "std"), ({"colour": 1}, "colour")],
)
def test_wrong_settings_are_named(settings: dict, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        Preprocess.from_dict(settings)
