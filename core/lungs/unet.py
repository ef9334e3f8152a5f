"""The lung finder's network: a U-Net with residual units (Kerfoot 2019, doi:10.1007/978-3-030-12029-0_40).

Layer by layer, name by name and number by number MONAI's ``UNet`` of two dimensions with one residual unit, instance
norm and PReLU, which the tests hold it to. It stands here because to import MONAI is to import all of it, and most of
what it knows of: seconds and hundreds of megabytes at each start, for these few layers.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class UNet(nn.Module):
    """Pictures (B, in, S, S) -> logits (B, out, S, S); S is divisible by 2 to the number of channels less one.

    Args:
        in_channels, out_channels: of pictures and logits.
        channels: of each level, the finest first; two at least.
    """

    def __init__(self, in_channels: int, out_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.model = _level(in_channels, out_channels, channels, bare=True)

    def forward(self, pictures: Tensor) -> Tensor:
        logits: Tensor = self.model(pictures)
        return logits


def _level(inside: int, outside: int, channels: Sequence[int], bare: bool = False) -> nn.Sequential:
    """Down to half the size, through the levels below, and up again; ``bare``: it ends without norm and activation."""
    here, below = channels[:2]
    coarser: nn.Module
    if len(channels) > 2:
        coarser, returned = _level(here, here, channels[1:]), here
    else:
        coarser, returned = _Residual(here, below), below
    up = _convolution(nn.ConvTranspose2d(here + returned, outside, 3, stride=2, padding=1, output_padding=1))
    return nn.Sequential(
        _Residual(inside, here, stride=2),
        _Beside(coarser),
        nn.Sequential(up, _Residual(outside, outside, bare=bare)),
    )


class _Beside(nn.Module):
    """What comes in, with what a module makes of it as further channels."""

    def __init__(self, submodule: nn.Module) -> None:
        super().__init__()
        self.submodule = submodule

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.submodule(x)], dim=1)


class _Residual(nn.Module):
    """A convolution, and what comes in added to it: as it is, or convolved to its size and channels."""

    def __init__(self, inside: int, outside: int, stride: int = 1, bare: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential()
        self.conv.add_module("unit0", _convolution(nn.Conv2d(inside, outside, 3, stride, padding=1), bare))
        self.residual: nn.Module = nn.Identity()
        if stride > 1:
            self.residual = nn.Conv2d(inside, outside, 3, stride, padding=1)
        elif inside != outside:
            self.residual = nn.Conv2d(inside, outside, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept: Tensor = self.residual(x)
        added: Tensor = self.conv(x)
        return added + kept


def _convolution(conv: nn.Conv2d | nn.ConvTranspose2d, bare: bool = False) -> nn.Sequential:
    """A convolution with instance norm and PReLU behind it, unless ``bare``."""
    made = nn.Sequential()
    made.add_module("conv", conv)
    if not bare:
        behind = nn.Sequential()
        behind.add_module("N", nn.InstanceNorm2d(conv.out_channels))
        behind.add_module("A", nn.PReLU())
        made.add_module("adn", behind)
    return made
