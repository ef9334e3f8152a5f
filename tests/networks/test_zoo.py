"""Every network is `features | head`, equals its original to the last bit, and can be cut at any stage."""

from pathlib import Path

import pytest
import torch
import torchvision

from core.errors import CheckpointError, RecipeError
from core.networks.initial import pretrained_file
from core.networks.zoo import NETWORKS, build

ONES_OF_TORCHVISION = [name for name, spec in NETWORKS.items() if spec.pretrained and not spec.source]


def image(name: str) -> torch.Tensor:
    side = NETWORKS[name].input_size if NETWORKS[name].fixed_size else 64
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", ONES_OF_TORCHVISION)
def test_equals_torchvision(name: str) -> None:
    torch.manual_seed(0)
    original = torchvision.models.get_model(name, num_classes=3).eval()
    torch.manual_seed(0)
    ours = build(name, 3).eval()
    with torch.no_grad():
        assert torch.equal(ours(image(name)), original(image(name)))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_cut_gives_the_same_logits_leaves_the_map_alone_and_passes_gradients(name: str) -> None:
    network = build(name, 3).eval().requires_grad_(False)
    whole = network(image(name))
    for layer in network.layers:
        lower, upper = network.cut(layer)
        map_ = lower(image(name)).requires_grad_()
        before = map_.detach().clone()
        logits = upper(map_)
        logits[:, 1].sum().backward()
        assert torch.equal(logits, whole)
        assert torch.equal(map_, before)
        assert map_.grad is not None
        assert map_.grad.shape == map_.shape
    assert network.cut(network.layers[-1]) == (network.features, network.head)


def test_unknown_layer_and_network_are_named() -> None:
    with pytest.raises(RecipeError, match="layer9"):
        build("resnet_small", 2).cut("layer9")
    with pytest.raises(RecipeError, match="alexnet"):
        build("alexnet", 2)


def test_compact_cnn_is_the_published_one() -> None:
    network = build("compact_cnn", 2).eval()
    assert sum(p.numel() for p in network.parameters()) == 422_177
    sizes = [sum(p.numel() for p in m.parameters(recurse=False)) for m in network.modules()]
    assert [size for size in sizes if size] == [1_792, 18_464, 401_664, 257]
    films = torch.randn(2, 3, 256, 256)
    assert network.features.conv1(films).shape == (2, 64, 85, 85)
    assert network.features(films).shape == (2, 32, 14, 14)
    logits = network(films)
    assert torch.allclose(logits.softmax(1)[:, 1], torch.sigmoid(logits[:, 1] - logits[:, 0]))
    assert torch.equal(logits[:, 0], -logits[:, 1])


