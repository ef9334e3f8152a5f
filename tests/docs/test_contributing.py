"""CONTRIBUTING's recipes: what they name is there, and two of them followed to the end."""

import re
import tomllib
from pathlib import Path

import pytest
from PIL import Image

from core.cli import cohorts
from core.data.cohort import Cohort
from core.data.readers import LAYOUTS, open_cohort, opener
from core.data.readers.files import LeftOut, films_in
from core.data.readers.layout import Layout
from core.data.table import samples
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


def test_a_recipe_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "quick.toml"
    path.write_text('title = "Quick"\nclasses = ["Normal", "COVID-19"]\n[network]\nname = "resnet_small"\n')
    assert recipe.load(str(path)).title == "Quick"


def test_the_command_line_names_every_layout() -> None:
    assert cohorts._LAYOUTS.split(", ") == list(LAYOUTS)
