"""The whole card: its groups, its headline, its vetoes; and the bank and power behind it."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.data.readers import open_cohort
from core.errors import ExplainError
from core.explain import trust
from core.explain.heatmap import heatmaps, resized
from core.explain.trust.bank import masses
from core.explain.trust.measure import right_calls
from core.explain.trust.power import Power, of_card, to_card
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.model.domain import DomainVerdict
from tests.explain import spotter as spot
from tests.explain.toys import CLASSES, classifier

EVIDENCE, FACTS = ["lungs", "occlusion", "response"], ["stability", "randomisation"]


@pytest.fixture(scope="module")
def spotter():
    return spot.spotter()


@pytest.fixture(scope="module")
def right():
    return spot.heatmap(spot.blob(20, 20))


def test_a_right_map_has_its_groups_in_order_and_three_of_three(spotter, right):
    truth = spot.blob(20, 20) > 0.3
    card = trust.assess(spotter, spot.film(), right, spot.lungs(), truth)
    assert [line.key for line in card.lines] == [*EVIDENCE, "hit", "miou", "mass_inside", *FACTS]
    assert [line.key for line in card.group("evidence")] == EVIDENCE
    assert [line.key for line in card.group("fact")] == FACTS
    assert all(line.sentence.endswith(".") and line.title and line.word for line in card.lines)
    assert card.headline == "3 of 3 checks speak for this map; none speaks against it."
    assert card.supported
    again = trust.assess(spotter, spot.film(), right, spot.lungs(), truth)
    assert [line.value for line in again.group("evidence")] == [line.value for line in card.group("evidence")]


def test_the_denominator_stays_when_a_check_cannot_be_made(spotter, right):
    assert trust.assess(spotter, spot.film(), right).headline.startswith("2 of 3 checks speak for this map")


def test_a_film_outside_the_domain_is_no_evidence_whatever_the_map(spotter, right):
    cat = DomainVerdict(3.0, 1.0, "out", "It does not look like a frontal chest film.")
    card = trust.assess(spotter, spot.film(), right, spot.lungs(), domain=cat)
    assert card.vetoed
    assert not card.supported
    assert card.headline == "Nothing on this film is evidence. It does not look like a frontal chest film."
    assert [line.key for line in card.lines] == ["domain"]
    fine = DomainVerdict(0.1, 1.0, "in", "It resembles the films this model learned from.")
    assert trust.assess(spotter, spot.film(), right, spot.lungs(), domain=fine).headline.startswith("3 of 3")


def test_a_blank_map_has_nothing_to_judge(spotter):
    card = trust.assess(spotter, spot.film(), spot.heatmap(np.zeros((spot.SIZE, spot.SIZE), np.float32)), spot.lungs())
    assert [line.key for line in card.lines] == ["evidence"]
    assert "no positive evidence" in card.headline


def test_slow_methods_are_not_repeated_and_occlusion_is_not_tested_by_itself(spotter, right):
    card = trust.assess(spotter, spot.film(), replace(right, method="occlusion", layer="film"))
    assert card["stability"].verdict == card["occlusion"].verdict == "unknown"


def test_masks_must_lie_in_the_picture_s_frame(spotter, right):
    with pytest.raises(ExplainError, match="lung mask"):
        trust.assess(spotter, spot.film(), right, np.ones((3, 3), bool))


def test_one_bank_serves_every_map_of_a_film(spotter, right):
    bank, asked = trust.occlude(spotter, spot.film()), []
    card = trust.assess(spotter, spot.film(), right, spot.lungs(), bank=lambda: asked.append(1) or bank)
    assert asked == [1]
    assert card["occlusion"].value == trust.assess(spotter, spot.film(), right, spot.lungs())["occlusion"].value


def test_the_bank_drawn_as_a_picture_points_to_the_place(spotter):
    bank = trust.occlude(spotter, spot.film())
    assert bank.drops.shape == (100, len(CLASSES))
    map_ = bank.occlusion_map(0, (spot.SIZE, spot.SIZE))
    assert map_[12:28, 12:28].mean() > 5 * max(map_[40:, 40:].mean(), 1e-6)
    assert not bank.drops[:, 1].any()


def test_masses_under_cells_are_those_of_the_enlarged_map():
    maps = np.random.default_rng(0).random((3, 5, 7)).astype(np.float32)
    large = resized(maps, (64, 64))
    by_hand = large.reshape(3, 8, 8, 8, 8).sum((2, 4)).reshape(3, -1)
    np.testing.assert_allclose(masses(maps, (64, 64), (8,)), by_hand, rtol=1e-4)


def test_low_power_makes_a_map_within_chance_undecided_and_high_power_condemns_it(spotter):
    wrong = spot.heatmap(spot.blob(50, 50))
    for passed, verdict in ((5, "unknown"), (95, "bad")):
        model = spot.spotter()
        power = {"gradcam": to_card(Power("films", 100, passed, 4))}
        model.card = replace(model.card, power=power)
        card = trust.assess(model, spot.film(), wrong, spot.lungs())
        assert card["occlusion"].verdict == verdict
        assert card.power is not None
        assert card.power.share == passed / 100
        assert card.power_unsaid == ("" if verdict == "unknown" else card.power.sentence)  # said once
    assert of_card({"gradcam": {"films": 3}}, "gradcam") is None
    assert of_card({}, "gradcam") is None
    for strange in ({"films": 0}, {"films": 3.0}, {"passed": 101}, {"random": -1}, {"cohort": 3}):
        assert of_card({"gradcam": to_card(Power("films", 100, 5, 4)) | strange}, "gradcam") is None


def test_a_real_map_of_a_toy_gets_a_card(spotter):
    map_ = max(heatmaps(spotter, spot.film(), "layercam").values(), key=lambda one: float(one.values.max()))
    assert len(trust.assess(spotter, spot.film(), map_, spot.lungs()).group("evidence")) == 3


@pytest.mark.parametrize(("first", "found"), [("Lung Opacity", 2), ("No Lung Opacity", 0), ("Normal", 0)])
def test_power_is_measured_on_findings_whatever_the_negative_class_is_called(tmp_path, first, found):
    """A right "No Lung Opacity" has no place that a map could point to, no more than a right "Normal" has."""
    made = classifier(size=spot.SIZE)
    renamed = replace(made.card, classes=(first, "COVID-19", "Viral Pneumonia"))
    model = spot.with_answer(Classifier(Checkpoint(renamed, made.checkpoint.state)), spot.Spot())
    for label in (first, "COVID-19"):
        (tmp_path / label).mkdir()
        for number in range(2):
            Image.fromarray(np.roll(spot.film(), number, axis=1)).save(tmp_path / label / f"{number}.png")
    assert right_calls(model, open_cohort(tmp_path), films=2).films == found
