"""The bulk engine on OpenVINO: the same network, signature and preprocessing, compiled for the processor.

Converting takes seconds, so the converted network (data, never code) is kept in the cache folder under the digest of
its weights; a stale one is never found.
"""

import copy
import hashlib
import os
import queue
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import torch
from torch import nn

from core.data.cache import cache_dir
from core.model.device import has_bf16
from core.model.domain import signature
from core.networks.zoo import Network
from core.transform.preprocess import Preprocess

VERSION = 1  # of the graph below: raise it when `_Graph` changes
_converting = threading.Lock()  # torch's tracer and Python's warning filters are one a process


class _Graph(nn.Module):
    """uint8 (B, S, S) -> logits (B, C), signature (B, D): everything after decoding, in one graph."""

    def __init__(self, network: Network, preprocess: Preprocess) -> None:
        super().__init__()
        self.network, self.preprocess = network, preprocess

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return signature(self.network, self.preprocess.tensor(pictures))


def openvino_engine(network: Network, preprocess: Preprocess) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """See `classifier_bulk.Engine`. Several threads may call it at once; each call uses a request of its own."""
    model = openvino.Core().read_model(_converted(network, preprocess))
    precision = "bf16" if has_bf16(torch.device("cpu")) else "f32"
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = openvino.Core().compile_model(model, "CPU", options)
    idle: queue.SimpleQueue = queue.SimpleQueue()  # of requests: one belongs to one call at a time
    for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
        idle.put(compiled.create_infer_request())

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        request = idle.get()
        try:
            outputs = request.infer({0: pictures})
            return outputs[0].astype(np.float32), outputs[1].astype(np.float32)
        finally:
            idle.put(request)

    return run


def _converted(network: Network, preprocess: Preprocess) -> Path:
    """Path of the network in OpenVINO's own format; converted on first use."""
    digest = hashlib.sha256(f"{VERSION} {openvino.__version__} {preprocess}\n{network}".encode())
    for tensor in network.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    path = cache_dir() / "openvino" / f"{digest.hexdigest()[:32]}.xml"
    with _converting:
        if not path.is_file():
            _convert(network, preprocess, path)
    return path


def _convert(network: Network, preprocess: Preprocess, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros(2, preprocess.size, preprocess.size, dtype=torch.uint8)
    graph = _Graph(copy.deepcopy(network), preprocess).eval()  # the tracer may touch what it traces
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's; the constants it warns of are the preprocessing's own
        converted = openvino.convert_model(graph, example_input=example, input=[-1, preprocess.size, preprocess.size])
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        openvino.save_model(converted, written, compress_to_fp16=False)
        for file in (written.with_suffix(".bin"), written):  # the graph last: where it is, its weights are
            os.replace(file, path.parent / file.name)
