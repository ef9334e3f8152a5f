"""Maps of a vision transformer's attention: rollout, and LeGrad. The layout's prefix tokens have no place in them."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from core.errors import ExplainError
from core.networks.attention import Attention
from core.networks.network import Network


def rollout(network: Network, film: torch.Tensor, indices: Sequence[int]) -> tuple[np.ndarray, torch.Tensor]:
    """Attention rollout (Abnar 2020): attention, half of it staying where it was, multiplied through all blocks.

    Args:
        film: the film as the network takes it, (1, channels, S, S).
        indices: the C classes asked for, whose maps are all the same.

    Returns:
        How much the class token takes from each patch, (C, h, w), and the logits (n,). Where the head reads
        patches, too: how much these take, on average.
    """
    attention, passed = _attention(network), _tokens(network, film)
    with torch.no_grad():
        rolled = torch.eye(passed[0].shape[1], device=film.device)
        for block, tokens in zip(_blocks(network), passed, strict=False):
            weights = attention.weights(block, tokens)[0].mean(0)  # (N, N)
            rolled = (weights + torch.eye(len(weights), device=weights.device)) / 2 @ rolled
        only_class_token = network.usual_layer != network.layers[-1]
        row = rolled[0] if only_class_token else rolled[network.layout.prefix :].mean(0)
        map_ = network.layout.map_of(row[None, :, None])[0]  # (1, h, w)
        return np.repeat(map_.numpy(force=True), len(indices), axis=0), network.head(passed[-1])[0]


def legrad(network: Network, film: torch.Tensor, indices: Sequence[int]) -> tuple[np.ndarray, torch.Tensor]:
    """LeGrad (Bousselham 2024): where more attention would raise the class's logit, in every block.

    Each block's tokens go straight to the head; the gradient of that logit by the block's own attention weights, its
    negative part cut off, is averaged over heads and over the tokens that attend, and summed over blocks. All classes
    go through a block and the head as one batch.

    Returns:
        (C, h, w), in logits by unit of attention, and the logits (n,).
    """
    attention, rows, passed = _attention(network), torch.arange(len(indices)), _tokens(network, film)
    total = torch.zeros((), device=film.device)
    for block, tokens in zip(_blocks(network), passed, strict=False):
        with torch.no_grad():
            weights = attention.weights(block, tokens)
        with torch.inference_mode(False), torch.enable_grad():
            asked = weights.expand(len(indices), -1, -1, -1).clone().requires_grad_()
            logits = network.head(attention.given(block, tokens.expand(len(indices), -1, -1), asked))
            (slopes,) = torch.autograd.grad(logits[rows, list(indices)].sum(), asked)
        total = total + slopes.clamp_min(0).mean((1, 2))  # (C, N)
    with torch.no_grad():
        map_ = network.layout.map_of(total[:, :, None])[:, 0]
        return map_.numpy(force=True), network.head(passed[-1])[0]


def _blocks(network: Network) -> list[nn.Module]:
    return list(network.features.children())[1:]


def _tokens(network: Network, film: torch.Tensor) -> list[torch.Tensor]:
    """What comes into each block, (1, N, K), low to high, and what goes out of the last; able to take gradients."""
    with torch.inference_mode(False), torch.no_grad():
        found = [network.features[0](film.clone())]
        for block in _blocks(network):
            found.append(block(found[-1]))
    return found


def _attention(network: Network) -> Attention:
    if network.attention is None:
        raise ExplainError("this network does not tell its attention", "a vision transformer", "Choose another method")
    return network.attention
