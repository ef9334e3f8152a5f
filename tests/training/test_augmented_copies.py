"""Copies made once, and a frozen network's kept features: the same training for less."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from core.data.cohort import Cohort
from core.training import fit as training
from core.training import frozen_features
from core.training.augmented_copies import with_copies
from core.training.films import Films
from core.training.finish import finish
from core.training.recipe import NetworkConfig, Recipe, TrainingConfig
from core.training.run import begin
from core.transform.augment import Augment, Step

FLIP = Augment([Step("flip_horizontal")])


def films(count: int = 10) -> Films:
    pictures = torch.arange(count * 16, dtype=torch.uint8).view(count, 4, 4)
    return Films(pictures, torch.tensor([0] * (count - 3) + [1] * 3), torch.arange(count))


def test_copies_stand_behind_and_each_film_is_copied_as_often_as_the_others() -> None:
    before = films()
    after = with_copies(before, {"B": 7}, ("A", "B"), FLIP, seed=0)
    assert torch.equal(after.pictures[:10], before.pictures)
    assert after.labels.tolist() == [0] * 7 + [1] * 10
    assert after.sources is not None
    assert sorted(after.sources[10:].bincount(minlength=10).tolist()[7:]) == [2, 2, 3]
    assert all(
        torch.equal(picture, before.pictures[source].flip(1))
        for picture, source in zip(after.pictures[10:], after.sources[10:], strict=True)
    )
    again, other = (with_copies(before, {"B": 7}, ("A", "B"), FLIP, seed=seed) for seed in (0, 1))
    assert torch.equal(again.pictures, after.pictures)
    assert not torch.equal(other.pictures, after.pictures)


def frozen(tiny: Recipe, folder: Path, augment: bool, dropout: float = 0.0) -> Recipe:
    return replace(
        tiny,
        network=NetworkConfig("resnet_small", str(folder), dropout, freeze=True),
        augment=tiny.augment if augment else (),
        training=replace(tiny.training, augmented_copies={"B": 5} if augment else {}),
    )


@pytest.mark.parametrize(("augment", "dropout"), [(True, 0.0), (False, 0.3)])
def test_kept_features_train_the_same_head(
    squares: Cohort, tiny_recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, augment: bool, dropout: float
) -> None:
    first = replace(tiny_recipe, training=TrainingConfig(epochs=1, batch=8))
    list(training.fit(begin(squares, first, tmp_path / "first", "cpu")))
    finish(begin(squares, first, tmp_path / "first", "cpu"))
    recipe = frozen(tiny_recipe, tmp_path / "first", augment, dropout)
    assert frozen_features.usable(recipe)
    kept = list(training.fit(begin(squares, recipe, tmp_path / "kept", "cpu")))
    monkeypatch.setattr(frozen_features, "usable", lambda recipe: False)
    whole = list(training.fit(begin(squares, recipe, tmp_path / "whole", "cpu")))
    for one, other in zip(map(asdict, kept), map(asdict, whole), strict=True):
        for key in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
            assert one[key] == pytest.approx(other[key], abs=2e-3), key
    states = [torch.load(tmp_path / name / "state.pt", weights_only=True)["network"] for name in ("kept", "whole")]
    start = torch.load(tmp_path / "first" / "state.pt", weights_only=True)["network"]
    for key, value in states[0].items():
        assert torch.allclose(value, states[1][key], atol=2e-3), key
    assert not torch.equal(states[0]["head.classifier.weight"], start["head.classifier.weight"])


def test_they_are_not_kept_where_pictures_or_features_change(tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = frozen(tiny_recipe, tmp_path, augment=True)
    assert not frozen_features.usable(replace(recipe, training=tiny_recipe.training))  # another draw in each epoch
    assert not frozen_features.usable(replace(recipe, network=replace(recipe.network, freeze="layer1")))
    assert not frozen_features.usable(replace(recipe, network=replace(recipe.network, freeze=False)))


def test_the_penalty_can_be_on_kernels_only(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    heavy = replace(tiny_recipe.training, epochs=1, weight_decay=10, learning_rate=1e-2, optimiser="adamw")
    heavy = replace(heavy, schedule="constant")
    ends = {}
    for decayed in ("all", "kernels"):
        recipe = replace(tiny_recipe, training=replace(heavy, decayed=decayed))  # type: ignore[arg-type]
        list(training.fit(begin(squares, recipe, tmp_path / decayed, "cpu")))
        ends[decayed] = torch.load(tmp_path / decayed / "state.pt", weights_only=True)["network"]
    norms = [key for key, value in ends["all"].items() if key.endswith("weight") and value.ndim == 1]
    kernels = [key for key, value in ends["all"].items() if value.ndim > 1]
    assert norms
    assert all(ends["kernels"][key].mean() > 1.2 * ends["all"][key].mean() for key in norms)
    for key in kernels:  # shrunk alike, by a tenth a step, and little moved by the gradients
        shrunk = [float(ends[name][key].norm()) for name in ("kernels", "all")]
        assert shrunk[0] == pytest.approx(shrunk[1], rel=0.3), key
