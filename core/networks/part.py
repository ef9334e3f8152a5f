"""Some of a model's modules, run by code that was written for the whole model.

Models from outside keep their stages in attributes and join them in methods. Here a part gets the modules it needs and
nothing else, and the model's own arithmetic: cut up, it gives the same logits to the last bit.
"""

import copy
from collections.abc import Callable, Collection
from typing import Any

import torch
from torch import nn

Run = Callable[[Any, torch.Tensor], torch.Tensor]


class Part(nn.Module):
    """A shallow copy of ``model`` with the children, parameters and buffers in ``keep``, run as ``run(model, x)``."""

    def __init__(self, model: nn.Module, keep: Collection[str], run: Run) -> None:
        super().__init__()
        self.model, self.run = hollow(model, keep), run

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What the model's code makes of ``x`` with these modules."""
        return self.run(self.model, x)


def hollow(model: nn.Module, keep: Collection[str]) -> nn.Module:
    """``model`` without its other children, parameters and buffers, which become None; those in ``keep`` are shared."""
    shell = copy.copy(model)
    for store in ("_modules", "_parameters", "_buffers"):
        own = {name: value if name in keep else None for name, value in getattr(model, store).items()}
        shell.__dict__[store] = own
    return shell


def own_names(model: nn.Module) -> set[str]:
    """The names of a model's children, parameters and buffers, those of its children not counted."""
    return {name for store in ("_modules", "_parameters", "_buffers") for name in getattr(model, store)}
