"""Twenty awkward cohorts: `data`, evaluate, audit, train, predict and the dashboard count the same films of each."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.audit import audit
from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.data.readers.files import LeftOut
from core.evaluate.scoring import score
from core.model.bulk.files import find_files
from core.model.checkpoint import load, save
from core.model.classifier import Classifier
from core.training.films import prepare
from core.training.recipe import NetworkConfig, Recipe, SplitConfig
from pages.shared import resources
from tests.data.conftest import draw
from tests.data.readers.test_awkward import as_dicom
from tests.pages.tiny import tiny_checkpoint

EACH = 6  # films of each of two classes
CLASSES = ("Normal", "COVID-19")
Made = tuple[Path, str, int]  # the cohort, a word of its notes, films without a label that predict takes besides


def films(root: Path, first: str = "Normal/{}.png", second: str = "COVID/{}.png") -> Path:
    for number in range(EACH):
        for offset, name in enumerate((first, second)):
            path = root / name.format(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix in (".dicom", ".ima"):
                as_dicom(path, 100 * offset + number)
            else:
                form = "JPEG" if path.suffix == ".jfif" else "PNG"
                Image.fromarray(draw(100 * offset + number)).save(path, form)
    return root


def table(root: Path, name: str = "t.csv", head: str = "path,label", more: str = "", encoding: str = "utf-8") -> Path:
    films(root, "n{}.png", "c{}.png")
    separator = ";" if ";" in head else ","
    rows = [
        f"{c}{n}.png{separator}{label}{more}" for n in range(EACH) for c, label in (("n", "Normal"), ("c", "COVID"))
    ]
    (root / name).write_bytes("\n".join([head, *rows]).encode(encoding))
    return root / name


def and_then(root: Path, name: str, content: bytes = b"a text of some words") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)
    return root


def twice(root: Path) -> Path:
    path = table(root)
    path.write_text(path.read_text() + "\nn0.png,Normal\nc0.png,COVID\nc0.png,COVID")
    return path


def linked(root: Path) -> Path:
    films(root / "store")
    (root / "cohort").mkdir()
    for label in ("Normal", "COVID"):
        (root / "cohort" / label).symlink_to(root / "store" / label)
    return root / "cohort"


def loose(root: Path) -> Path:
    films(root)
    shutil.copy(root / "Normal/0.png", root / "loose.png")
    return root


def masks(root: Path) -> Path:
    films(root, "Normal/images/{}.png", "COVID/images/{}.png")
    (root / "COVID/masks").mkdir()
    Image.fromarray(np.eye(96, dtype=np.uint8)).save(root / "COVID/masks/0.png")
    return root


AWKWARD: dict[str, Callable[[Path], Made]] = {
    "plain": lambda r: (films(r), "", 0),
    "dicom suffix": lambda r: (films(r, second="COVID/{}.dicom"), "", 0),
    "no suffix": lambda r: (films(r, second="COVID/1.2.840.{}"), "", 0),
    "ima and jfif": lambda r: (films(r, "Normal/{}.ima", "COVID/{}.jfif"), "", 0),
    "a text among them": lambda r: (and_then(films(r), "COVID/README"), "README", 0),
    "own metadata.csv": lambda r: (and_then(films(r), "metadata.csv"), "metadata.csv", 0),
    "a folder named as a film": lambda r: (and_then(films(r), "COVID/x.dcm/note"), "note", 0),
    "subfolders": lambda r: (films(r, "Normal/ward/{}.png", "COVID/a/b/{}.png"), "", 0),
    "like Kaggle's": lambda r: (films(r, "Normal/images/Normal-6{}.png", "COVID/images/COVID-6{}.png"), "marks", 0),
    "masks": lambda r: (masks(r), "masks", 0),
    "linked folders": lambda r: (linked(r), "", 0),
    "loose films": lambda r: (loose(r), "loose.png", 1),
    "hidden files": lambda r: (and_then(films(r), "COVID/._0.png"), "hidden", 0),
    "spelled otherwise": lambda r: (films(r, "NORMAL/{}.png", "covid/{}.png"), "", 0),
    "same names": lambda r: (films(r, "Normal/{}.png", "COVID/{}.png"), "", 0),
    "rows twice": lambda r: (twice(r), "joined", 0),
    "a missing file": lambda r: (table(r, head="path,label\ngone.png,COVID"), "gone.png", 0),
    "Excel's": lambda r: (table(r, head="path;label;site", more=";Köln", encoding="cp1252"), "", 0),
    "no label": lambda r: (table(r, head="path,label\nn0.png,"), "without a label", 0),
    "strange ages": lambda r: (table(r, head="path,label,age", more=",413"), "413", 0),
}

OF_LABELS = ("like Kaggle's", "loose films")  # what predict, which takes any film, need not say


@pytest.fixture(autouse=True)
def private_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither read nor fill the reader's cache."""
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Random weights; it knows Normal and COVID-19."""
    folder = tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")
    checkpoint = load(folder)
    two = {name: value for name, value in checkpoint.state.items() if not name.startswith("domain")}
    for name, value in two.items():
        if value.ndim and value.shape[0] == len(checkpoint.card.classes) and "head" in name:
            two[name] = value[: len(CLASSES)].clone()
    card = replace(checkpoint.card, classes=CLASSES, thresholds=dict.fromkeys(CLASSES, 0.5))
    save(replace(checkpoint, card=card, state=two), folder)
    return Classifier(load(folder))


@pytest.mark.parametrize("kind", AWKWARD)
def test_all_count_the_same_films(kind: str, tmp_path: Path, classifier: Classifier) -> None:
    path, word, besides = AWKWARD[kind](tmp_path / "films")
    cohort = open_cohort(path)
    count = 2 * EACH
    assert len(cohort) == count
    assert word in " ".join(cohort.notes)
    evaluation, notes = score(classifier, cohort)
    assert len(evaluation) == count
    assert word in " ".join(notes)
    assert audit(cohort).films == count
    assert len(resources.cohort(str(path))) == count
    left_out = LeftOut()
    assert len(find_files([str(path)], left_out)) == count + besides
    assert word in " ".join(left_out.notes()) or kind in OF_LABELS
    split = divided(cohort)
    assert len(split) == count
    assert word in " ".join(split.notes)


def test_a_damaged_film_is_named_by_all_and_ends_nothing(tmp_path: Path, classifier: Classifier) -> None:
    cohort = open_cohort(and_then(films(tmp_path / "films"), "COVID/damaged.png", b"\x89PNG\r\n\x1a\n and no more"))
    assert len(cohort) == 2 * EACH + 1
    evaluation, notes = score(classifier, cohort)
    assert len(evaluation) == 2 * EACH
    assert "damaged.png" in " ".join(notes)
    unreadable = next(finding for finding in audit(cohort).findings if finding.key == "unreadable")
    assert unreadable.films == ("COVID/damaged.png",)
    split = divided(cohort)
    assert len(split) == 2 * EACH
    assert "COVID/damaged.png" in json.dumps(split.notes)


def divided(cohort: Cohort) -> Cohort:
    recipe = Recipe(
        "tiny",
        "Tiny",
        CLASSES,
        {name: name for name in CLASSES},
        NetworkConfig("resnet_small"),
        split=SplitConfig(validation=0.3, test=0.3),
    )
    return prepare(cohort, recipe)
