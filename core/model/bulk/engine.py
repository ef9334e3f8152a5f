"""Engines that score many pictures at once: pictures in, logits and in-domain signatures out.

Where the processor multiplies bfloat16 matrices itself (``device.has_bf16``), both engines use it in those stages whose
answers it was seen not to change (`core.model.bulk.precision`); everything else is float32.
"""

import copy
import sys
from collections.abc import Callable, Collection
from importlib.util import find_spec
from typing import Literal

import numpy as np
import torch

from core import device as devices
from core.errors import CheckpointError
from core.model.bulk.folded import folded
from core.model.domain import signature
from core.networks.network import MAP, Network
from core.transform.preprocess import Preprocess

Engine = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""uint8 (B, S, S), one picture at least -> logits float32 (B, C) and signatures float32 (B, D)."""
AT_ONCE = 2**18  # pixels: 16 pictures of 128 px, 4 of 256


def backend_of(network: Network, backend: str = "auto") -> Literal["torch", "openvino"]:
    """Which engine is meant: by "auto" torch on a GPU and for transformers, else OpenVINO where it is installed.

    What is only a function runs on torch, whatever was asked for.

    Raises:
        CheckpointError: there is no such backend, or OpenVINO was asked for and is not installed.
    """
    if backend not in ("auto", "torch", "openvino"):
        raise CheckpointError(f"there is no backend {backend!r}", "torch, openvino or auto")
    installed = find_spec("openvino") is not None
    if backend == "openvino" and not installed:
        raise CheckpointError("OpenVINO is not installed", remedy="pip install openvino, or choose the torch backend")
    own_ground = devices.pick().type != "cpu" or network.layout != MAP  # of transformers torch is the measured one
    on_torch = backend == "torch" or not installed or network.opaque or (backend == "auto" and own_ground)
    return "torch" if on_torch else "openvino"


def open_engine(network: Network, preprocess: Preprocess, backend: str = "auto", bf16: Collection[str] = ()) -> Engine:
    """The engine on a backend, see `backend_of`.

    Args:
        bf16: stages that may be computed in bfloat16; what the checkpoint's card says.
    """
    if backend_of(network, backend) == "torch":
        return torch_engine(network, preprocess, bf16)
    # Importing OpenVINO reports to its makers, unasked, from a forked process that can hang a server; without this
    # module it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    from core.model.bulk.openvino import openvino_engine

    return openvino_engine(network, preprocess, bf16)


def laid_out(network: Network, preprocess: Preprocess, device: torch.device) -> Network:
    """A copy on a device for inference in float32: `folded`, its maps as the processor likes them."""
    side = preprocess.size
    example = torch.arange(2 * side * side, dtype=torch.int32).reshape(2, side, side).remainder(251).to(torch.uint8)
    own = folded(network, preprocess.tensor(example.to(place_of(network))))
    return own.to(device).to(memory_format=torch.channels_last)


def torch_engine(network: Network, preprocess: Preprocess, bf16: Collection[str] = ()) -> Engine:
    """PyTorch on the best device, on a copy `laid_out` unless bfloat16 is used: that was measured on plain kernels."""
    device = devices.pick()
    if not (bf16 and devices.has_bf16(device)):
        return engine_of(laid_out(network, preprocess, device), preprocess)
    plain = copy.deepcopy(network).to(device).to(memory_format=torch.channels_last)
    return engine_of(plain, preprocess, frozenset(bf16))


def engine_of(own: Network, preprocess: Preprocess, low: Collection[str] = ()) -> Engine:
    """The engine of a network laid out for inference, which it only reads; ``low`` are stages computed in bfloat16.

    A processor gets `AT_ONCE` pixels at a time: the maps of more leave its cache, and a hundred pictures together take
    up to three times as long.
    """
    device = place_of(own)
    devices.exact(device)

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at_once = max(1, AT_ONCE // preprocess.size**2) if device.type == "cpu" else len(pictures)
        found = []
        with torch.inference_mode():
            for part in torch.from_numpy(pictures).split(at_once):
                images = preprocess.tensor(part.to(device)).to(memory_format=torch.channels_last)
                found.append(signature(own, images, low))
        logits, signatures = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
        return logits, signatures

    return run


def place_of(network: Network) -> torch.device:
    """Where a network lies; without weights, the CPU."""
    return next((weight.device for weight in network.parameters()), torch.device("cpu"))
