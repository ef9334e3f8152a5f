"""Cards from anybody: each is refused with a sentence that names what is wrong, and the other models work on."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.errors import CheckpointError
from core.model.checkpoint import CARD, WEIGHTS, catalogue, load
from core.model.classifier import open_classifier
from tests.hostile.cards import broken_cards
from tests.pages.tiny import tiny_checkpoint


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_checkpoint(tmp_path_factory.mktemp("weights") / "good")


def copy(good: Path, to: Path) -> Path:
    return Path(shutil.copytree(good, to, dirs_exist_ok=True))


def test_every_broken_card_is_refused_in_a_sentence_and_the_others_work(
    good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path))
    copy(good, tmp_path / "good")
    cases = list(broken_cards(json.loads((good / CARD).read_text(encoding="utf-8"))))
    assert len(cases) > 86
    believed, said = [], {}
    for what, content in cases:
        folder = copy(good, tmp_path / "bad")
        (folder / CARD).write_bytes(content)
        cards, _ = catalogue()
        assert "good" in cards, what
        try:
            open_classifier(folder)
        except CheckpointError as error:
            said[what] = str(error)
        else:
            believed.append(what)
    assert believed == []
    assert {what: words for what, words in said.items() if not 10 < len(words) < 1000} == {}


def test_a_whole_card_is_believed(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path))
    copy(good, tmp_path / "mine")
    cards, refused = catalogue()
    assert cards["mine"].name == "mine"  # a folder is known by its own name, whatever its card was called
    assert refused == {}
    assert open_classifier("mine").card.weights_sha256


def test_a_card_with_another_models_weights_is_refused(good: Path, tmp_path: Path) -> None:
    folder, other = copy(good, tmp_path / "a"), tiny_checkpoint(tmp_path / "b")
    state = {
        name: value + 1 if value.is_floating_point() else value for name, value in load_file(other / WEIGHTS).items()
    }
    save_file(state, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match="not the file that"):
        load(folder)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_no_numbers_are_refused(good: Path, tmp_path: Path, value: float) -> None:
    folder = copy(good, tmp_path / "a")
    state = load_file(folder / WEIGHTS)
    name = next(name for name in state if name.startswith("head"))
    state[name] = torch.full_like(state[name], value)
    save_file(state, folder / WEIGHTS)
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    (folder / CARD).write_text(json.dumps({**card, "weights_sha256": ""}), encoding="utf-8")
    with pytest.raises(CheckpointError, match="not finite"):
        load(folder)


def test_shipped_cards_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HILUM_WEIGHTS", raising=False)
    cards, refused = catalogue()
    assert {"hilum", "honest", "cheat", "resnet18-radiography"} <= cards.keys()
    assert refused == {}
