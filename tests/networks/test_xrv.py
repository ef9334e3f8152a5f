"""TorchXRayVision's models, random, in files as the package keeps them, answer here as they do there."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torchxrayvision as xrv
from torch import nn

from core.cli import main
from core.data.film.radiograph import from_pixels
from core.model.checkpoint import load
from core.model.classifier import Classifier

DENSENET, RESNET = "densenet121-res224-nih", "resnet50-res512-all"


def seen(model: nn.Module) -> nn.Module:
    """Batch norms that have seen films of this range, so that logits are of the usual size."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        model.train()(torch.empty(4, 1, 64, 64).uniform_(-1024, 1024))
    return model.eval()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's cache, with a pickled DenseNet and a ResNet's state dict; nothing is downloaded."""
    torch.manual_seed(0)
    files = {name: Path(xrv.models.model_urls[name]["weights_url"]).name for name in (DENSENET, RESNET)}
    torch.save(seen(xrv.models.DenseNet(num_classes=18)), tmp_path / files[DENSENET])
    import torchvision

    resnet = torchvision.models.resnet50(num_classes=18)
    resnet.conv1 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    torch.save(seen(resnet).state_dict(), tmp_path / files[RESNET])
    monkeypatch.setattr(xrv.utils, "get_cache_dir", lambda: str(tmp_path) + "/")
    return tmp_path


def adopted(source: str, out: Path, *more: str) -> Classifier:
    assert main(["adopt", source, "--out", str(out), *more]) == 0
    return Classifier(load(out), "torch")


@pytest.mark.parametrize("name", [DENSENET, RESNET])
def test_logits_equal_the_packages_through_its_own_preprocessing(name: str, cache: Path, tmp_path: Path) -> None:
    ours = adopted(f"xrv:{name}", tmp_path / "x", "--run-pickle")
    side = ours.preprocess.size
    grey = np.random.default_rng(0).integers(0, 256, (side, side + 40), np.uint8)
    film = from_pixels(grey, "film")
    theirs = xrv.models.get_model(name)
    labels = list(theirs.pathologies)
    theirs.op_threshs = None  # else it answers with rescaled probabilities
    normalised = xrv.datasets.normalize(grey, 255)[None]
    image = xrv.datasets.XRayCenterCrop()(normalised)  # already of the right side
    kept = [number for number, label in enumerate(labels) if label]
    # In float64: in float32 processors sum in different orders, and logits of a large network are up to 3e-5 apart.
    with torch.no_grad():
        wanted = theirs.double()(torch.from_numpy(image)[None].double())[0].numpy()
        shown = ours.tensor(ours.picture(film)[None]).double()
        got = copy.deepcopy(ours.network).double()(shown)[0].numpy()
    np.testing.assert_allclose(got, wanted[kept], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.predict(film).logits, got, rtol=1e-4, atol=1e-4)
    assert ours.classes == tuple(labels[number] for number in kept)


def test_findings_have_the_packages_operating_points_and_are_not_exclusive(cache: Path, tmp_path: Path) -> None:
    ours = adopted(f"xrv:{DENSENET}", tmp_path / "x", "--run-pickle")
    said = xrv.models.model_urls[DENSENET]
    points = [point for label, point in zip(said["labels"], said["op_threshs"], strict=True) if label]
    np.testing.assert_allclose(ours.output.operating_points, points, rtol=1e-6)
    assert ours.card.output == "sigmoid"
    assert ours.preprocess.channels == 1


def test_a_pickled_module_is_not_read_unless_asked_for(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["adopt", f"xrv:{DENSENET}", "--out", str(tmp_path / "x")]) == 2
    said = capsys.readouterr().err
    assert "reading it runs code of whoever wrote it" in said
    assert "--run-pickle" in said
    assert not (tmp_path / "x").exists()


def test_without_the_internet_it_is_said(tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture) -> None:
    def offline(*_: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(xrv.utils, "get_cache_dir", lambda: str(tmp_path) + "/")
    monkeypatch.setattr(xrv.utils, "download", offline)
    assert main(["adopt", f"xrv:{DENSENET}", "--out", str(tmp_path / "x")]) == 2
    assert "could not be downloaded" in capsys.readouterr().err
