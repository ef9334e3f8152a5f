"""Outlines in training: what counts as stray evidence, and that outlines move with their films."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.data.phantom.cohort import cohort
from core.errors import CohortError, RecipeError
from core.networks.zoo import build
from core.training import evidence_penalty, films
from core.training.fit import fit
from core.training.recipe import NetworkConfig, Recipe, SplitConfig, TrainingConfig
from core.training.run import begin
from core.transform.augment import Augment, Step
from core.transform.preprocess import Preprocess


def test_only_positive_evidence_outside_the_outline_of_the_own_finding_is_stray() -> None:
    evidence = torch.zeros(3, 2, 4, 4)
    evidence[0, 0, 0, 0], evidence[0, 0, 3, 3], evidence[0, 0, 1, 1] = 3.0, 1.0, -5.0
    evidence[1, 0] = 9.0  # evidence for another class than its own
    evidence[2] = 9.0  # a film without a finding
    marked = torch.zeros(3, 16, 16, dtype=torch.uint8)
    marked[:2, :4, :4] = 255
    share = evidence_penalty.stray(evidence, torch.tensor([1, 2, 0]), marked)
    assert float(share) == pytest.approx(0.25 / 2, abs=1e-3)  # a quarter of the first film's, none of the second's


def test_films_without_findings_cost_nothing() -> None:
    evidence = torch.ones(2, 2, 4, 4, requires_grad=True)
    assert float(evidence_penalty.stray(evidence, torch.zeros(2, dtype=torch.int64), torch.zeros(2, 8, 8))) == 0


def test_outlines_move_with_their_films() -> None:
    pictures = torch.zeros(8, 64, 64, dtype=torch.uint8)
    pictures[:, 20:40, 10:30] = 255
    served = films.Films(pictures, torch.arange(8), outlines=pictures.clone())
    turn = Augment([Step("rotate", {"angle": (-20.0, 20.0)}), Step("shift", {"x": (-8.0, 8.0), "y": (-8.0, 8.0)})])
    for moved, _, marked in films.batches(served, TrainingConfig(batch=4), turn, 1):
        assert torch.equal(moved, marked)
        assert not torch.equal(moved, pictures[:4])


@pytest.mark.parametrize("name", ["invert", "equalise", "brightness", "marker", "noise"])
def test_greys_change_no_outline(name: str) -> None:
    masks = torch.zeros(4, 64, 64, dtype=torch.uint8)
    masks[:, 20:40, 10:30] = 255
    values = {"factor": 0.3} if name == "brightness" else {"sigma": 60.0} if name == "noise" else {}
    chain = Augment([Step(name, values), Step("shift", {"x": 25.0, "y": 0.0})])
    served = films.Films(torch.full_like(masks, 90), torch.arange(4), outlines=masks)
    ((pictures, _, marked),) = films.batches(served, TrainingConfig(batch=4), chain, 1)
    assert torch.equal(marked, masks.roll(16, 2))
    assert not torch.equal(pictures, served.pictures)


def test_what_is_erased_is_no_place_for_evidence() -> None:
    masks = torch.full((2, 64, 64), 255, dtype=torch.uint8)
    chain = Augment([Step("erase", {"x": 25.0, "y": 25.0, "side": 50.0, "grey": 255.0})])
    served = films.Films(torch.zeros_like(masks), torch.arange(2), outlines=masks)
    ((pictures, _, marked),) = films.batches(served, TrainingConfig(batch=2), chain, 1)
    assert torch.equal(marked, 255 - pictures)


def test_outlines_are_read_in_the_frame_of_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    drawn = cohort("fair", films=8, size=96)
    marked = evidence_penalty.read(drawn, Preprocess(size=64))
    assert marked.shape == (8, 64, 64)
    assert (marked.flatten(1).any(1).numpy() == (drawn.samples["label"] != "Normal").to_numpy()).all()
    with pytest.raises(CohortError, match="where its findings are"):
        evidence_penalty.read(drawn.where(drawn.samples["label"] == "Normal"), Preprocess(size=64))


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "mobilenet_v2"])
def test_activations_of_a_class_average_to_its_logit(name: str) -> None:
    network = build(name, 3).eval()
    with torch.no_grad():
        map_ = network.features(torch.rand(2, 3, 64, 64))
        classifier = [m for m in network.head.modules() if isinstance(m, torch.nn.Linear)][-1]
        logits = evidence_penalty.activations(network, map_).mean((2, 3)) + classifier.bias
        assert torch.allclose(logits, network.head(map_), atol=1e-4)
    with pytest.raises(RecipeError, match="more than pooling"):
        evidence_penalty.activations(build("vgg16", 3), torch.rand(1, 512, 2, 2))


def test_only_what_tells_the_classes_apart_must_lie_inside() -> None:
    evidence = torch.zeros(1, 2, 4, 4)
    evidence[0, :, 3, 3] = 9.0  # shared by the classes
    evidence[0, 0, 0, 0], evidence[0, 1, 2, 2] = 3.0, 1.0
    inside = torch.zeros(1, 16, 16, dtype=torch.uint8)
    inside[:, :4, :4] = 255
    assert float(evidence_penalty.outside(evidence, inside)) == pytest.approx(0.25, abs=1e-3)
    assert float(evidence_penalty.outside(evidence, 255 - inside)) == pytest.approx(0.75, abs=1e-3)


def test_the_penalty_moves_evidence_into_the_lungs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    drawn = cohort("confounded", films=48, size=96)

    def share_outside(weight: float) -> float:
        settings = TrainingConfig(epochs=4, batch=8, learning_rate=3e-3, lungs=weight)
        labels = {name: name for name in drawn.classes}
        preprocess = Preprocess(size=64)
        network, parts = NetworkConfig("resnet_small"), SplitConfig(validation=0.3, test=0.3)
        recipe = Recipe("x", "X", drawn.classes, labels, network, preprocess=preprocess, split=parts, training=settings)
        folder = tmp_path / f"run {weight}"
        assert len(list(fit(begin(drawn, recipe, folder, "cpu")))) == 4
        trained = build("resnet_small", 4)
        trained.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["network"])
        seen = films.films_of(drawn, preprocess, folder / "all.npy", lungs=True)
        with torch.no_grad():
            map_ = trained.eval().features(preprocess.tensor(seen.pictures))
            return float(evidence_penalty.outside(evidence_penalty.activations(trained, map_), seen.lungs))

    assert share_outside(5.0) < share_outside(0.0) - 0.05


def quarter(count: int) -> torch.Tensor:
    """Outlines uint8 (count, 32, 32) of the upper left quarter."""
    masks = torch.zeros(count, 32, 32, dtype=torch.uint8)
    masks[:, :16, :16] = 255
    return masks


def test_evidence_on_the_outline_costs_least() -> None:
    right = torch.full((2, 1, 8, 8), -9.0)
    right[0, 0, :4, :4] = 9.0  # the second film has no finding and no evidence
    labels, masks = torch.tensor([1, 0]), quarter(2)
    masks[1] = 0
    cost = float(evidence_penalty.delineation(right, labels, masks))
    assert cost < 0.02
    moved = right.clone()
    moved[0] = right[0].flip(1, 2)
    everywhere = torch.full_like(right, 9.0)
    assert float(evidence_penalty.delineation(moved, labels, masks)) > cost + 1
    assert float(evidence_penalty.delineation(everywhere, labels, masks)) > cost + 1


def test_a_finding_that_nobody_outlined_has_no_say_and_a_negative_film_has() -> None:
    log_odds = torch.zeros(3, 2, 8, 8, requires_grad=True)
    masks = quarter(3)
    masks[1:] = 0
    evidence_penalty.delineation(log_odds, torch.tensor([2, 1, 0]), masks).backward()
    slope = log_odds.grad
    assert slope is not None
    assert float(slope[1].abs().max()) == 0  # a finding, but no outline: by its label alone
    assert float(slope[2].min()) > 0  # nothing found: less evidence everywhere, of both findings
    assert float(slope[0, 1, :4, :4].max()) < 0 < float(slope[0, 1, 4:, 4:].min())  # its own finding, on its outline
    assert float(slope[0, 0].min()) > 0  # the other finding, nowhere
    nobody = evidence_penalty.delineation(log_odds[1:2], torch.tensor([1]), masks[1:2])
    assert float(nobody) == 0


def test_a_taught_film_is_asked_for_what_its_teachers_say_of_each_place() -> None:
    said = torch.full((1, 32, 32), 26, dtype=torch.uint8)  # p = 0.1 everywhere: no outline, and not "nothing found"
    said[:, :16, :16] = 204  # 0.8
    wanted = torch.full((1, 1, 8, 8), 0.1).logit()
    wanted[..., :4, :4] = torch.tensor(0.8).logit()
    taught = torch.tensor([-1])

    def cost(log_odds: torch.Tensor, label: torch.Tensor = taught) -> float:
        return float(evidence_penalty.delineation(log_odds, label, said))

    for shift in (-0.5, 0.5):
        assert cost(wanted) < cost(wanted + shift)
    assert cost(wanted) < cost(wanted, torch.tensor([1]))  # the Dice loss is of outlines that radiologists drew


def test_soft_outlines_ask_for_as_much_as_they_cover() -> None:
    half = torch.full((1, 32, 32), 128, dtype=torch.uint8)
    costs = [
        float(evidence_penalty.delineation(torch.full((1, 1, 8, 8), odds), torch.tensor([1]), half))
        for odds in (-4.0, 0.0, 4.0)
    ]
    assert costs[1] < costs[0]
    assert costs[1] < costs[2] + 0.5 * evidence_penalty.OVERLAP


@pytest.mark.parametrize("name", ["resnet_small", "efficientnet_lite0_pyramid"])
def test_places_tell_their_part_in_the_logit(name: str) -> None:
    torch.manual_seed(0)
    network = build(name, 3).eval()
    with torch.no_grad():
        map_ = network.features(torch.rand(2, 3, 64, 64))
        logits, parts = network.head(map_), evidence_penalty.places(network, map_)
        if evidence_penalty.has_odds(network):
            rule = network.head.odds
            found = rule.power * parts.exp().mean((2, 3)).log() + rule.offset
        else:
            found = parts.mean((2, 3))
    assert torch.allclose(found, logits[:, 1:] - logits[:, :1], atol=1e-4)


def test_only_what_a_finding_has_outside_the_lungs_counts() -> None:
    log_odds = torch.full((2, 1, 4, 4), -30.0)
    log_odds[0, 0, 0, 0], log_odds[0, 0, 3, 3], log_odds[1] = 30.0, 30.0, 30.0
    labels = torch.tensor([1, 0])
    assert float(evidence_penalty.outside_lungs(log_odds, labels, quarter(2))) == pytest.approx(0.5, abs=1e-3)
    assert float(evidence_penalty.outside_lungs(log_odds, torch.tensor([0, 0]), quarter(2))) == 0


def test_boxes_are_outlines_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    drawn = cohort("fair", films=8, size=96).take(range(4))
    boxed = replace(drawn, samples=drawn.samples.drop(columns="truth").assign(boxes=["12,24,48,24", "", "", ""]))
    marked = evidence_penalty.read(boxed, Preprocess(size=48))
    assert (marked[0] > 127).nonzero().amin(0).tolist() == [12, 6]
    assert (marked[0] > 127).nonzero().amax(0).tolist() == [23, 29]
    assert not marked[1:].any()


def test_outlines_and_lungs_together_move_the_evidence_of_a_network_that_pools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    drawn = cohort("fair", films=48, size=96)
    preprocess = Preprocess(size=64)

    def cost(outlines: float, lungs: float) -> float:
        settings = TrainingConfig(epochs=4, batch=8, learning_rate=3e-3, outlines=outlines, lungs=lungs)
        labels = {name: name for name in drawn.classes}
        network, parts = NetworkConfig("resnet_small"), SplitConfig(validation=0.3, test=0.3)
        recipe = Recipe("x", "X", drawn.classes, labels, network, preprocess=preprocess, split=parts, training=settings)
        folder = tmp_path / f"run {outlines}"
        assert len(list(fit(begin(drawn, recipe, folder, "cpu")))) == 4
        trained = build("resnet_small", 4)
        trained.load_state_dict(torch.load(folder / "state.pt", weights_only=True)["network"])
        seen = films.films_of(drawn, preprocess, tmp_path / f"{outlines}.npy")
        with torch.no_grad():
            found = evidence_penalty.places(trained.eval(), trained.features(preprocess.tensor(seen.pictures)))
            return float(evidence_penalty.delineation(found, seen.labels, evidence_penalty.read(drawn, preprocess)))

    assert cost(4.0, 0.5) < cost(0.0, 0.0) - 0.1
