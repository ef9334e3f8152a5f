"""Recipes: the shipped ones load, say the same after a round trip, and contradictions name both settings."""

import pytest
import torch

from core.errors import RecipeError
from core.networks.zoo import NETWORKS, build
from core.training import evidence_penalty
from core.training.recipe import Recipe, load, names


@pytest.mark.parametrize("name", names())
def test_shipped_recipes_survive_a_round_trip(name: str) -> None:
    recipe = load(name)
    again = Recipe.from_dict(recipe.to_dict())
    assert again == recipe
    assert again.fingerprint == recipe.fingerprint


def test_the_published_settings() -> None:
    first, third, fourth = load("resnet18_three_class"), load("deep_cnn"), load("resnet18_four_class")
    assert (first.training.learning_rate, first.training.batch, first.training.epochs) == (1e-3, 16, 10)
    assert [(s.epochs, s.learning_rate) for s in third.training.stages] == [(40, 4e-4), (2, 2e-4)]
    assert (fourth.training.learning_rate, fourth.split.per_split) == (3e-5, 400)
    assert fourth.published == {"accuracy": 0.95, "auroc": 0.98}


MINIMAL = {"name": "x", "title": "X", "classes": ["A", "B"], "network": {"name": "resnet_small"}}


@pytest.mark.parametrize(
    ("change", "first", "second"),
    [
        ({"training": {"sampling": "weighted", "class_weights": True}}, "training.sampling", "training.class_weights"),
        ({"training": {"schedule": "stages"}}, "training.schedule", "training.stages"),
        (
            {"training": {"schedule": "stages", "epochs": 5, "stages": [{"epochs": 2, "learning_rate": 1e-3}]}},
            "training.epochs = 5",
            "training.stages of 2",
        ),
        ({"training": {"epochs": 5, "patience": 5}}, "training.patience", "training.epochs"),
        ({"training": {"epochs": 5, "half_size_epochs": 5}}, "training.half_size_epochs", "training.epochs"),
        ({"network": {"name": "resnet18", "freeze": True}}, "network.freeze", "network.weights"),
        ({"network": {"name": "compact_cnn", "weights": "imagenet"}}, "network.weights", "network.name"),
        ({"network": {"name": "compact_cnn"}}, "preprocess.size = 224", "256 px"),
        ({"split": {"per_split": 40, "use_source": True}}, "split.per_split", "split.use_source"),
        ({"labels": {"a": "A", "b": "B", "c": "C"}}, "'C'", "classes"),
        ({"labels": {"a": "A"}}, "'B'", "labels"),
        (
            {
                "network": {"name": "resnet_local"},
                "training": {"outlines": 1},
                "preprocess": {"region": "lungs"},
            },
            "training.outlines",
            "preprocess.region",
        ),
    ],
)
def test_contradictions_name_both_settings(change: dict, first: str, second: str) -> None:
    with pytest.raises(RecipeError) as error:
        Recipe.from_dict(MINIMAL | change)
    assert first in error.value.came
    assert second in error.value.came


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"training": {"optimizer": "adam"}}, "optimizer"),
        ({"training": {"optimiser": "lion"}}, "lion"),
        ({"training": {"learning_rate": -1}}, "learning_rate"),
        ({"network": {"name": "alexnet"}}, "alexnet"),
        ({"augment": [{"name": "twirl"}]}, "twirl"),
        ({"colour": "blue"}, "colour"),
        ({"classes": ["A"]}, "A"),
        ({"classes": "AB"}, "lasses is 'AB'.*list"),
        ({"labels": ["A", "B"]}, "abels is .*table"),
        ({"network": "resnet18"}, "etwork is 'resnet18'.*table"),
        ({"training": 5}, "raining is 5.*table"),
        ({"training": {"stages": [5]}}, r"raining\.stages is 5.*table"),
        ({"training": {"patience": -1}}, "patience is -1"),
        ({"training": {"epochs": 2.5}}, "epochs is 2.5.*whole number"),
        ({"training": {"epochs": True}}, "epochs is True.*whole number"),
        ({"training": {"weight_decay": -0.1}}, "weight_decay is -0.1"),
        ({"training": {"class_weights": "no"}}, "class_weights is 'no'.*true or false"),
        ({"training": {"learning_rate": "1e-3"}}, "learning_rate is '1e-3'.*number"),
        ({"training": {"seed": 2**60}}, "seed is"),
    ],
)
def test_unknown_settings_are_named(change: dict, named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        Recipe.from_dict(MINIMAL | change)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_penalty_by_place_is_refused_at_once_where_the_network_tells_no_places(name: str) -> None:
    spec = NETWORKS[name]
    values = MINIMAL | {"network": {"name": name}, "preprocess": {"size": spec.input_size}}
    with torch.device("meta"):
        network = build(name, 2)
        map_ = network.features(torch.rand(1, 3, spec.input_size, spec.input_size))
        try:
            able = evidence_penalty.activations(network, map_).shape == (1, 2, *map_.shape[2:])
        except RecipeError:
            able = False
    votes = "evidence" in dict(network.head.named_children())
    for setting, bearable in (("lungs", able or evidence_penalty.has_odds(network)), ("outlines", able or votes)):
        if bearable:
            assert getattr(Recipe.from_dict(values | {"training": {setting: 1.0}}).training, setting) == 1
        else:
            with pytest.raises(
                RecipeError, match=f"raining.{setting}.*{name}.*Expected.*resnet_.*leave training"
            ) as told:
                Recipe.from_dict(values | {"training": {setting: 1.0}})
            assert told.value.remedy


def test_missing_and_broken_files(tmp_path) -> None:
    with pytest.raises(RecipeError, match="hilum"):
        load("no_such_recipe")
    (tmp_path / "broken.toml").write_text("title = ")
    with pytest.raises(RecipeError, match="not TOML"):
        load(tmp_path / "broken.toml")


def test_words_for_readers_do_not_make_another_run() -> None:
    recipe = Recipe.from_dict(MINIMAL)
    assert Recipe.from_dict(MINIMAL | {"title": "Y"}).fingerprint == recipe.fingerprint
    assert Recipe.from_dict(MINIMAL | {"training": {"seed": 1}}).fingerprint != recipe.fingerprint
