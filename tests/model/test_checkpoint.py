"""Checkpoints: what is saved comes back, damage is named, and no pickle is ever loaded."""

import json
import pickle
from pathlib import Path

import pytest
import torch

from core.errors import CheckpointError
from core.model.checkpoint import Card, Checkpoint, as_stored, available, load, save
from core.networks.zoo import build
from core.transform.preprocess import Preprocess


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(0)
    state = build("resnet_small", 2).state_dict() | {"domain.mean": torch.randn(128)}
    card = Card("small", "Small", ("A", "B"), "resnet_small", Preprocess(size=64), {}, 307_794, "2026-01-01T00:00:00Z")
    return Checkpoint(card, state)


def test_round_trip(checkpoint: Checkpoint, tmp_path: Path) -> None:
    again = load(save(checkpoint, tmp_path / "small"))
    assert again.card == checkpoint.card
    assert again.state.keys() == checkpoint.state.keys()
    for key, value in checkpoint.state.items():
        assert again.state[key].dtype == value.dtype
        assert torch.allclose(again.state[key], value, rtol=1e-3, atol=1e-7)
    stored = as_stored(checkpoint.state)
    assert stored.keys() == again.state.keys()
    assert all(torch.equal(stored[key], again.state[key]) for key in stored)
    assert torch.equal(again.domain["mean"], checkpoint.state["domain.mean"])
    assert sorted(path.name for path in (tmp_path / "small").iterdir()) == ["card.json", "model.safetensors"]


def test_kernels_are_stored_in_half_precision(checkpoint: Checkpoint, tmp_path: Path) -> None:
    size = (save(checkpoint, tmp_path) / "model.safetensors").stat().st_size
    assert size < 2.2 * sum(value.numel() for value in checkpoint.state.values())


def test_weights_beyond_half_precision_are_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.state["head.classifier.weight"][0, 0] = 1e5
    with pytest.raises(CheckpointError, match=r"head\.classifier\.weight .* half precision"):
        save(checkpoint, tmp_path / "small")
    assert not list((tmp_path / "small").iterdir())


def test_network_is_ready_to_serve(checkpoint: Checkpoint) -> None:
    network = checkpoint.network()
    assert not network.training
    assert not any(p.requires_grad for p in network.parameters())
    assert torch.equal(network.head.classifier.weight, checkpoint.state["head.classifier.weight"])


def test_wrong_shapes_are_named(checkpoint: Checkpoint) -> None:
    checkpoint.state["head.classifier.weight"] = torch.zeros(3, 128)
    with pytest.raises(CheckpointError, match=r"do not fit resnet_small.*head\.classifier\.weight"):
        checkpoint.network()
    del checkpoint.state["head.classifier.weight"]
    with pytest.raises(CheckpointError, match=r"head\.classifier\.weight"):
        checkpoint.network()


@pytest.mark.parametrize("name", ["model.safetensors", "card.json"])
def test_damage_is_named(checkpoint: Checkpoint, tmp_path: Path, name: str) -> None:
    folder = save(checkpoint, tmp_path / "small")
    whole = (folder / name).read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"\0" * 200, pickle.dumps({"a": 1})):
        (folder / name).write_bytes(content)
        with pytest.raises(CheckpointError, match="damaged"):
            load(folder)
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"has no {name}"):
        load(folder)


def test_a_card_of_a_newer_version_loads_and_an_incomplete_one_does_not(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = save(checkpoint, tmp_path / "small")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(card | {"colour": "blue"}))
    assert load(folder).card == checkpoint.card
    del card["network"]
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(CheckpointError, match="network"):
        load(folder)


def test_a_failed_save_leaves_the_old_checkpoint(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = save(checkpoint, tmp_path / "small")
    bad = Card(**{**vars(checkpoint.card), "metrics": {"accuracy": float("nan")}})
    other = {key: value + 1 for key, value in checkpoint.state.items()}
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(Checkpoint(bad, other), folder)
    with pytest.raises(CheckpointError, match="half precision"):
        save(Checkpoint(checkpoint.card, {key: value.float() * 1e6 for key, value in other.items()}), folder)
    again, stored = load(folder), as_stored(checkpoint.state)
    assert again.card == checkpoint.card
    assert all(torch.equal(again.state[key], stored[key]) for key in stored)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "model.safetensors"]


def test_names_are_looked_up_and_listed(checkpoint: Checkpoint, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path))
    folder = save(checkpoint, tmp_path / "only-here")
    assert folder in available()
    assert load("only-here").path == folder
    with pytest.raises(CheckpointError, match="only-here"):
        load("nowhere")
    (tmp_path / "here" / "only-here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    assert load("only-here").path == folder
    damaged = save(checkpoint, tmp_path / "damaged")
    (damaged / "card.json").write_bytes(b"\xff\xfe\x00")
    assert folder in available()
    assert damaged not in available()


def test_feature_weights_of_a_checkpoint_start_another(checkpoint: Checkpoint, tmp_path: Path) -> None:
    folder = save(checkpoint, tmp_path / "small")
    network = build("resnet_small", 5, weights=str(folder))
    assert torch.allclose(network.features.stem[0].weight, checkpoint.state["features.stem.0.weight"], atol=1e-3)
    with pytest.raises(CheckpointError, match="another network"):
        build("deep_cnn", 5, weights=str(folder))


def test_no_pickle_is_loaded_anywhere() -> None:
    core = Path(__file__).resolve().parents[2] / "core"
    for path in core.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "pickle.load" not in text, path
        if path.name == "from_xrv.py":  # in a process of its own, if asked for
            assert text.partition('_CONVERT = """')[2].partition('"""')[0].count("torch.load(") == 1
            assert text.count("torch.load(") == 1
            continue
        assert text.count("torch.load(") == text.count("weights_only=True)") - text.count(
            "progress=True, weights_only=True)"
        )