def test_frozen_features_neither_learn_nor_drift() -> None:
    network = build("resnet_small", 2, freeze=True)
    before = {key: value.clone() for key, value in network.features.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network.train()(image("resnet_small")).square().sum().backward()
    optimiser.step()
    assert all(torch.equal(value, before[key]) for key, value in network.features.state_dict().items())


def test_stages_up_to_a_named_one_stay_and_the_others_learn() -> None:
    network = build("resnet_small", 2, freeze="layer1")
    before = {key: value.clone() for key, value in network.features.state_dict().items()}
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network.train()(image("resnet_small")).square().sum().backward()
    optimiser.step()
    after = network.features.state_dict()
    moved = {key.split(".")[0] for key in before if not torch.equal(after[key], before[key])}
    assert moved == set(network.layers) - {"stem", "layer1"}
    with pytest.raises(RecipeError, match="no layer 'layer9'"):
        network.freeze("layer9")


def test_dropout_reaches_the_head_of_every_network() -> None:
    for name in ("resnet18", "mobilenet_v2", "compact_cnn", "resnet_small"):
        head = build(name, 2, dropout=0.37).head
        assert 0.37 in [m.p for m in head.modules() if isinstance(m, torch.nn.Dropout)]


def test_weights_from_a_torchvision_file(tmp_path) -> None:
    original = torchvision.models.squeezenet1_0(num_classes=1000)
    torch.save(original.state_dict(), tmp_path / "squeezenet.pth")
    ours = build("squeezenet1_0", 3, str(tmp_path / "squeezenet.pth"))
    original.eval(), ours.eval()
    with torch.no_grad():
        assert torch.equal(ours.features(image("squeezenet1_0")), original.features(image("squeezenet1_0")))


def test_wrong_missing_and_pickled_weights_are_refused(tmp_path) -> None:
    torch.save(torchvision.models.squeezenet1_0().state_dict(), tmp_path / "squeezenet.pth")
    with pytest.raises(CheckpointError, match=r"weights of squeezenet1_0, not of mobilenet_v2"):
        build("mobilenet_v2", 3, str(tmp_path / "squeezenet.pth"))
    with pytest.raises(CheckpointError, match="no weights file"):
        build("mobilenet_v2", 3, str(tmp_path / "absent.pth"))
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole_module.pth")
    with pytest.raises(CheckpointError, match="cannot be read as weights"):
        build("mobilenet_v2", 3, str(tmp_path / "whole_module.pth"))
    for content in ([torch.zeros(1)], {"epoch": 3, "state_dict": {}}):
        torch.save(content, tmp_path / "run.pth")
        with pytest.raises(CheckpointError, match="state dict of tensors"):
            build("mobilenet_v2", 3, str(tmp_path / "run.pth"))
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        build("resnet_small", 2, str(tmp_path / "absent"))
    with pytest.raises(RecipeError, match="no ImageNet weights"):
        build("compact_cnn", 2, "imagenet")


@pytest.mark.real
@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_0"])
def test_imagenet_files_fit(name: str, real_data) -> None:
    first = build(name, 3, str(real_data / "pretrained" / f"{name}_imagenet.pth"), freeze=True)
    assert not any(p.requires_grad for p in first.features.parameters())


def test_a_folder_of_pretrained_files_stands_in_for_the_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features only, as our own ResNet-18 file has them; and the file of one network is not taken for another's."""
    monkeypatch.setenv("HILUM_PRETRAINED", str(tmp_path))
    torch.manual_seed(0)
    state = torchvision.models.resnet18().state_dict()
    features = {key: value.half() for key, value in state.items() if not key.startswith("fc.")}
    torch.save(features, tmp_path / "resnet18_imagenet.pth")
    network = build("resnet18", 3, "imagenet")
    assert torch.equal(network.features.stem.conv.weight, state["conv1.weight"].half().float())
    (tmp_path / "resnet18_imagenet.pth").rename(tmp_path / "squeezenet1_0-x.pth")
    with pytest.raises(CheckpointError, match=r"squeezenet1_0-x\.pth holds the weights of resnet18, not of squeezenet"):
        build("squeezenet1_0", 3, "imagenet")
    monkeypatch.setenv("HILUM_PRETRAINED", str(tmp_path / "nowhere"))
    with pytest.raises(CheckpointError, match=r"HILUM_PRETRAINED names .*nowhere, which is not a folder"):
        build("resnet18", 3, "imagenet")


def test_a_name_that_begins_alike_is_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_PRETRAINED", str(tmp_path))
    for name in ("mobilenet_v3_large.pth", "resnet18.txt", "xresnet18.pth"):
        (tmp_path / name).touch()
    assert pretrained_file("resnet18") is None
    (tmp_path / "resnet18-f37072fd.pth").touch()
    assert pretrained_file("resnet18") == tmp_path / "resnet18-f37072fd.pth"


def test_the_pooled_vgg_has_vggs_features() -> None:
    torch.manual_seed(0)
    original = torchvision.models.vgg16(num_classes=2)
    torch.manual_seed(0)
    pooled = build("vgg16_pooled", 2)
    assert torch.equal(pooled.features.block5[-2].weight, original.features[28].weight)
    assert sum(p.numel() for p in pooled.head.parameters()) == 512 * 2 + 2
