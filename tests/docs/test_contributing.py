"""CONTRIBUTING's recipes: what they name is there, and four of them followed to the end."""

import re
import sys
import tomllib
from collections import OrderedDict
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image
from torch import nn

from core.cli import cohorts
from core.data.cohort import Cohort
from core.data.readers import LAYOUTS, open_cohort, opener
from core.data.readers.files import LeftOut, films_in
from core.data.readers.layout import Layout
from core.data.table import samples
from core.networks import from_scratch, sources, zoo
from core.networks.network import Network, NetworkSpec
from core.training import recipe
from tests.conftest import REPOSITORY

TEXT = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")


def paths(text: str) -> list[str]:
    """What is named as a file or folder of this repository."""
    named = re.findall(r"`((?:core|pages|tests|docs|benchmarks)/[\w./-]*|\w+\.(?:py|md|txt))`", text)
    return [path for path in named if not (REPOSITORY / path).exists()]


def test_every_file_that_is_named_is_there() -> None:
    assert len(re.findall(r"`(?:core|pages|tests|docs)/", TEXT)) > 15
    assert paths(TEXT) == []
    assert paths("`core/none.py` and `core/errors.py`") == ["core/none.py"]


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = " > ".join(f"`{layer}`" for layer in contracts["contracts"][0]["layers"])
    assert layers in TEXT


def test_a_layout_is_a_row_with_two_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "films").mkdir()
    for name, grey in (("a", 40), ("b", 90)):
        Image.new("L", (64, 64), grey).save(tmp_path / "films" / f"{name}.png")
    (tmp_path / "labels.txt").write_text("a Normal\nb COVID-19")

    def recognise(path: Path) -> str:
        return "a list labels.txt" if (path / "labels.txt").is_file() else ""

    def read(path: Path) -> Cohort:
        labels = dict(line.split() for line in (path / "labels.txt").read_text().splitlines())
        table, notes = samples(
            [{"path": f, "label": labels[f.stem]} for f in films_in(path / "films", LeftOut())], path
        )
        return Cohort("Listed", table, ("Normal", "COVID-19"), notes, layout="listed")

    row = Layout("listed", "Listed films", recognise, read)
    monkeypatch.setattr(opener, "LAYOUTS", {"listed": row, **LAYOUTS})
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "listed"
    assert cohort.samples["label"].tolist() == ["Normal", "COVID-19"]


def one_layer(n_classes: int, dropout: float) -> tuple[nn.Sequential, nn.Sequential]:
    """The smallest network that can be cut."""
    features = nn.Sequential(OrderedDict(stem=nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.ReLU())))
    return features, nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, n_classes))


def test_a_network_is_a_function_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(from_scratch, "one_layer", one_layer, raising=False)
    spec = NetworkSpec("one_layer", "One layer", False, 64, evidence="activations")
    monkeypatch.setattr(zoo, "NETWORKS", {**zoo.NETWORKS, "one_layer": spec})
    network = zoo.build("one_layer", 3).eval()
    images = torch.zeros(2, 3, 64, 64)
    lower, upper = network.cut("stem")
    assert torch.equal(upper(lower(images)), network(images))
    made = recipe.Recipe.from_dict({"name": "x", "title": "X", "classes": ["A", "B"], "network": {"name": "one_layer"}})
    assert made.network.name == "one_layer"


def test_a_source_is_a_file_of_five_functions_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = list(sources.Source.__dict__)
    wanted = [name for name in parts if not name.startswith("_")]
    assert all(f"``{name}(" in (sources.__doc__ or "") for name in wanted)
    library = ModuleType("from_library")

    def make(name: str, n_classes: int, channels: int, size: int, dropout: float, config=None) -> nn.Module:
        return nn.Sequential(*one_layer(n_classes, dropout))

    made = {
        "names": lambda: ("small",),
        "spec": lambda name: NetworkSpec(f"library:{name}", name, False, 64),
        "make": make,
        "regroup": lambda model: Network(model[0], model[1]),
        "own_weights": lambda name, run_pickle=False, size=0: sources.Offered(
            make(name, 2, 3, 0, 0.0), name, ("A", "B"), {}
        ),
    }
    assert sorted(made) == sorted(wanted)
    for name, function in made.items():
        setattr(library, name, function)
    monkeypatch.setitem(sys.modules, "core.networks.from_library", library)
    monkeypatch.setitem(sources.SOURCES, "library", "core.networks.from_library")
    assert "library:small" in sources.names()
    assert zoo.is_known("library:small")
    assert zoo.spec_of("library:small").input_size == 64
    assert zoo.build("library:small", 2, weights="imagenet")(torch.zeros(1, 3, 64, 64)).shape == (1, 2)
    assert not zoo.is_known("library:../small")
    assert not zoo.is_known("unheard:small")


def test_a_recipe_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "quick.toml"
    path.write_text('title = "Quick"\nclasses = ["Normal", "COVID-19"]\n[network]\nname = "resnet_small"\n')
    assert recipe.load(str(path)).title == "Quick"


def test_the_command_line_names_every_layout() -> None:
    assert cohorts._LAYOUTS.split(", ") == list(LAYOUTS)
