"""Classifiers with random weights, for tests that need a network's shape and not its skill."""

import numpy as np
import torch
from torch import nn

from core.explain.methods import METHODS
from core.model.checkpoint import Card, Checkpoint
from core.model.classifier import Classifier
from core.networks.zoo import NETWORKS, build
from core.transform.preprocess import Preprocess

# The methods that a convolutional network bears.
BORNE = tuple(name for name, row in METHODS.items() if "attention" not in row.needs)
CLASSES = ("Normal", "COVID-19", "Viral Pneumonia")


def classifier(network: str = "resnet_small", size: int = 64, seed: int = 0) -> Classifier:
    """Random weights whose batch norms have seen a few pictures, so that no layer's activations die or explode."""
    if NETWORKS[network].fixed_size:
        size = NETWORKS[network].input_size
    torch.manual_seed(seed)
    model, preprocess = build(network, len(CLASSES)), Preprocess(size=size)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.8  # some of the initial variance stays: hardly varying channels are not blown up
    model.train()
    with torch.no_grad():
        model(preprocess.tensor(np.stack([picture(size, seed=n) for n in range(4)])))
    card = Card(
        name=f"toy-{network}",
        title="Toy",
        classes=CLASSES,
        network=network,
        preprocess=preprocess,
        recipe={},
        parameters=0,
        created="2026-01-01T00:00:00Z",
    )
    return Classifier(Checkpoint(card, model.state_dict()))


def picture(size: int = 64, seed: int = 0) -> np.ndarray:
    """Blobs of light on grey noise, uint8 (S, S): a network answers to one place more than to another."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] / size
    grey = 60 + 20 * rng.standard_normal((size, size))
    for y, x, strength in rng.uniform((0.2, 0.2, 60), (0.8, 0.8, 160), (3, 3)):
        grey += strength * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 0.01)
    return np.clip(grey, 0, 255).astype(np.uint8)
