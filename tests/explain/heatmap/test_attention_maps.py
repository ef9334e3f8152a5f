"""Attention rollout and LeGrad, of every source's vision transformers, against the formulas written out."""

import numpy as np
import pytest
import timm
import torch
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer

from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from core.explain.methods import methods_for
from core.explain.stability import stability
from core.networks import from_hf, from_timm, torchvision_parts
from core.networks.network import Network
from tests.explain import toys
from tests.explain.heatmap.test_transformers import SIDE, classifier

KINDS = ("timm", "timm averaged", "timm registers", "torchvision", "vit", "dinov2_with_registers")


def small(kind: str) -> Network:
    torch.manual_seed(2)
    if kind == "torchvision":
        network = torchvision_parts.regroup(VisionTransformer(SIDE, 8, 3, 2, 24, 32, num_classes=3))
    elif kind.startswith("timm"):
        more = {"timm averaged": {"global_pool": "avg"}, "timm registers": {"reg_tokens": 2, "init_values": 0.5}}
        settings = {"img_size": SIDE, "num_classes": 3, "embed_dim": 24, "patch_size": 8, "depth": 3, "num_heads": 2}
        network = from_timm.regroup(timm.models.VisionTransformer(**settings, **more.get(kind, {}), qk_norm=True))
    else:
        from tests.networks.test_hf import SMALL

        made = from_hf.make(kind, 3, 3, SIDE, 0.0, {**SMALL[kind], "num_channels": 3, "num_hidden_layers": 3})
        network = from_hf.regroup(made)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.2)
    return network.eval().requires_grad_(False)


def tokens_of(network: Network) -> list[torch.Tensor]:
    """What comes into each block, and out of the last."""
    film = classifier(network).tensor(toys.picture(SIDE)[None])
    found = [network.features[0](film)]
    for block in network.features[1:]:
        found.append(block(found[-1]))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_in_two_halves_is_the_block(kind: str) -> None:
    network = small(kind)
    for block, before, after in zip(network.features[1:], tokens_of(network), tokens_of(network)[1:], strict=False):
        weights = network.attention.weights(block, before)
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
        torch.testing.assert_close(network.attention.given(block, before, weights), after, atol=1e-5, rtol=1e-4)
        assert not torch.allclose(network.attention.given(block, before, weights.flip(-1)), after, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_rollout_is_the_product_of_half_the_mean_attention(kind: str) -> None:
    network = small(kind)
    rolled = np.eye(tokens_of(network)[0].shape[1])
    for block, tokens in zip(network.features[1:], tokens_of(network), strict=False):
        rolled = (
            0.5 * network.attention.weights(block, tokens)[0].mean(0).numpy() + 0.5 * np.eye(len(rolled))
        ) @ rolled
    prefix = network.layout.prefix
    reads_class_token = kind in ("timm", "timm registers", "torchvision", "vit")
    row = rolled[0, prefix:] if reads_class_token else rolled[prefix:, prefix:].mean(0)
    maps = heatmaps(classifier(network), toys.picture(SIDE), "rollout")
    grid = row.reshape(round(len(row) ** 0.5), -1)
    cell = SIDE // len(grid)
    centre = maps[toys.CLASSES[0]].values[cell // 2 :: cell, cell // 2 :: cell]
    assert np.corrcoef(centre.ravel(), grid.ravel())[0, 1] > 0.98  # resized between the centres of the cells
    assert all(np.array_equal(map_.values, maps[toys.CLASSES[0]].values) for map_ in maps.values())


@pytest.mark.parametrize("kind", KINDS)
def test_legrad_is_the_positive_gradient_by_each_blocks_own_attention(kind: str) -> None:
    """Class by class with autograd, where the method takes all classes at once."""
    network, index = small(kind), 1
    total: torch.Tensor | float = 0.0
    for block, tokens in zip(network.features[1:], tokens_of(network), strict=False):
        weights = network.attention.weights(block, tokens).requires_grad_()
        network.head(network.attention.given(block, tokens, weights))[0, index].backward()
        total = total + weights.grad.relu()[0].mean((0, 1))
    grid = total[network.layout.prefix :]
    grid = grid.reshape(round(len(grid) ** 0.5), -1).numpy()
    from core.explain.heatmap import resized

    maps = heatmaps(classifier(network), toys.picture(SIDE), "legrad")
    np.testing.assert_allclose(
        maps[toys.CLASSES[index]].values, resized(grid[None], (SIDE, SIDE))[0], rtol=1e-3, atol=1e-7
    )
    assert not np.allclose(maps[toys.CLASSES[0]].values, maps[toys.CLASSES[2]].values)
    assert not any(parameter.grad is not None for parameter in network.parameters())


def test_its_stability_is_measured_without_random_mixes_of_a_layer() -> None:
    made = classifier(small("timm"))
    found = stability(made, toys.picture(SIDE), heatmaps(made, toys.picture(SIDE), "legrad")[toys.CLASSES[0]])
    assert all(-1 <= value <= 1 for value in found.correlations.values())
    assert np.isnan(found.chance)


def test_a_convolutional_network_is_not_offered_them() -> None:
    made = toys.classifier(size=32)
    assert not {"rollout", "legrad"} & methods_for(made.network).keys()
    assert {"rollout", "legrad"} <= methods_for(small("timm")).keys()
    with pytest.raises(ExplainError, match="attention weights of a vision transformer"):
        heatmaps(made, toys.picture(32), "legrad")
