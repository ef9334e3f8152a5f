"""Several processes that train one network together, each on its part of every batch: the same numbers as one process.

The batches are those of a run alone: every process draws the whole batch's order and augmentation, and makes its own
films only. Gradients are averaged by PyTorch's `DistributedDataParallel`; batch norms take their moments over all
processes, on a CPU as well, where PyTorch's own cannot; sums of losses are shared. Dropout is drawn by each process, so
with it two runs agree as two seeds do. The first process writes; all read.

Who starts them says where they meet: torchrun by its variables, `core.cli.launch` by a file, which opens no port to
other machines.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from core.errors import RecipeError
from core.networks.network import Network
from core.training.meeting import MEETING

_PATIENCE = timedelta(days=1)  # the others wait while the first one decodes a hospital's films; who dies is noticed


@dataclass(frozen=True)
class Processes:
    """This process among those that train together.

    Args:
        rank: its number, from 0; the first one writes and tells.
        world: how many they are.
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0

    def part(self, films: int) -> slice:
        """Which of the films of a batch are its own; none where they are fewer than the processes."""
        return slice(films * self.rank // self.world, films * (self.rank + 1) // self.world)

    def summed(self, *numbers: float) -> list[float]:
        """The sums of numbers over all processes, the same in each."""
        if self.world == 1:
            return list(numbers)
        found = torch.tensor(numbers, dtype=torch.float64, device=_device())
        dist.all_reduce(found)
        return [float(value) for value in found.cpu()]

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            self.summed(0.0)

    def together(self, network: Network) -> nn.Module:
        """Images (B, 3, S, S) -> the network's last map (B, ...) and logits (B, C), with gradients of all processes.

        Its batch norms then count the films of all processes.
        """
        whole = _Whole(network)
        if self.world == 1:
            return whole
        for module in network.modules():
            if isinstance(module, _BatchNorm):
                module.__class__ = _Joined  # in its place: the optimiser and the state know its weights
        if not any(weight.requires_grad for weight in network.parameters()):
            return whole
        return nn.parallel.DistributedDataParallel(whole)


ALONE = Processes()


@contextmanager
def joined(device: str | None = None) -> Iterator[tuple[Processes, str | None]]:
    """This process among those that it was started with, and the device that is its own.

    Args:
        device: that was asked for: "cpu", "cuda", "mps", or None for the best there is.

    Raises:
        RecipeError: there are fewer cards than processes.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield ALONE, device
        return
    rank, here = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    cuda = torch.cuda.is_available() and device in (None, "cuda")
    if cuda and here >= torch.cuda.device_count():
        came = f"process {here + 1} of this machine found {torch.cuda.device_count()} cards"
        raise RecipeError(came, "a card for each process", "Lower --processes, or say --device cpu")
    if cuda:
        torch.cuda.set_device(here)
    meeting = os.environ.get(MEETING)
    method = f"file://{meeting}" if meeting else "env://"
    kind = "nccl" if cuda else "gloo"
    dist.init_process_group(kind, method, timeout=_PATIENCE, rank=rank, world_size=world)
    try:
        yield Processes(rank, world), f"cuda:{here}" if cuda else "cpu"
    finally:
        dist.destroy_process_group()


class _Whole(nn.Module):
    """A network that gives its last map beside its logits."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        map_ = self.network.features(images)
        return map_, self.network.head(map_)


class _Sum(torch.autograd.Function):
    """A tensor summed over all processes; what comes back to each is summed, too."""

    @staticmethod
    def forward(ctx: Any, own: torch.Tensor) -> torch.Tensor:
        found = own.clone()
        dist.all_reduce(found)
        return found

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> torch.Tensor:
        found = slopes[0].contiguous().clone()
        dist.all_reduce(found)
        return found


def _summed(own: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = _Sum.apply(own)
    return found


class _Joined(_BatchNorm):
    """A batch norm whose mean and variance are those of the films of all processes (Ioffe 2015, section 3)."""

    def _check_input_dim(self, input: torch.Tensor) -> None:
        """Any (B, K, ...)."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(input)
        wide = input.float()
        over = [axis for axis in range(input.ndim) if axis != 1]
        shape = [1, -1, *[1] * (input.ndim - 2)]
        places = wide.new_tensor([input.numel() / input.shape[1]])
        sums = _summed(torch.cat((wide.sum(over), places)))
        number = sums[-1].detach()
        mean = sums[:-1] / number
        centred = wide - mean.view(shape)
        variance = _summed((centred * centred).sum(over)) / number
        self._remember(mean.detach(), variance.detach(), number)
        found = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            found = found * self.weight.view(shape) + self.bias.view(shape)
        return found.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: torch.Tensor, variance: torch.Tensor, number: torch.Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * number / (number - 1).clamp_min(1), share)


def _device() -> torch.device:
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
