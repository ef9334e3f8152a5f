"""Engines that score many pictures at once: pictures in, logits and in-domain signatures out.

Where the processor multiplies bfloat16 matrices itself (``device.has_bf16``), both engines use it in those stages whose
answers it was seen not to change (`core.model.bulk.precision`); everything else is float32.
"""

import copy
import sys
from collections.abc import Callable, Collection
from importlib.util import find_spec

import numpy as np
import torch

from core.errors import CheckpointError
from core.model import device as devices
from core.model.domain import signature
from core.networks.network import MAP, Network
from core.transform.preprocess import Preprocess

Engine = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""uint8 (B, S, S) -> logits float32 (B, C) and signatures float32 (B, D)."""


def open_engine(network: Network, preprocess: Preprocess, backend: str = "auto", bf16: Collection[str] = ()) -> Engine:
    """The engine on a backend: "torch", "openvino", or "auto" (torch on a GPU and for transformers, else OpenVINO).

    What is only a function runs as it is, whatever the backend.

    Args:
        bf16: stages that may be computed in bfloat16; what the checkpoint's card says.

    Raises:
        CheckpointError: there is no such backend, or OpenVINO was asked for and is not installed.
    """
    if backend not in ("auto", "torch", "openvino"):
        raise CheckpointError(f"there is no backend {backend!r}", "torch, openvino or auto")
    installed = find_spec("openvino") is not None
    if backend == "openvino" and not installed:
        raise CheckpointError("OpenVINO is not installed", remedy="pip install openvino, or choose the torch backend")
    own_ground = devices.pick().type != "cpu" or network.layout != MAP  # of transformers torch is the measured one
    if backend == "torch" or not installed or network.opaque or (backend == "auto" and own_ground):
        return torch_engine(network, preprocess, bf16)
    # Importing OpenVINO reports to its makers, unasked, from a forked process that can hang a server; without this
    # module it does not.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    from core.model.bulk.openvino import openvino_engine

    return openvino_engine(network, preprocess, bf16)


def torch_engine(network: Network, preprocess: Preprocess, bf16: Collection[str] = ()) -> Engine:
    """PyTorch on a copy of the network laid out for the processor, or on the GPU where there is one."""
    device = devices.pick()
    devices.exact(device)
    own = copy.deepcopy(network).to(device).to(memory_format=torch.channels_last)
    low = frozenset(bf16) if devices.has_bf16(device) else frozenset()

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        images = preprocess.tensor(torch.from_numpy(pictures).to(device)).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            logits, signatures = signature(own, images, low)
        return logits.cpu().numpy(), signatures.cpu().numpy()

    return run
