"""A network laid out for inference alone: batch norms folded into kernels, activations in place."""

import copy
from collections import Counter
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.model.domain import signature
from core.networks.network import Network

SAME = 1e-4  # of the largest number: folding moves an output by its last digits, a mistake by far more


def folded(network: Network, example: torch.Tensor) -> Network:
    """A copy of a network in evaluation, to be shown pictures only: never trained, nor asked for gradients.

    A batch norm that is given a convolution's output becomes part of its kernel; an activation that is given the output
    of either writes into it. What follows what is seen while the example passes. Both are wrong where an output is used
    a second time: then the copy's answer to the example is another one, and a plain copy is what comes back.

    Args:
        example: images (B, 3, S, S), not all grey.
    """
    own = copy.deepcopy(network)
    follows = _follows(own, example)
    for before, module in follows:
        if isinstance(module, nn.ReLU | nn.ReLU6 | nn.Hardswish | nn.SiLU):
            module.inplace = True
        elif isinstance(before, nn.Conv2d) and isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
            _replace(own, {before: fuse_conv_bn_eval(before, module), module: _rest(module)})
    with torch.no_grad():
        both = zip(signature(network, example), signature(own, example), strict=True)
        same = all(bool((is_ - was).abs().max() <= SAME * was.abs().max()) for was, is_ in both)
    return own if same else copy.deepcopy(network)


def _follows(network: Network, example: torch.Tensor) -> list[tuple[nn.Module, nn.Module]]:
    """Convolutions and norms, each with the module that is given its very output; both are used once in a pass."""
    made: dict[int, nn.Module] = {}
    held: list[torch.Tensor] = []  # so that no other tensor takes the place, and the id, of a freed one
    found: list[tuple[nn.Module, nn.Module]] = []
    uses: Counter[nn.Module] = Counter()

    def seen(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        uses[module] += 1
        if inputs and id(inputs[0]) in made:
            found.append((made[id(inputs[0])], module))
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            made[id(output)] = module
            held.append(output)

    hooks = [module.register_forward_hook(seen) for module in network.modules()]
    try:
        with torch.no_grad():
            signature(network, example)
    finally:
        for hook in hooks:
            hook.remove()
    return [pair for pair in found if all(uses[module] == 1 for module in pair)]


def _rest(norm: nn.BatchNorm2d) -> nn.Module:
    """What a norm does besides: nothing, or timm's activation (``BatchNormAct2d``)."""
    besides = [part for part in (getattr(norm, "drop", None), getattr(norm, "act", None)) if part is not None]
    return nn.Sequential(*besides) if besides else nn.Identity()


def _replace(network: nn.Module, new: dict[nn.Module, nn.Module]) -> None:
    for parent in network.modules():
        for name, child in list(parent.named_children()):
            if child in new:
                setattr(parent, name, new[child])
