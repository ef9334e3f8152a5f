"""Hiding a part of the film: exactly that part, under the named filling, and what the model then says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from core.explain.hide import hide, sweep
from core.explain.whatif import FILLS, ask, rectangle, regions
from tests.explain import toys


class Corner:
    """A model whose first logit is the mean brightness, 0 to 1, of the top left 16 x 16 pixels; the second is 0."""

    def predict_pictures(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits = np.stack([pictures[:, :16, :16].mean(axis=(1, 2)) / 255, np.zeros(len(pictures))], axis=1)
        return logits.astype(np.float32), logits


@pytest.mark.parametrize("fill", FILLS)
@settings(deadline=None, max_examples=20)
@given(picture=arrays(np.uint8, (32, 32)), mask=arrays(bool, (32, 32)))
def test_hiding_changes_the_hidden_pixels_and_no_other(fill: str, picture: np.ndarray, mask: np.ndarray) -> None:
    original = picture.copy()
    hidden = hide(picture, mask, fill)
    assert hidden.dtype == np.uint8
    np.testing.assert_array_equal(hidden[~mask], picture[~mask])
    np.testing.assert_array_equal(picture, original)
    if fill == "black":
        assert not hidden[mask].any()


def test_each_fill_is_what_its_name_says() -> None:
    picture = np.full((64, 64), 100, np.uint8)
    picture[20:40, 20:40] = 200  # a lesion
    mask = rectangle((64, 64), 18, 18, 24, 24)
    assert hide(picture, mask, "mean")[30, 30] == round(picture.mean())
    np.testing.assert_allclose(hide(picture, mask, "inpaint")[mask].astype(int), 100, atol=5)
    assert 100 < hide(picture, mask, "blur")[30, 30] < 200
    assert hide(picture, mask, "black")[30, 30] == 0


def test_a_wrong_mask_or_fill_is_refused() -> None:
    picture = toys.picture()
    with pytest.raises(ExplainError, match="no fill 'white'"):
        hide(picture, np.ones((64, 64), bool), "white")
    with pytest.raises(ExplainError, match=r"mask's shape is \(32, 32\)"):
        hide(picture, np.ones((32, 32), bool))


def test_a_box_is_cut_off_at_the_edge() -> None:
    mask = rectangle((10, 20), left=-3, top=7, width=5, height=100)
    assert mask.shape == (10, 20)
    assert np.argwhere(mask).tolist() == [[y, x] for y in (7, 8, 9) for x in (0, 1)]


@settings(deadline=None)
@given(side=st.integers(32, 300))
def test_regions_are_a_frame_four_corners_and_the_lungs(side: int) -> None:
    assert (
        set(regions((side, side))) == set(regions((side, side), np.zeros((side, side), bool))) == {"borders", "corners"}
    )
    lungs = rectangle((side, side), side // 4, side // 4, side // 2, side // 2)
    named = regions((side, side), lungs)
    assert list(named) == ["lungs", "outside lungs", "borders", "corners"]
    assert (named["lungs"] ^ named["outside lungs"]).all()
    for mask in (named["borders"], named["corners"]):
        assert mask[0, 0]
        assert mask[-1, -1]
        assert not mask[side // 2, side // 2]
        np.testing.assert_array_equal(mask, mask[::-1])
        np.testing.assert_array_equal(mask, mask.T)
    assert named["borders"][0].all()
    assert not named["corners"][0, side // 2]


@pytest.mark.parametrize(("window", "stride"), [(8, 8), (8, 4), (10, 7), (None, None)])
def test_the_sweep_finds_where_the_model_looks(window: int | None, stride: int | None) -> None:
    picture = np.full((64, 64), 255, np.uint8)
    drops, logits = sweep(Corner(), picture, window, stride, fill="black")
    assert logits.tolist() == [1.0, 0.0]
    assert drops.shape == (2, 64, 64)
    assert (drops[0, :8, :8] > 0).all()
    assert not drops[0, 32:, 32:].any()
    assert not drops[1].any()
    if (window, stride) == (8, 8):  # hiding one of the four windows in the corner removes a quarter of its light
        np.testing.assert_allclose(drops[0, :16, :16], 0.25)


def test_before_and_after() -> None:
    made, picture = toys.classifier(), toys.picture()
    mask = regions(picture.shape)["corners"]
    answer = ask(made, picture, mask, fill="mean", class_name="COVID-19", method="layercam", layer="layer3")
    np.testing.assert_array_equal(answer.before.picture, picture)
    np.testing.assert_array_equal(answer.after.picture, hide(picture, mask, "mean"))
    for side in (answer.before, answer.after):
        _, probabilities = made.predict_pictures(side.picture[None])
        assert list(side.probabilities.values()) == pytest.approx(probabilities[0].tolist(), abs=1e-6)
        expected = heatmaps(made, side.picture, "layercam", layer="layer3")
        assert side.heatmaps.keys() == expected.keys()
        for name, map_ in side.heatmaps.items():
            np.testing.assert_array_equal(map_.values, expected[name].values)
    difference = answer.after.probabilities["COVID-19"] - answer.before.probabilities["COVID-19"]
    assert answer.change == pytest.approx(difference)
    assert (answer.fill, answer.class_name) == ("mean", "COVID-19")


def test_the_class_in_question_is_the_most_probable_unless_named() -> None:
    made, picture = toys.classifier(), toys.picture()
    answer = ask(made, picture, rectangle(picture.shape, 10, 10, 20, 20))
    assert answer.before.probabilities[answer.class_name] == max(answer.before.probabilities.values())
    with pytest.raises(ExplainError, match="no class 'Cat'"):
        ask(made, picture, rectangle(picture.shape, 10, 10, 20, 20), class_name="Cat")
    with pytest.raises(ExplainError, match="hidden region is empty"):
        ask(made, picture, np.zeros(picture.shape, bool))
