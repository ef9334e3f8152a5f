"""Each line of the trust card has an input that it must pass and one that it must fail."""

import numpy as np
import pytest

from core.explain import trust
from core.explain.heatmap import heatmaps
from core.explain.stability import Stability
from core.explain.trust import evidence, facts, known_truth
from core.explain.trust.card import domain_line
from core.explain.trust.faithfulness import against_chance
from core.model.domain import DomainVerdict
from tests.explain import spotter as spot
from tests.explain.toys import CLASSES

RIGHT, WRONG = spot.heatmap(spot.blob(20, 20)), spot.heatmap(spot.blob(50, 32))
LEVEL = spot.heatmap(np.ones((spot.SIZE, spot.SIZE), np.float32))


@pytest.fixture(scope="module")
def model():
    return spot.spotter()


@pytest.fixture(scope="module")
def deaf():
    return spot.deaf()


def evidence_of(model, map_):
    card = trust.assess(model, spot.film(), map_, spot.lungs())
    return {line.key: line.verdict for line in card.group("evidence")}


def test_lungs():
    assert evidence.lung_line(spot.lungs().astype(np.float32), spot.lungs()).verdict == "good"
    assert evidence.lung_line(LEVEL.values, spot.lungs()).verdict == "bad"
    assert evidence.lung_line(1 - spot.lungs().astype(np.float32), spot.lungs()).verdict == "bad"
    assert evidence.lung_line(LEVEL.values, None).verdict == "unknown"


def test_occlusion_test(model):
    assert evidence_of(model, RIGHT)["occlusion"] == "good"
    assert evidence_of(model, WRONG)["occlusion"] == "bad"
    assert evidence_of(model, LEVEL)["occlusion"] == "bad"


def test_response(model, deaf):
    assert evidence_of(model, RIGHT)["response"] == "good"
    assert evidence_of(deaf, RIGHT)["response"] == "bad"
    assert evidence_of(deaf, RIGHT)["occlusion"] == "bad"  # of an answer that nothing changes no map is faithful


def test_maps_that_know_nothing_pass_no_oftener_than_said(model):
    film = spot.film()
    bank = trust.occlude(model, film)
    maps = [heatmaps(model, film, "randomcam", [CLASSES[0]], seed=seed)[CLASSES[0]] for seed in range(60)]
    p = [against_chance(model, film, map_, bank).p for map_ in maps]
    assert np.mean(np.array(p) <= evidence.ALPHA) <= 0.14  # 4 % of 60, and what luck adds once in ten thousand


def test_stability():
    assert facts.stability_line(Stability({"turned": 0.9, "moved": 0.8})).verdict == "good"
    assert facts.stability_line(Stability({"turned": 0.1, "moved": float("nan")})).verdict == "bad"


def test_randomised_weights():
    row = {"final_blank": 0.1, "chance": 0.3, "chance_95": 0.4, "seeds": 4}
    assert facts.randomisation_line({"gradcam": row | {"final": 0.3}}, "gradcam").verdict == "good"
    assert facts.randomisation_line({"gradcam": row | {"final": 0.9}}, "gradcam").verdict == "bad"


def test_known_truth():
    truth = spot.blob(20, 20) > 0.3
    assert [line.verdict for line in known_truth.truth_lines(truth.astype(np.float32), truth)] == ["good"] * 3
    assert [line.verdict for line in known_truth.truth_lines(WRONG.values, truth)] == ["bad"] * 3


def test_domain():
    assert domain_line(DomainVerdict(0.1, 1, "in", "It resembles.")).verdict == "good"
    assert domain_line(DomainVerdict(0.9, 1, "doubtful", "It differs.")).verdict == "caution"
    assert domain_line(DomainVerdict(2.0, 1, "out", "It is a cat.")).verdict == "bad"
