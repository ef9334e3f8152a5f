"""The shipped lung finder on films it never learned from, on drawn films, and on pictures that are not chest films."""

import cv2
import numpy as np
import pytest
import torch

from core.data.film.radiograph import from_pixels
from core.data.readers import open_cohort
from core.errors import CheckpointError, FilmError
from core.intervals import of_mean
from core.lungs import segment
from core.lungs.augment import move, no_chest, shade
from core.lungs.segment import SIZE, LungFinder, find, tidy
from core.lungs.train import dice, held_out, measure


@pytest.fixture(scope="module")
def phantoms():
    cohort = open_cohort("phantom:fair")
    return cohort.take(np.flatnonzero(~cohort.samples["patient"].map(held_out))[:8])


@pytest.mark.real
@pytest.mark.parametrize(("folder", "least"), [("montgomery-shenzhen", 0.95), ("covid-chestxray-dataset", 0.90)])
def test_held_out_films_are_segmented_as_well_as_the_card_says(real_data, folder, least):
    cohort = open_cohort(real_data / folder)
    measured, card = measure(LungFinder(), cohort), LungFinder().card["held_out"][cohort.name]
    assert measured["dice"] >= least
    assert {key: measured[key] for key in ("films", "patients")} == {key: card[key] for key in ("films", "patients")}
    assert measured["dice"] == pytest.approx(card["dice"], abs=0.002)


@pytest.mark.real
def test_children_s_films_have_lungs_too(real_data):
    cohort = open_cohort(real_data / "COVID-19_Radiography_Dataset")
    children = cohort.where(cohort.samples["label"] == "Viral Pneumonia").take(range(0, 300, 10))
    found = [find(children.film(i)) for i in range(len(children))]
    assert np.mean([one.found for one in found]) > 0.95
    assert 0.15 < np.median([one.share for one in found]) < 0.45


def test_drawn_lungs_are_found(phantoms):
    scores = [dice(find(phantoms.film(i)).visible, phantoms.mask(i, "lungs")) for i in range(len(phantoms))]
    assert np.mean(scores) > 0.9


def test_the_mask_comes_back_in_the_film_s_frame_whatever_its_size(phantoms):
    pixels = phantoms.film(0).pixels
    small = find(pixels)
    large = find(cv2.resize(pixels, (700, 900), interpolation=cv2.INTER_CUBIC))
    assert large.mask.shape == large.visible.shape == (900, 700)
    assert large.share == pytest.approx(small.share, abs=0.03)
    assert small.share == pytest.approx(small.mask.mean())
    assert f"{small.share:.0%}" in small.sentence


def test_exposure_does_not_matter(phantoms):
    pixels = phantoms.film(1).pixels
    assert dice(find(pixels).visible, find((pixels * 0.6).astype(np.uint8)).visible) > 0.95


def test_films_and_arrays_are_the_same(phantoms):
    film = phantoms.film(2)
    assert (find(film).mask == find(film.pixels).mask).all()


def pictures_without_lungs() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_sample_images

    rng = np.random.default_rng(0)
    page = np.full((300, 300), 255, np.uint8)
    for row in range(12):
        cv2.putText(page, "Some text and 1234", (5, 25 * row + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
    photographs = {
        f"photograph {i}": image.mean(2).astype(np.uint8) for i, image in enumerate(load_sample_images().images)
    }
    return {
        **photographs,
        "text": page,
        "noise": rng.integers(0, 256, (256, 256)).astype(np.uint8),
        "black": np.zeros((200, 200), np.uint8),
        "one pixel": np.zeros((1, 1), np.uint8),
        "ramp": np.tile(np.arange(256, dtype=np.uint8), (256, 1)),
        "tiles": rng.integers(0, 256, (8, 8)).astype(np.uint8).repeat(32, 0).repeat(32, 1),
    }


@pytest.mark.parametrize("name", pictures_without_lungs())
def test_it_says_when_there_are_no_lungs(name):
    pixels = pictures_without_lungs()[name]
    nothing = find(pixels)
    assert not nothing.found
    assert not nothing.mask.any()
    assert nothing.mask.shape == nothing.visible.shape == pixels.shape
    assert nothing.share == 0
    assert nothing.sentence.startswith("No lungs found: ")


def test_implausible_areas_are_refused_with_the_reason():
    assert "covers 90.0%" in segment._doubt(0.9, 1.0)
    assert "covers 2.0%" in segment._doubt(0.02, 1.0)
    assert "confidence 0.60" in segment._doubt(0.3, 0.6)
    assert segment._doubt(0.3, 0.95) == ""


def test_tidying_keeps_two_areas_and_fills_holes():
    map_ = np.full((40, 40), 0.1, np.float32)
    map_[5:30, 4:14] = map_[5:30, 24:34] = 0.9
    map_[10:12, 6:8] = 0.2  # a hole
    map_[36:39, 0:3] = 0.9  # a speck
    tidied = tidy(map_) > 0.5
    assert tidied[5:30, 4:14].all()
    assert tidied[5:30, 24:34].all()
    assert tidied.sum() == 2 * 25 * 10
    assert not tidy(np.zeros((8, 8), np.float32)).any()


def test_wrong_arrays_and_missing_weights_are_said_in_words(tmp_path):
    with pytest.raises(FilmError, match="grey uint8"):
        find(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(CheckpointError, match="weights are missing"):
        LungFinder(tmp_path)
    for content in (b"", b"\0" * 200):
        (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(CheckpointError, match="damaged or incomplete"):
            LungFinder(tmp_path)


def test_a_film_object_is_taken_as_it_is():
    assert not find(from_pixels(np.zeros((64, 64), np.uint8), "black.png")).found


def test_augmentation_moves_films_and_masks_together():
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(6, 1, SIZE, SIZE)
    masks[:, :, 30:90, 40:80] = 1
    strength = torch.ones(6, 1, 1, 1)
    films, moved = move(masks.clone(), masks, strength, generator)
    inside = moved > 0.5
    assert (films[inside] > 0.5).all()
    shaded = shade(films, moved, strength, generator)
    assert shaded.min() >= 0
    assert shaded.max() <= 1
    still, _ = move(masks.clone(), masks, 0 * strength, torch.Generator().manual_seed(1))
    assert torch.allclose(shade(still, masks, 0 * strength, generator), still)


def test_tiles_are_shuffled_whole():
    film = torch.arange(SIZE * SIZE, dtype=torch.float32).reshape(1, SIZE, SIZE)
    for seed in range(8):
        picture = no_chest(film, torch.Generator().manual_seed(seed))
        assert picture.shape == film.shape


def test_intervals_draw_patients():
    scores, patients = np.array([0.0, 0.0, 0.0, 1.0]), np.array(["a", "a", "a", "b"])
    low, high = of_mean(scores, patients, share=True)
    assert low < 0.05 < 0.9 < high  # two patients, who differ, say next to nothing
    assert 0.15 < np.mean([held_out(str(n)) for n in range(2000)]) < 0.25
