"""Destroyed weights: several seeds, chance measured, blank maps counted apart, the shared network spared."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from core.explain import randomisation as check
from core.explain.trust.facts import randomisation_line
from tests.explain.toys import classifier, picture

SIZE = 64
RAMP, BLANK = np.mgrid[:SIZE, :SIZE][0].astype(np.float32), np.zeros((SIZE, SIZE), np.float32)


@pytest.fixture(scope="module")
def toy():
    return classifier(size=SIZE)


@pytest.fixture
def film():
    return picture(SIZE, seed=1)


def test_weights_are_destroyed_from_the_top_and_the_original_is_spared(toy, film):
    before = {name: value.clone() for name, value in toy.network.state_dict().items()}
    result = check.randomisation(toy, [film, picture(SIZE, seed=3)], ["gradcam", "eigencam"], seeds=2)
    assert set(result) == {"gradcam", "eigencam"}
    found = result["gradcam"]
    assert found["stages"] == ["head", *reversed(toy.network.layers)]
    assert len(found["correlation"]) == len(found["blank"]) == len(found["stages"])
    assert found["seeds"] == 2
    assert 0 < found["chance"] < found["chance_95"] < 1
    assert result["eigencam"]["correlation"][0] == pytest.approx(1)  # it does not look at the head
    for name, value in toy.network.state_dict().items():
        assert torch.equal(value, before[name])


def _destroyed_gives(monkeypatch, toy, films, map_):
    monkeypatch.setattr(
        check, "_maps", lambda model, pictures, *_: [{"gradcam": RAMP if model is toy else map_} for _ in pictures]
    )
    return check.randomisation(toy, films, ["gradcam"], seeds=1)


def test_a_map_that_stays_fails_and_one_that_goes_blank_is_not_measurable(toy, film, monkeypatch):
    stays = _destroyed_gives(monkeypatch, toy, [film, film], RAMP)
    assert randomisation_line(stays, "gradcam").verdict == "bad"
    blank = _destroyed_gives(monkeypatch, toy, [film, film], BLANK)
    assert (blank["gradcam"]["final"], blank["gradcam"]["final_blank"]) == (None, 1.0)
    line = randomisation_line(blank, "gradcam")
    assert line.verdict == "unknown"
    assert "100% of the maps are blank" in line.sentence


def test_the_card_decides_the_line():
    row = {"final_blank": 0.0, "chance": 0.3, "chance_95": 0.4, "seeds": 4}
    verdicts = [randomisation_line({"gradcam": row | {"final": left}}, "gradcam").verdict for left in (0.35, 0.5, 0.7)]
    assert verdicts == ["good", "caution", "bad"]
    assert randomisation_line({}, "gradcam").verdict == "unknown"
    assert randomisation_line({"gradcam": {"final": 0.1}}, "gradcam").verdict == "unknown"  # by the rule of old
    for strange in ("passes", 3, ["final"], row | {"final": "0.1"}, row | {"final": 0.1, "seeds": None}):
        assert randomisation_line({"gradcam": strange}, "gradcam").verdict == "unknown"


def test_destroyed_weights_answer_by_an_engine_of_their_own(toy, film):
    twin = check.destroyed(toy)
    assert not np.allclose(twin.engine(film[None])[0], toy.engine(film[None])[0])


def test_each_stage_of_the_cascade_answers_by_its_own_weights(toy, film):
    """An engine holds a copy of the weights: kept through the stages, Score-CAM would be asked of the whole model."""
    answers = [toy.predict_pictures(film[None])[0]]
    for _, twin in check._cascade(toy, seed=0):
        answers.append(twin.predict_pictures(film[None])[0])
    assert not any(np.allclose(before, after) for before, after in pairwise(answers))
