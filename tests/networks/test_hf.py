"""Models of transformers, saved as their users save them: adopted, they answer as they did; what is wrong is said."""

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.cli import main
from core.errors import CheckpointError, RecipeError
from core.model.adopt.adopted import Wishes, from_path, from_source
from core.model.checkpoint import load, save
from core.model.classifier import Classifier
from core.networks.hf_processor import look_of

SIDE = 64
FINDINGS = ("Effusion", "Edema", "Mass")
VIT = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "image_size": SIDE}
SMALL: dict[str, dict[str, Any]] = {
    "vit": {**VIT, "patch_size": 16},
    "deit": {**VIT, "patch_size": 16, "architectures": ["DeiTForImageClassification"]},
    "dinov2": {**VIT, "patch_size": 16, "mlp_ratio": 2},
    "dinov2_with_registers": {**VIT, "patch_size": 16, "mlp_ratio": 2, "num_register_tokens": 3},
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
    "regnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "groups_width": 8},
    "convnext": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "convnextv2": {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2},
    "swin": {
        "embed_dim": 8,
        "depths": [2, 2],
        "num_heads": [2, 2],
        "window_size": 4,
        "patch_size": 4,
        "image_size": 64,
    },
}


def saved(folder: Path, kind: str = "vit", names: Sequence[str] = FINDINGS, **said: Any) -> torch.nn.Module:
    """A small model with random weights, as ``save_pretrained`` leaves it."""
    import transformers

    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(kind, **SMALL[kind], id2label=dict(enumerate(names)), **said)
    model = transformers.AutoModelForImageClassification.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
    model.save_pretrained(folder)
    return model


def processor(folder: Path, **said: Any) -> None:
    usual = {
        "do_resize": True,
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": [0.5] * 3,
        "image_std": [0.25] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps({**usual, **said}))


@pytest.mark.parametrize("kind", SMALL)
def test_an_adopted_model_answers_as_it_did(kind: str, tmp_path: Path) -> None:
    model = saved(tmp_path / "mine", kind, problem_type="multi_label_classification")
    processor(tmp_path / "mine")
    assert main(["adopt", f"hf:{tmp_path / 'mine'}", "--out", str(tmp_path / "adopted")]) == 0
    classifier = Classifier(load(tmp_path / "adopted"), "torch")
    card = classifier.card
    assert (card.network, card.classes, card.output) == (f"hf:{kind}", FINDINGS, "sigmoid")
    assert (card.preprocess.size, card.preprocess.mean, card.preprocess.std) == (SIDE, (0.5,) * 3, (0.25,) * 3)
    assert str(tmp_path) not in (tmp_path / "adopted" / "card.json").read_text()
    picture = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE), np.uint8)
    pixels = (torch.from_numpy(picture)[:, None].expand(-1, 3, -1, -1) / 255 - 0.5) / 0.25
    with torch.no_grad():
        theirs = model(pixels).logits.numpy()
    np.testing.assert_allclose(classifier.predict_pictures(picture)[0], theirs, atol=1e-5)
    assert theirs.std() > 1e-3
    for layer in classifier.network.layers:
        lower, upper = classifier.network.cut(layer)
        native = lower(pixels)
        map_ = classifier.network.layout.map_of(native)
        assert map_.ndim == 4
        assert map_.shape[-1] == map_.shape[-2] > 1
        again = upper(classifier.network.layout.native_of(map_, native)).numpy()
        np.testing.assert_allclose(again, theirs, atol=1e-5)


def test_patches_at_the_usual_layer_have_gradients_where_those_of_the_last_block_have_none(tmp_path: Path) -> None:
    saved(tmp_path / "vit")
    network = from_source(f"hf:{tmp_path / 'vit'}", Wishes(), "vit").network()
    assert network.usual_layer == "block1"
    for layer, reaches in (("block1", True), ("block2", False)):
        lower, upper = network.cut(layer)
        native = lower(torch.rand(1, 3, SIDE, SIDE)).requires_grad_()
        (slope,) = torch.autograd.grad(upper(native)[0, 0], native)
        assert bool(slope[:, 1:].any()) == reaches


