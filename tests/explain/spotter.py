"""A classifier whose answer comes from one known place, so that right and wrong maps are known beforehand."""

import copy

import numpy as np
import torch
from torch import nn

from core.explain.heatmap import Heatmap
from core.model.classifier import Classifier
from core.networks.network import Network
from tests.explain.toys import CLASSES, classifier

SIZE = 64
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]


class Spot(nn.Module):
    """Logits (B, 3) of images (B, 3, S, S): the first class answers to light in one place, and to nothing else."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        light = images[:, 0, 12:28, 12:28].mean((1, 2))
        return torch.stack([4 * light, torch.zeros_like(light), torch.zeros_like(light)], dim=1)


class Deaf(nn.Module):
    """Logits that no film changes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.new_zeros(len(images), len(CLASSES))


def with_answer(original: Classifier, network: nn.Module) -> Classifier:
    """A copy that answers by another network, in float32; its feature maps stay those of the original."""
    twin = copy.copy(original)
    answering = original.with_network(Network(nn.Sequential(), nn.Sequential(network), opaque=True))
    twin.predict_pictures, twin.predict_painted = answering.predict_pictures, answering.predict_painted
    twin.engine = lambda pictures: (answering.predict_pictures(pictures)[0], None)
    return twin


def spotter() -> Classifier:
    """A toy that answers to the place that ``film`` is bright in."""
    return with_answer(classifier(size=SIZE), Spot())


def deaf() -> Classifier:
    """A toy whose answer no film changes."""
    return with_answer(classifier(size=SIZE), Deaf())


def blob(y: float, x: float, width: float = 60.0) -> np.ndarray:
    """A soft spot, float32 (S, S)."""
    return np.exp(-((ROWS - y) ** 2 + (COLUMNS - x) ** 2) / width).astype(np.float32)


def film() -> np.ndarray:
    """Grey noise with one bright place, uint8 (S, S)."""
    noise = np.random.default_rng(0).uniform(-8, 8, (SIZE, SIZE))
    return np.clip(60 + noise + 180 * blob(20, 20), 0, 255).astype(np.uint8)


def heatmap(values: np.ndarray, method: str = "gradcam", layer: str = "layer4") -> Heatmap:
    """A map of the first class."""
    return Heatmap(values, CLASSES[0], method, layer, "toy", "", 0.9, 0.1, not values.any(), False)


def lungs() -> np.ndarray:
    """Two fields, bool (S, S); the bright place lies in the left one."""
    mask = np.zeros((SIZE, SIZE), bool)
    mask[14:44, 14:28] = mask[14:44, 36:50] = True
    return mask
