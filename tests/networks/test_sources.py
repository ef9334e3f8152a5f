"""Networks of torchvision and timm, cut into features and head, are the originals to the last bit."""

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

from core.errors import RecipeError
from core.model.card import Card
from core.model.checkpoint import Checkpoint, load, save
from core.networks import from_timm, sources, torchvision_parts, zoo
from core.networks.network import Network
from core.transform.preprocess import Preprocess

SMALL = {  # a member of each family, and the side it is shown
    "torchvision:resnet18": 64,
    "torchvision:squeezenet1_1": 64,
    "torchvision:mobilenet_v3_small": 64,
    "torchvision:alexnet": 64,
    "torchvision:regnet_y_400mf": 64,
    "timm:test_resnet": 64,
    "timm:test_efficientnet": 64,
    "timm:test_convnext": 64,
    "timm:test_vit": 64,  # a class token
    "timm:test_vit2": 160,  # patches are averaged
    "timm:test_vit3": 160,  # attention pooling
    "timm:vit_tiny_r_s16_p8_224": 64,  # a ResNet's stem
    "timm:eva02_tiny_patch14_224": 56,  # rotary embedding
    "timm:test_byobnet": 160,  # of no family here: one stage
    "timm:mobilenetv4_conv_small": 64,
}


def original(name: str) -> nn.Module:
    torch.manual_seed(0)
    model = sources.make(name, 5, size=SMALL[name])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
    return model.eval().requires_grad_(False)


def small_transformer(kind: str) -> nn.Module:
    """torchvision's own classes, tiny."""
    torch.manual_seed(0)
    if kind == "vit":
        model: nn.Module = VisionTransformer(64, 16, 3, 2, 16, 32, num_classes=5)
        nn.init.normal_(model.heads.head.weight)  # zero at first
    elif kind == "swin":
        model = SwinTransformer([4, 4], 8, [2, 2], [2, 2], [4, 4], num_classes=5)
    else:
        stages = [CNBlockConfig(width, after, 1) for width, after in ((8, 8), (8, 16), (16, 16), (16, None))]
        model = ConvNeXt(stages, num_classes=5)
    return model.eval().requires_grad_(False)


def images(side: int, channels: int = 3) -> torch.Tensor:
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(1))


def cut(name: str, model: nn.Module) -> Network:
    source, _ = sources.opened(name)
    return source.regroup(model).eval()


@pytest.mark.parametrize("name", [*SMALL, "vit", "swin", "convnext"])
def test_equals_its_original_at_every_cut_and_passes_gradients(name: str) -> None:
    if name in SMALL:
        model, x = original(name), images(SMALL[name])
        wanted, network = model(x), cut(name, model)
    else:
        model, x = small_transformer(name), images(64)
        wanted, network = model(x), torchvision_parts.regroup(model).eval()
    assert torch.equal(network(x), wanted)
    assert sum(v.numel() for v in network.state_dict().values()) == sum(v.numel() for v in model.state_dict().values())
    for layer in (network.layers[0], network.usual_layer, network.layers[-1]):
        lower, upper = network.cut(layer)
        native = lower(x)
        map_ = network.layout.map_of(native).clone().requires_grad_()
        assert map_.ndim == 4
        before = native.clone()
        logits = upper(network.layout.native_of(map_, native))
        torch.testing.assert_close(logits, wanted, atol=1e-5, rtol=1e-5)
        (slope,) = torch.autograd.grad(logits[:, 1].sum(), map_)
        assert torch.equal(native, before)
        if layer == network.usual_layer:
            assert slope.abs().sum() > 0, "a heatmap at the usual layer would be blank"


def test_patches_of_the_last_block_have_no_gradient_where_the_class_token_is_read() -> None:
    """Why the usual layer is the one before."""
    network, x = cut("timm:test_vit", original("timm:test_vit")), images(64)
    assert network.layers.index(network.usual_layer) == len(network.layers) - 2
    native = network.features(x).requires_grad_()
    (slope,) = torch.autograd.grad(network.head(native)[:, 1].sum(), native)
    assert network.layout.prefix == 1
    assert slope[:, 1:].abs().sum() == 0
    assert slope[:, 0].abs().sum() > 0


def test_registers_are_no_places() -> None:
    torch.manual_seed(0)
    model = timm.models.VisionTransformer(64, 16, embed_dim=16, depth=2, num_heads=2, reg_tokens=4, num_classes=3)
    network = from_timm.regroup(model)
    assert network.layout.prefix == 1 + 4
    tokens = network.features(images(64))
    map_ = network.layout.map_of(tokens)
    assert map_.shape[2] * map_.shape[3] == tokens.shape[1] - network.layout.prefix
    assert torch.equal(network.layout.native_of(map_, tokens), tokens)
    assert torch.equal(map_[0, :, 0, 1], tokens[0, network.layout.prefix + 1])


@pytest.mark.parametrize("name", ["torchvision:resnet18", "timm:test_resnet", "timm:test_vit"])
def test_one_grey_channel(name: str) -> None:
    network = zoo.build(name, 3, channels=1, size=64).eval()
    assert network(images(64, channels=1)).shape == (2, 3)
    look = Preprocess(size=64, mean=(0.5,), std=(1 / 2048,))
    grey = look.tensor(np.array([[[0, 255]]], np.uint8))
    assert look.channels == 1
    assert grey.shape == (1, 1, 1, 2)
    np.testing.assert_allclose(grey.flatten(), [-1024, 1024], atol=1e-3)  # as TorchXRayVision normalises


@pytest.mark.parametrize("name", ["timm:test_vit", "torchvision:regnet_y_400mf", "timm:swin_tiny_patch4_window7_224"])
def test_opens_from_a_checkpoint_with_every_digit(name: str, tmp_path) -> None:
    """Swin's tables and EVA's embeddings are in no file; kernels of others' models are not rounded."""
    side = SMALL.get(name, 224)
    network = cut(name, sources.make(name, 5, size=side)).eval().requires_grad_(False)
    look = Preprocess(size=side)
    card = Card("x", "X", tuple("abcde"), name, look, {}, 1, "2026-01-01", precision={"stored": "float32"})
    save(Checkpoint(card, network.state_dict()), tmp_path / "x")
    opened = load(tmp_path / "x").network()
    torch.testing.assert_close(opened(images(side)), network(images(side)), atol=1e-6, rtol=1e-6)


def test_names_that_no_source_has_are_told_with_near_ones() -> None:
    with pytest.raises(RecipeError, match=r"no network timm:vit_tiny_patch16_22\b.*vit_tiny_patch16_224"):
        zoo.build("timm:vit_tiny_patch16_22", 2)
    with pytest.raises(RecipeError, match=r"torchvision:inception_v3"):
        zoo.build("torchvision:inception_v3", 2)
    for name in ("timm:hf-hub:somebody/model", "timm:../x", "keras:vgg16", "timm:"):
        assert not zoo.is_known(name)
        with pytest.raises(RecipeError, match=r"[Tt]here is no network"):
            zoo.build(name, 2)


def test_every_listed_name_is_known() -> None:
    listed = sources.names()
    assert {"timm:vit_tiny_patch16_224", "torchvision:densenet121"} <= set(listed)
    assert all(map(zoo.is_known, listed))