def test_another_configuration_is_another_model(tmp_path: Path) -> None:
    """Weights of the same shapes under other heads answer otherwise, and must not share cached answers."""
    saved(tmp_path / "vit")
    made = from_source(f"hf:{tmp_path / 'vit'}", Wishes(), "vit")
    save(made, tmp_path / "one")
    card = json.loads((tmp_path / "one" / "card.json").read_text())
    card["network_config"]["num_attention_heads"] = 1
    save(made, tmp_path / "other")
    (tmp_path / "other" / "card.json").write_text(json.dumps(card))
    one, other = (Classifier(load(tmp_path / name), "torch") for name in ("one", "other"))
    picture = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE), np.uint8)
    assert not np.allclose(one.predict_pictures(picture)[0], other.predict_pictures(picture)[0], atol=1e-4)
    assert one.key != other.key


def _no_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _backbone(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = {k: v for k, v in load_file(folder / "model.safetensors").items() if not k.startswith("classifier")}
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def _not_finite(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    state["classifier.weight"][0, 0] = torch.nan
    save_file(state, folder / "model.safetensors", {"format": "pt"})


def _config(**said: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **said}))

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_no_weights, "no weights in safetensors"),
        (_backbone, "lacks 2 tensors of its classifier"),
        (_not_finite, "not finite"),
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "onfig.json is damaged"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"junk"), "cannot be opened"),
        (_config(auto_map={"AutoModelForImageClassification": "evil.Evil"}), "asks to run code"),
        (_config(attn_implementation="evil/kernels"), "evil/kernels"),
        (_config(_attn_implementation="evil/kernels"), "evil/kernels"),
        (_config(quantization_config={"quant_method": "evil"}), "quantization_config"),
        (_config(model_type="evil"), "ransformers' evil is not cut"),
        (_config(num_hidden_layers=10**9), "1,000,000,000 layers"),
        (_config(hidden_size=10**9), "hidden_size = 1,000,000,000"),
        (_config(id2label={0: "<b>Effusion</b>", 1: "Edema", 2: "Mass"}), "holds '<'"),
        (lambda folder: processor(folder, size={"height": 64, "width": 96}), "96 x 64"),
        (lambda folder: processor(folder, image_std=[0, 0, 0]), "above 0"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(change: Callable[[Path], None], sentence: str, tmp_path: Path) -> None:
    saved(tmp_path / "mine")
    (tmp_path / "mine" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    change(tmp_path / "mine")
    with pytest.raises((CheckpointError, RecipeError), match=sentence):
        from_source(f"hf:{tmp_path / 'mine'}", Wishes(), "mine")
    assert not (tmp_path / "ran").exists()


def test_a_folder_may_come_as_a_zip(tmp_path: Path) -> None:
    saved(tmp_path / "mine", problem_type="multi_label_classification")
    with zipfile.ZipFile(tmp_path / "chest.zip", "w") as packed:
        for file in (tmp_path / "mine").iterdir():
            packed.write(file, f"mine/{file.name}")
    made = from_path(tmp_path / "chest.zip", Wishes(), "chest")
    assert (made.card.title, made.card.origin["source"]) == ("chest (hf:vit)", "chest.zip")
    assert made.card.classes == FINDINGS


def test_a_repository_without_the_internet_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RecipeError, match="Connect to the internet once"):
        from_source("hf:nobody/no-such-model", Wishes(), "x")


def test_what_a_processor_does_is_what_the_picture_gets() -> None:
    """Against the arithmetic of transformers' own processor, on one grey level."""
    import transformers

    for said in (
        {
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [0.4] * 3,
            "image_std": [0.2] * 3,
        },
        {"do_rescale": True, "rescale_factor": 1 / 127.5, "do_normalize": False},
        {"do_rescale": False, "do_normalize": True, "image_mean": [120.0] * 3, "image_std": [60.0] * 3},
    ):
        theirs = transformers.ViTImageProcessor(**said, size={"height": 8, "width": 8})
        grey = np.full((8, 8, 3), 200, np.uint8)
        wanted = float(theirs(grey, return_tensors="np")["pixel_values"][0, 0, 0, 0])
        look = look_of({**said, "size": {"height": 8, "width": 8}})
        assert look["size"] == 8
        assert (200 / 255 - look["mean"][0]) / look["std"][0] == pytest.approx(wanted, abs=1e-5)
    assert look_of({"do_center_crop": True, "crop_size": {"height": 224, "width": 224}})["fit"] == "crop"
    assert look_of({"size": {"shortest_edge": 384}}) == {"size": 384, "fit": "crop"}
    assert look_of({}) == {}
