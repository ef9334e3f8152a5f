"""Models from outside: what a user saves is adopted, answers as it did, and what is wrong with a file is said."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from core.cli import main
from core.data.film.radiograph import from_pixels
from core.evaluate.storage import from_parquet
from core.model.checkpoint import load
from core.model.classifier import Classifier
from core.networks import sources

CLASSES = "Normal,COVID-19,Viral Pneumonia"
Adopt = Callable[..., Path]


@pytest.fixture
def adopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adopt:
    """Run the command; the checkpoint's folder."""
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path / "weights"))

    def run(source: Path | str, *more: str, classes: str = CLASSES) -> Path:
        out = tmp_path / "weights" / "adopted"
        named = ["--classes", classes] if classes else []
        assert main(["adopt", str(source), *named, "--out", str(out), *more]) == 0
        return out

    return run


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture) -> Callable[..., str]:
    """Run the command on something it must refuse; its sentence."""

    def run(source: Path | str, *more: str, classes: str = CLASSES) -> str:
        named = ["--classes", classes] if classes else []
        assert main(["adopt", str(source), *named, "--out", str(tmp_path / "x"), *more]) == 2
        assert not (tmp_path / "x").exists()
        return capsys.readouterr().err

    return run


def trained(name: str, outputs: int = 3, channels: int = 3, size: int = 64) -> nn.Module:
    """As a user's training leaves it: batch norms that have seen something."""
    torch.manual_seed(0)
    model = sources.make(name, outputs, channels, size)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
    return model.eval()


def same_logits(folder: Path, model: nn.Module, size: int = 64) -> None:
    """The adopted model's logits equal the original's on the same picture to 1e-5."""
    classifier = Classifier(load(folder), "torch")
    picture = np.random.default_rng(0).integers(0, 256, (2, size, size), np.uint8)
    assert classifier.preprocess.size == size
    with torch.no_grad():
        theirs = model(classifier.tensor(picture)).numpy()
    ours, _ = classifier.predict_pictures(picture)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-5)
    assert ours.std() > 0


@pytest.mark.parametrize(
    ("name", "wrapped"),
    [
        ("torchvision:resnet18", lambda state: state),
        ("torchvision:resnet18", lambda state: {f"module.{k}": v for k, v in state.items()}),
        (
            "timm:test_vit",
            lambda state: {
                "epoch": 3,
                "state_dict": {**{f"model.{k}": v for k, v in state.items()}, "loss.weight": torch.ones(3)},
                "optimizer": {},
            },
        ),
        ("torchvision:squeezenet1_1", lambda state: {"model": {f"_orig_mod.{k}": v for k, v in state.items()}}),
    ],
    ids=["plain", "DataParallel", "Lightning", "compiled"],
)
def test_a_state_dict_is_recognised_and_answers_as_it_did(name: str, wrapped: Callable, tmp_path, adopt: Adopt) -> None:
    model = trained(name)
    torch.save(wrapped(model.state_dict()), tmp_path / "mine.pth")
    folder = adopt(tmp_path / "mine.pth", "--size", "64")
    card = load(folder).card
    assert card.network == name
    assert card.caveat == "Uncalibrated, no in-domain check"
    same_logits(folder, model)


def test_many_films_get_the_answer_of_one(tmp_path: Path, adopt: Adopt) -> None:
    """A transformer through the bulk engine and the in-domain signature, as `core predict` asks it."""
    torch.save(trained("timm:test_vit").state_dict(), tmp_path / "vit.pth")
    classifier = Classifier(load(adopt(tmp_path / "vit.pth", "--network", "timm:test_vit", "--size", "64")))
    grey = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    films = [from_pixels(one, f"{number}") for number, one in enumerate(grey)]
    together = list(classifier.predict_many(films))
    for film, many in zip(films, together, strict=True):
        np.testing.assert_allclose(many.probabilities, classifier.predict(film).probabilities, atol=1e-5)


