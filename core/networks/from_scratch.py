"""The networks that start from nothing: two published ones and two small ones.

Each function returns ``(features, head)``: named stages of ``nn.Sequential``, no in-place operation at a stage's edge.
"""

import torch
from torch import nn

Parts = tuple[nn.Sequential, nn.Sequential]


class OneLogit(nn.Module):
    """A binary network's single logit z (B, 1) as two, (-z/2, z/2): their softmax is sigmoid(z)."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.cat((-z / 2, z / 2), dim=1)


def compact_cnn(n_classes: int, dropout: float) -> Parts:
    """The 422,177-parameter "COVID or not" network: (B, 3, 256, 256) -> (B, 32, 14, 14) -> logits.

    Two classes share one output unit, as published; more classes get one unit each.
    """
    rate = dropout or 0.25
    features = named(
        conv1=nn.Sequential(nn.Conv2d(3, 64, 3, stride=3), nn.ReLU()),  # (B, 64, 85, 85)
        conv2=nn.Sequential(nn.MaxPool2d(2), nn.Dropout(rate), nn.Conv2d(64, 32, 3, stride=3), nn.ReLU()),
    )
    binary = n_classes == 2
    head = named(
        pool=nn.MaxPool2d(2),  # (B, 32, 7, 7)
        dropout=nn.Dropout(rate),
        flatten=nn.Flatten(),  # (B, 1568)
        dense=nn.Linear(1568, 256),
        relu=nn.ReLU(),
        classifier=nn.Linear(256, 1 if binary else n_classes),
        logits=OneLogit() if binary else nn.Identity(),
    )
    return features, head


def deep_cnn(n_classes: int, dropout: float) -> Parts:
    """Five blocks of two "same" convolutions, each with batch norm and ReLU: (B, 3, 256, 256) -> (B, 256, 16, 16).

    L2 regularisation belongs to the recipe (weight decay); the flattened map goes straight to the classifier.
    """
    widths = (16, 32, 64, 128, 256)
    stages, channels = {}, 3
    for number, width in enumerate(widths, start=1):
        layers: list[nn.Module] = [] if number == 1 else [nn.MaxPool2d(2), nn.Dropout(dropout)]
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding="same", bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        stages[f"block{number}"] = nn.Sequential(*layers)
    head = named(
        pool=nn.MaxPool2d(2),  # (B, 256, 8, 8)
        dropout=nn.Dropout(dropout),
        flatten=nn.Flatten(),
        classifier=nn.Linear(256 * 8 * 8, n_classes),
    )
    return named(**stages), head


def resnet_small(n_classes: int, dropout: float) -> Parts:
    """A ten-layer ResNet of 16-32-64-128 channels for films of 96-256 px: stride 16, 0.3 million parameters."""
    features, channels = _residual((16, 32, 64, 128))
    head = named(
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        dropout=nn.Dropout(dropout),
        classifier=nn.Linear(channels, n_classes),
    )
    return features, head


def resnet_local(n_classes: int, dropout: float) -> Parts:
    """A ResNet whose last map sees the film through windows of 47 px (stride 8), and whose first class is "no finding".

    A network that sees the whole film at every place may note a finding anywhere, between the lungs for example, and
    one that may argue for a finding from healthy lung will: their heatmaps say little about where the finding is. Here
    every place votes for the findings it sees, only upwards, and the first class wins where nobody votes.
    """
    features, channels = _residual((16, 48, 96))
    head = named(
        dropout=nn.Dropout(dropout),
        evidence=nn.Conv2d(channels, n_classes - 1, 1, bias=False),  # (B, C - 1, H, W)
        votes=Votes(n_classes),
    )
    return features, head


class Votes(nn.Module):
    """Evidence at each place (B, C - 1, H, W) -> logits (B, C): the logarithm of the positive sum, less a threshold.

    The first class has the logit 0.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_classes - 1,), 2.0))
        self.threshold = nn.Parameter(torch.full((n_classes - 1,), 4.0))

    def forward(self, evidence: torch.Tensor) -> torch.Tensor:
        logits = self.weight * torch.log1p(evidence.relu().sum((2, 3))) - self.threshold
        return nn.functional.pad(logits, (1, 0))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He 2016), named as torchvision names them.

    Our own, because torchvision takes a second to import, which the first page of a fresh start need not wait for.
    """

    def __init__(self, channels: int, width: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        residual = x if self.downsample is None else self.downsample(x)
        out: torch.Tensor = (self.bn2(self.conv2(self.bn1(self.conv1(x)).relu())) + residual).relu()
        return out


def _residual(widths: tuple[int, ...]) -> tuple[nn.Sequential, int]:
    """A strided stem and one basic block per width, each after the first of stride 2; and the channels they end in."""
    channels = widths[0]
    stem = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
    stages = {"stem": nn.Sequential(stem, nn.BatchNorm2d(channels), nn.ReLU())}
    for number, width in enumerate(widths, start=1):
        stride = 1 if number == 1 else 2
        shortcut = None
        if stride == 2:
            shortcut = nn.Sequential(nn.Conv2d(channels, width, 1, stride=2, bias=False), nn.BatchNorm2d(width))
        stages[f"layer{number}"] = nn.Sequential(BasicBlock(channels, width, stride, shortcut))
        channels = width
    features = named(**stages)
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return features, channels


def named(**modules: nn.Module) -> nn.Sequential:
    """``nn.Sequential`` with names, which are the state dict's and therefore the file format's."""
    sequence = nn.Sequential()
    for name, module in modules.items():
        sequence.add_module(name, module)
    return sequence
