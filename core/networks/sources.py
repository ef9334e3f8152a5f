"""Where networks come from besides the house's own table: ``torchvision:NAME``, ``timm:NAME``, ``xrv:NAME``, and
``hf:KIND``, a network of `transformers` by its model type, and ``onnx:program``, a model that is only a function.

A new source is one file of this room with five functions, and one row below. Nothing is imported before a network of a
source is asked for; a name from a card reaches its library only if it is plain letters.

A source's file has
- ``names()``: what it offers;
- ``spec(name)``: what is known of a network before it is built;
- ``make(name, n_classes, channels, size, dropout, config)``: its model, untrained, with the keys of a user's file;
  ``config`` is what a card keeps of a network that its name alone does not tell;
- ``regroup(model)``: that model as ``features | head``;
- ``own_weights(name, run_pickle, size)``: a model with the weights that the source offers, and what is known of them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks.initial import load_tensors
from core.networks.network import Network, NetworkSpec

SOURCES = {
    "torchvision": "core.networks.from_torchvision",
    "timm": "core.networks.from_timm",
    "xrv": "core.networks.from_xrv",
    "hf": "core.networks.from_hf",
    "onnx": "core.networks.from_onnx",
}
WAYS = " or ".join(f"{prefix}:NAME" for prefix in SOURCES)
_PLACES = ("hf:", "onnx:")  # their own weights lie in a folder, repository or file of any name
_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,100}")


@dataclass(frozen=True, eq=False)
class Offered:
    """A model as its source offers it, with weights.

    Attributes:
        model: with the source's own keys.
        architecture: what the network is called without the tag of its weights.
        classes: names of its outputs.
        preprocess: as far as the source says: size, mean, std, fit.
        licence: of the weights, as the source says it; "" where it does not.
        output: what its logits mean, a key of `core.model.output.KINDS`; "" where the source does not say.
        operating_points: operating points by class, as far as the source gives them.
        config: JSON-ready; what ``make`` needs besides the name.
        named: whether the source itself says what its outputs are called.
    """

    model: nn.Module
    architecture: str
    classes: tuple[str, ...]
    preprocess: Mapping[str, Any]
    licence: str = ""
    output: str = ""
    operating_points: Mapping[str, float] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True


class Source(Protocol):
    """A file of this room; see the head of this module."""

    def names(self) -> tuple[str, ...]: ...
    def spec(self, name: str) -> NetworkSpec: ...
    def make(
        self, name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any]
    ) -> nn.Module: ...
    def regroup(self, model: nn.Module) -> Network: ...
    def own_weights(self, name: str, run_pickle: bool = False, size: int = 0) -> Offered: ...


def is_source(name: str) -> bool:
    """Whether a network's name is ``SOURCE:NAME`` with a source known here."""
    prefix, _, rest = name.partition(":")
    return prefix in SOURCES and _NAME.fullmatch(rest) is not None


def offers(name: str) -> bool:
    """Whether ``own_weights`` may be asked for this: a network's name, a folder or repository, or a file."""
    return is_source(name) or name.startswith(_PLACES)


def opened(name: str) -> tuple[Source, str]:
    """The source of ``SOURCE:NAME``, imported, and the NAME."""
    prefix, _, rest = name.partition(":")
    if not offers(name):
        raise RecipeError(f"there is no network {name!r}", WAYS)
    return cast(Source, import_module(SOURCES[prefix])), rest


def names() -> tuple[str, ...]:
    """Every ``SOURCE:NAME`` available here; sources that are not installed offer none."""
    found: list[str] = []
    for prefix in SOURCES:
        try:
            source, _ = opened(f"{prefix}:any")
            found += [f"{prefix}:{name}" for name in source.names()]
        except RecipeError:
            continue
    return tuple(found)


def spec_of(name: str) -> NetworkSpec:
    """What is known of ``SOURCE:NAME`` before it is built."""
    source, rest = opened(name)
    return source.spec(rest)


def make(
    name: str,
    n_classes: int,
    channels: int = 3,
    size: int = 0,
    dropout: float = 0.0,
    config: Mapping[str, Any] | None = None,
) -> nn.Module:
    """The source's own model, untrained.

    Raises:
        RecipeError: the source has no such network, or not with these channels or for pictures of this size.
    """
    source, rest = opened(name)
    return source.make(rest, n_classes, channels, size, dropout, config or {})


def build(
    name: str, n_classes: int, weights: str, dropout: float, channels: int, size: int, config: Mapping[str, Any]
) -> Network:
    """A network of a source; ``weights`` is "none", "imagenet" (the source's own), a state dict, or a Hilum folder."""
    source, rest = opened(name)
    model = source.make(rest, n_classes, channels, size, dropout, config)
    if weights == "imagenet":
        _take(model, source.own_weights(rest).model.state_dict(), name)
    elif weights != "none" and not Path(weights).is_dir():
        _take(model, load_tensors(Path(weights)), weights)
    return source.regroup(model)


def _take(model: nn.Module, state: Mapping[str, torch.Tensor], source: str) -> None:
    """All but the classifier, whose classes are others: nothing else may be missing."""
    own = model.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    missing = [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]
    if sum(own[key].ndim > 1 for key in missing) > 1:
        came = f"{source} lacks {len(missing)} of the network's {len(own)} tensors, the first being {missing[0]}"
        raise CheckpointError(came, "the weights of the same network")
    model.load_state_dict(fitting, strict=False)
