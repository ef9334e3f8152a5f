"""Which stages of a network bulk scoring may compute in bfloat16 without changing an answer.

A film gets one answer, from any page, command, backend and batch size. bfloat16 keeps 8 bits of each number: harmless
in the last stages of some networks, up to 0.1 of a probability in the first. So it is measured, on films, when a
checkpoint is finished, and kept in its card; where nothing is known, everything stays in float32. The measurement
rounds as a processor with bfloat16 would (products summed in float32, every result rounded): any machine can make it.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from core.networks.network import Network
from core.transform.preprocess import Preprocess

LIMIT = 0.002  # of a probability: bulk and single answers differ by no more
ROOM = 0.5  # of the limit may be used up on the measured films: others differ more, and processors fuse differently
FILMS, BATCH = 96, 16

Probabilities = Callable[[np.ndarray], np.ndarray]  # logits (N, C) -> calibrated probabilities (N, C)


def measure(
    network: Network, preprocess: Preprocess, probabilities: Probabilities, pictures: np.ndarray
) -> dict[str, Any]:
    """What the card keeps: the stages that are harmless in bfloat16, and the largest change seen on how many films.

    The highest stages are tried first and each time one more: most arithmetic is there, and least harm.

    Args:
        pictures: uint8 (N, S, S), of which `FILMS` at most are used, evenly drawn.
    """
    films = pictures[np.linspace(0, len(pictures) - 1, min(FILMS, len(pictures))).round().astype(int)]
    exact = probabilities(logits(network, preprocess, films))
    harmless: list[str] = []
    largest = 0.0
    for name in reversed(network.layers):
        tried = [name, *harmless]
        change = float(np.abs(probabilities(logits(network, preprocess, films, tried)) - exact).max())
        if change > ROOM * LIMIT:
            break
        harmless, largest = tried, change
    return {"bf16": harmless, "largest": round(largest, 6), "films": len(films)}


def logits(network: Network, preprocess: Preprocess, pictures: np.ndarray, rounded: Sequence[str] = ()) -> np.ndarray:
    """Pictures uint8 (N, S, S) -> logits float32 (N, C), with the ``rounded`` stages as bfloat16 would compute them."""
    stages = [(name, _halved(stage) if name in rounded else stage) for name, stage in network.features.named_children()]
    found, where = [], next(network.parameters()).device  # not of what is only a function: it has no stages
    with torch.no_grad():
        for start in range(0, len(pictures), BATCH):
            map_ = preprocess.tensor(torch.as_tensor(pictures[start : start + BATCH]).to(where))
            for name, stage in stages:
                if name in rounded:
                    with _Rounding():  # type: ignore[no-untyped-call]
                        map_ = stage(_round(map_))
                else:
                    map_ = stage(map_)
            found.append(network.head(map_).numpy(force=True))
    return np.concatenate(found)


class _Rounding(TorchDispatchMode):
    """Every float32 result keeps bfloat16's 8 bits; sums inside an operation stay exact, as in hardware."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, tuple | list):
            return type(result)(_round(part) for part in result)
        return _round(result)


def _halved(stage: nn.Module) -> nn.Module:
    """A copy with kernels and matrices rounded; norms stay as they are, as under autocast."""
    own = copy.deepcopy(stage)
    for tensor in own.parameters():
        if tensor.ndim > 1:
            tensor.data = _round(tensor.data)
    return own


def _round(value: Any) -> Any:
    return value.bfloat16().float() if isinstance(value, torch.Tensor) and value.dtype == torch.float32 else value
