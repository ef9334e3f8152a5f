"""A network that learns in its head only sees each film once: what comes before its first weight there is kept.

The features of a frozen network are the same in every epoch as long as the pictures are, so an epoch costs the head
alone: a hundred epochs on frozen VGG-16 features take the time of one pass through VGG-16.
"""

from dataclasses import replace

import torch
from torch import nn

from core import device as devices
from core.data.progress import Progress
from core.networks.network import Network
from core.training.films import Films
from core.training.recipe import Recipe
from core.transform.preprocess import Preprocess

BATCH = 32


def usable(recipe: Recipe) -> bool:
    """Whether every epoch shows the frozen features the same pictures, whole and without a price on places."""
    training = recipe.training
    still = not recipe.augment or bool(training.augmented_copies)
    whole = training.lungs or training.outlines or training.average  # what needs the network as one
    return recipe.network.freeze is True and still and not whole


def head_alone(network: Network) -> tuple[nn.Module, Network]:
    """The network in two that share its modules: what is always the same, and what learns or drops out.

    Returns:
        Images (B, 3, S, S) -> (B, ...), and a network whose features pass that on and whose head gives logits (B, C).
    """
    parts = list(network.head.named_children())
    still = 0
    while still < len(parts) and _is_still(parts[still][1]):
        still += 1
    fixed = nn.Sequential(network.features, *(module for _, module in parts[:still])).eval()
    return fixed, Network(nn.Sequential(), nn.Sequential(*(module for _, module in parts[still:])))


def seen(
    fixed: nn.Module, films: Films, preprocess: Preprocess, device: torch.device, progress: Progress, what: str
) -> Films:
    """The films with what ``fixed`` makes of each in place of its picture (N, ...), in the type that it gives."""
    found: list[torch.Tensor] = []
    with torch.no_grad(), devices.autocast(device):
        for pictures in films.pictures.split(BATCH):
            images = preprocess.tensor(pictures.to(device)).contiguous(memory_format=torch.channels_last)
            found.append(fixed(images).cpu())
            progress(what, sum(map(len, found)), len(films))
    return replace(films, pictures=torch.cat(found), outlines=None)


def _is_still(module: nn.Module) -> bool:
    """No weights, and nothing that differs between training and use."""
    changing = any(isinstance(m, nn.Dropout) for m in module.modules())
    return not changing and not any(True for _ in module.parameters())
