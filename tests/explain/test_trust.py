"""The trust card: each measurement where its answer is known beforehand."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.errors import ExplainError
from core.explain import deletion, stability, trust, trust_lines, zones
from core.explain.heatmap import heatmaps
from core.explain.randomisation import randomisation
from tests.explain.toys import CLASSES, classifier, picture

SIZE = 64


@pytest.fixture(scope="module")
def toy():
    return classifier(size=SIZE)


@pytest.fixture(scope="module")
def film():
    return picture(SIZE, seed=1)


@pytest.fixture(scope="module")
def heatmap(toy, film):
    maps = heatmaps(toy, film, "gradcam").values()
    return max(maps, key=lambda map_: float(map_.values.max()))


def with_network(original, network):
    """A copy of a classifier that asks this network, in float32."""
    twin = copy.copy(original)
    twin.network = network
    twin.engine = lambda pictures: (twin.predict_pictures(pictures)[0], None)
    return twin


@pytest.fixture(scope="module")
def spotter():
    """A classifier whose first class answers to light in one place, and to nothing else."""

    class Spot(nn.Module):
        def forward(self, images):
            light = images[:, 0, 12:28, 12:28].mean((1, 2))
            return torch.stack([4 * light, torch.zeros_like(light), torch.zeros_like(light)], dim=1)

    return with_network(classifier(size=SIZE), Spot())


@pytest.fixture(scope="module")
def spot():
    """A film with one bright place, and the map that points there."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    blob = np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / 60.0).astype(np.float32)
    return (40 + 200 * blob).astype(np.uint8), blob


def lungs() -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[14:44, 14:28] = mask[14:44, 36:50] = True
    return mask


def test_zones_share_out_the_whole_picture():
    where = zones.zones(lungs())
    assert tuple(where) == zones.ZONES
    assert (sum(zone.astype(int) for zone in where.values()) == 1).all()
    assert where["mediastinum"][30, 32]
    assert where["below the diaphragm"][50, 32]
    assert where["below the diaphragm"][48, 20]
    assert where["corner"][2, 2]
    assert where["border"][32, 1]
    assert where["elsewhere"][10, 32]


@pytest.mark.parametrize("zone", zones.ZONES)
def test_evidence_in_one_zone_is_found_there(zone):
    map_ = 3 * zones.zones(lungs())[zone].astype(np.float32)
    assert zones.shares(map_, lungs())[zone] == pytest.approx(1)


def test_an_even_map_speaks_against_itself():
    line = trust_lines.lung_line(np.ones((SIZE, SIZE), np.float32), lungs())
    assert line.value == pytest.approx(lungs().mean())
    assert line.verdict == "bad"
    assert trust_lines.lung_line(lungs().astype(np.float32), lungs()).verdict == "good"
    assert trust_lines.lung_line(np.ones((SIZE, SIZE), np.float32), None).verdict == "unknown"


def test_random_maps_are_as_smooth_and_come_in_opposite_pairs(heatmap):
    maps = deletion.random_maps(heatmap.values, np.random.default_rng(0), 8)
    np.testing.assert_allclose(maps[::2], -maps[1::2])
    spectrum = np.abs(np.fft.rfft2(heatmap.values - heatmap.values.mean()))
    np.testing.assert_allclose(np.abs(np.fft.rfft2(maps[0])), spectrum, atol=1e-3 * spectrum.max())
    assert abs(np.corrcoef(maps[0].ravel(), heatmap.values.ravel())[0, 1]) < 0.9


def test_a_right_map_beats_random_maps_and_its_opposite_loses(spotter, spot):
    film, map_ = spot
    right = deletion.curves(spotter, film, map_, CLASSES[0])
    wrong = deletion.curves(spotter, film, 1 - map_, CLASSES[0])
    for name in ("deletion", "insertion", "road"):
        assert right[name].z > 1.5, name
        assert wrong[name].z < 0, name


def test_curves_are_what_hiding_by_hand_gives(spotter, spot):
    film, map_ = spot
    curve = deletion.curves(spotter, film, map_, CLASSES[0])["deletion"]
    from core.explain.hide import hide

    for fraction, score in zip(curve.fractions, curve.scores, strict=True):
        hidden = hide(film, map_ > np.quantile(map_, 1 - fraction), "blur")
        assert spotter.predict_pictures(hidden[None])[1][0, 0] == pytest.approx(score, abs=0.02)


def test_random_maps_themselves_are_at_chance(spotter, spot):
    film, map_ = spot
    scores = [
        deletion.curves(spotter, film, random, CLASSES[0], seed=seed)["insertion"].z
        for seed, random in enumerate(deletion.random_maps(map_, np.random.default_rng(5), 12))
    ]
    assert abs(np.mean(scores)) < 1


def test_an_answer_that_nothing_changes_is_no_check(toy, spot):
    class Deaf(nn.Module):
        def forward(self, images):
            return images.new_zeros(len(images), len(CLASSES))

    curves = deletion.curves(with_network(toy, Deaf()), *spot, CLASSES[0])
    assert all(curve.z is None for curve in curves.values())
    assert trust_lines.curve_line("road", curves["road"], CLASSES[0]).verdict == "unknown"


