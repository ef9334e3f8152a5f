"""What learns in a training run: the network, its optimiser and, where a recipe asks for it, a mean of its weights."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.networks.network import Network
from core.networks.zoo import build
from core.training import state as states
from core.training.recipe import Recipe
from core.training.running_mean import RunningMean
from core.training.settings import TrainingConfig


@dataclass(frozen=True, eq=False)
class Learner:
    """What a step changes."""

    network: Network  # the whole one, or the head that learns from kept features
    both: nn.Module  # gives its last map and logits, see `Processes.together`
    optimiser: torch.optim.Optimizer
    mean: RunningMean | None

    @property
    def judged(self) -> Network:
        """The network that counts."""
        return self.mean.network if self.mean else self.network

    def step(self, cost: torch.Tensor) -> None:
        """Learn from the cost of one batch."""
        self.optimiser.zero_grad()
        cost.backward()
        self.optimiser.step()
        if self.mean:
            self.mean.follow(self.network)


def start(recipe: Recipe, state: states.State, device: torch.device) -> tuple[Network, torch.optim.Optimizer]:
    """Network and optimiser, fresh or as the last finished epoch left them."""
    c, n = recipe.training, recipe.network
    torch.manual_seed(c.seed)
    weights = "none" if state.network else n.weights
    look = recipe.preprocess
    network = build(n.name, len(recipe.classes), weights, n.dropout, n.freeze, look.channels, look.size)
    network = network.to(device).to(memory_format=torch.channels_last)
    parameters = _groups(network, c)
    settings: dict[str, Any] = {"lr": c.learning_rate, "weight_decay": c.weight_decay}
    settings["fused"] = device.type in ("cpu", "cuda")  # a fifth of the time of the plain step
    optimiser: torch.optim.Optimizer
    if c.optimiser == "sgd":
        optimiser = torch.optim.SGD(parameters, momentum=0.9, **settings)
    else:
        optimiser = (torch.optim.AdamW if c.optimiser == "adamw" else torch.optim.Adam)(parameters, **settings)
    if state.network:
        network.load_state_dict(state.network)
        optimiser.load_state_dict(state.optimiser)
    return network, optimiser


def _groups(network: Network, config: TrainingConfig) -> list[Any]:
    """The weights that learn; where the penalty is on kernels only, biases and norms apart without it."""
    learning = [p for p in network.parameters() if p.requires_grad]
    if config.decayed == "all":
        return learning
    kernels, others = ([p for p in learning if (p.ndim > 1) == matrix] for matrix in (True, False))
    return [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