def test_safetensors_with_one_grey_channel_and_its_own_range(tmp_path: Path, adopt: Adopt) -> None:
    model = trained("timm:test_resnet", channels=1)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "grey.safetensors")
    folder = adopt(tmp_path / "grey.safetensors", "--network", "timm:test_resnet", "--size", "64", "--range", "xrv")
    assert load(folder).card.preprocess.mean == (0.5,)
    same_logits(folder, model)


def test_a_single_logit_becomes_two_classes(tmp_path: Path, adopt: Adopt) -> None:
    model = trained("torchvision:resnet18", outputs=1)
    torch.save(model.state_dict(), tmp_path / "binary.pth")
    folder = adopt(tmp_path / "binary.pth", "--size", "64", classes="Normal,Pneumonia")
    classifier = Classifier(load(folder), "torch")
    picture = np.random.default_rng(0).integers(0, 256, (2, 64, 64), np.uint8)
    with torch.no_grad():
        theirs = model(classifier.tensor(picture)).sigmoid()[:, 0].numpy()
    np.testing.assert_allclose(classifier.predict_pictures(picture)[1][:, 1], theirs, atol=1e-5)


def test_a_sources_own_weights(tmp_path: Path, adopt: Adopt, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a folder of files in the place of the internet."""
    torch.manual_seed(0)
    model = torchvision.models.squeezenet1_1().eval()
    (tmp_path / "files").mkdir()
    torch.save(model.state_dict(), tmp_path / "files" / "squeezenet1_1-x.pth")
    monkeypatch.setenv("HILUM_PRETRAINED", str(tmp_path / "files"))
    folder = adopt("torchvision:squeezenet1_1", classes="")
    card = load(folder).card
    assert len(card.classes) == 1000
    assert (card.preprocess.size, card.preprocess.fit) == (224, "crop")
    same_logits(folder, model, 224)


def test_weights_that_need_the_internet_say_so(refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read at import: the variable is too late
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nonexistent")
    assert "Connect to the internet" in refused("timm:test_vit.r160_in1k", classes="")


class Runs:
    """Its pickle runs code when it is read."""

    def __reduce__(self):
        return os.mkdir, (os.environ["ADOPT_TRAP"],)


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path, refused, monkeypatch) -> None:
    trap = tmp_path / "trap"
    monkeypatch.setenv("ADOPT_TRAP", str(trap))
    for content in (Runs(), {"state_dict": Runs()}):
        torch.save(content, tmp_path / "evil.pth")
        assert "would have to be run" in refused(tmp_path / "evil.pth")
    (tmp_path / "bare.pth").write_bytes(pickle.dumps({"a": Runs()}))
    assert "cannot be read as weights" in refused(tmp_path / "bare.pth")
    assert not trap.exists()
    pickle.loads((tmp_path / "bare.pth").read_bytes())  # the trap works
    assert trap.exists()


def test_other_networks_and_damaged_files_are_named(tmp_path: Path, refused) -> None:
    torch.save(trained("torchvision:resnet18").state_dict(), tmp_path / "r18.pth")
    sentence = refused(tmp_path / "r18.pth", "--network", "timm:test_vit", "--size", "64")
    assert "do not fit timm:test_vit" in sentence
    assert "are missing, e.g. cls_token" in sentence
    assert "instead of" not in sentence or "conv" in sentence
    torch.save({"weird.weight": torch.zeros(3, 3), "first.weight": torch.zeros(1, 3, 3, 3)}, tmp_path / "odd.pth")
    assert "of no network that is recognised" in refused(tmp_path / "odd.pth")
    whole = (tmp_path / "r18.pth").read_bytes()
    for cut in (0, 10, len(whole) // 2):
        (tmp_path / "cut.pth").write_bytes(whole[:cut])
        assert "ut.pth cannot be read as weights" in refused(tmp_path / "cut.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
    assert "cannot be read as weights" in refused(tmp_path / "cut.safetensors")
    torch.save([1, 2], tmp_path / "list.pth")
    assert "holds no tensors by name" in refused(tmp_path / "list.pth")
    assert "there is no weights file" in refused(tmp_path / "absent.pth").lower()
    assert "timm:NAME" in refused(tmp_path / "film.png")


def test_values_that_are_not_finite_and_too_many_classes_are_refused(tmp_path: Path, refused) -> None:
    state = trained("torchvision:resnet18").state_dict()
    state["layer4.0.conv1.weight"][0, 0, 0, 0] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    assert "not finite, e.g. in layer4.0.conv1.weight" in refused(tmp_path / "nan.pth")
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.weight": torch.zeros(10_000, 4)}, tmp_path / "many.pth")
    assert "10,000 outputs. Expected 1,000 at most" in refused(tmp_path / "many.pth")


def test_class_names_are_plain_words_one_for_each_output(tmp_path: Path, refused) -> None:
    torch.save(trained("torchvision:resnet18").state_dict(), tmp_path / "r18.pth")
    assert "3 outputs and its file names none" in refused(tmp_path / "r18.pth", classes="")
    assert "3 outputs, and 2 classes were named" in refused(tmp_path / "r18.pth", classes="A,B")
    assert "plain words" in refused(tmp_path / "r18.pth", classes="A,B,<img src=x onerror=alert(1)>")
    assert "two classes are called 'A'" in refused(tmp_path / "r18.pth", classes="A,B,A").replace("Two", "two")
    assert "plain words" in refused(tmp_path / "r18.pth", classes="A,B,\u202eC")
    assert "no range" in refused(tmp_path / "r18.pth", "--range", "0..7")
    assert "no network timm:nothing" in refused(tmp_path / "r18.pth", "--network", "timm:nothing")


def test_a_checkpoint_is_not_overwritten(tmp_path: Path, adopt: Adopt) -> None:
    torch.save(trained("torchvision:resnet18").state_dict(), tmp_path / "r18.pth")
    adopt(tmp_path / "r18.pth", "--size", "64")
    assert (
        main(["adopt", str(tmp_path / "r18.pth"), "--classes", CLASSES, "--out", str(tmp_path / "weights/adopted")])
        == 2
    )


def test_calibrated_on_labelled_films(tmp_path: Path, adopt: Adopt, squares, capsys: pytest.CaptureFixture) -> None:
    torch.save(trained("timm:test_resnet", outputs=2).state_dict(), tmp_path / "two.pth")
    own = (
        "--network",
        "timm:test_resnet",
        "--size",
        "64",
        "--calibrate",
        str(Path(squares.samples["path"].iat[0]).parents[1]),
    )
    folder = adopt(tmp_path / "two.pth", *own, classes="A,B")
    said = capsys.readouterr().out
    assert "Preprocessing tried: as declared (imagenet, squash) AUROC" in said
    assert "After its weights are destroyed" in said or "blank" in said
    classifier = Classifier(load(folder), "torch")
    card = classifier.card
    assert card.caveat == ""
    assert (card.output, card.origin["calibrated_on"]) == ("softmax", squares.name)
    assert card.randomisation["gradcam"]["films"] > 0
    kept = from_parquet(folder / "evaluation.parquet", "two")
    assert set(kept.samples["split"]) == {"validation", "test"}
    verdict = classifier.predict(squares.film(0)).domain
    assert np.isfinite(verdict.score)
    assert main(["calibrate", str(folder), "--data", own[-1]]) == 2
    assert "The model has met every film of" in capsys.readouterr().err
    bare = adopt(tmp_path / "two.pth", *own[:4], "--out", str(tmp_path / "weights" / "bare"), classes="A,B")
    assert bare == folder  # where `adopt` looks; the last --out counts
    assert main(["calibrate", str(tmp_path / "weights" / "bare"), "--data", own[-1]]) == 0  # the same function
    later = load(tmp_path / "weights" / "bare").card
    assert (later.temperature, later.thresholds, later.domain) == (card.temperature, card.thresholds, card.domain)
    assert (later.caveat, later.randomisation.keys()) == ("", card.randomisation.keys())
    assert "Calibration error (ECE) on the" in capsys.readouterr().out
    photo = from_pixels(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), "noise")
    assert classifier.predict(photo).domain.status == "out"