def test_imputation_comes_near_the_library_s_linear_solution():
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    film = picture(SIZE, seed=2)
    mask = deletion.random_maps(film.astype(np.float32), np.random.default_rng(1), 2)[0] > 0
    mine = deletion.impute(film, mask, np.random.default_rng(0))
    exact = NoisyLinearImputer(noise=0)(
        torch.from_numpy(film.astype(np.float32))[None], torch.from_numpy(~mask).float()
    )
    assert np.abs(mine - exact[0].numpy())[mask].mean() < 2
    assert (mine[~mask] == film[~mask]).all()


def test_imputing_everything_gives_something():
    film = picture(SIZE)
    assert deletion.impute(film, np.ones_like(film, bool), np.random.default_rng(0)).std() < 5


def test_rank_correlation_is_spearman_s():
    from scipy.stats import spearmanr

    first, second = np.random.default_rng(0).random((2, 20, 20))
    assert stability.rank_correlation(first, second) == pytest.approx(
        spearmanr(first.ravel(), second.ravel()).statistic
    )
    assert stability.rank_correlation(first, np.exp(first)) == pytest.approx(1)
    assert math.isnan(stability.rank_correlation(first, np.zeros((20, 20))))


def test_a_map_is_stable_under_changes_it_follows(toy, film, heatmap):
    found = stability.stability(toy, film, heatmap)
    assert set(found) == set(stability.CHANGES)
    assert all(-1 <= value <= 1 for value in found.values())
    assert found["brighter"] > 0.5


def test_other_methods_are_asked_for_the_same_class(toy, film, heatmap):
    found = stability.agreement(toy, film, heatmap)
    assert heatmap.method not in found
    assert len(found) == len(stability.PARTNERS) - 1


def test_randomisation_destroys_from_the_top_and_spares_the_original(toy, film):
    before = {name: value.clone() for name, value in toy.network.state_dict().items()}
    result = randomisation(toy, [film, picture(SIZE, seed=3)], "gradcam")
    assert result["stages"] == ["head", *reversed(toy.network.layers)]
    assert len(result["correlation"]) == len(result["stages"])
    assert result["final"] < 0.9
    for name, value in toy.network.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_map_that_vanishes_has_changed_and_a_blank_one_tells_nothing(toy, film, monkeypatch):
    ramp, blank = np.mgrid[:SIZE, :SIZE][0].astype(np.float32), np.zeros((SIZE, SIZE), np.float32)
    made = iter([[ramp, blank], *[[blank]] * 9])
    monkeypatch.setattr("core.explain.randomisation._maps", lambda *_: next(made))
    result = randomisation(toy, [film, film], "gradcam")
    assert result["films"] == 1
    assert set(result["correlation"]) == {0.0}
    monkeypatch.setattr("core.explain.randomisation._maps", lambda _, pictures, *__: [blank] * len(pictures))
    assert randomisation(toy, [film], "gradcam")["final"] is None


def test_the_card_decides_the_randomisation_line():
    assert trust_lines.randomisation_line({}, "gradcam").verdict == "unknown"
    assert trust_lines.randomisation_line({"gradcam": {"final": 0.1}}, "gradcam").verdict == "good"
    assert trust_lines.randomisation_line({"gradcam": {"final": 0.9}}, "gradcam").verdict == "bad"
    assert trust_lines.randomisation_line({"gradcam": {"final": None}}, "gradcam").verdict == "unknown"


def test_a_whole_card(toy, film, heatmap):
    truth = np.zeros((SIZE, SIZE), bool)
    truth[20:40, 20:40] = True
    card = trust.assess(toy, film, heatmap, lungs(), truth)
    keys = [
        "lungs",
        "deletion",
        "insertion",
        "road",
        "stability",
        "agreement",
        "randomisation",
        "hit",
        "miou",
        "mass_inside",
    ]
    assert [line.key for line in card.lines] == keys
    assert all(line.sentence.endswith(".") and line.title for line in card.lines)
    assert card["lungs"].details.keys() >= set(zones.ZONES)
    assert "speak" in card.headline
    again = trust.assess(toy, film, heatmap, lungs(), truth)
    assert [line.value for line in again.lines[:-4]] == [line.value for line in card.lines[:-4]]


def test_a_blank_map_has_nothing_to_judge(toy, film, heatmap):
    blank = replace(heatmap, values=np.zeros_like(heatmap.values), blank=True)
    card = trust.assess(toy, film, blank, lungs())
    assert [line.key for line in card.lines] == ["evidence"]
    assert "no positive evidence" in card.headline


def test_slow_methods_are_not_repeated(toy, film, heatmap):
    slow = replace(heatmap, method="occlusion", layer="film")
    assert trust.assess(toy, film, slow)["stability"].verdict == "unknown"


def test_masks_must_lie_in_the_picture_s_frame(toy, film, heatmap):
    with pytest.raises(ExplainError, match="lung mask"):
        trust.assess(toy, film, heatmap, np.ones((3, 3), bool))
