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
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from torch import nn

from core import identity
from core.data.cache import cache_dir
from core.device import has_bf16
from core.model.domain import STAGES, pooled
from core.networks.network import Network
from core.transform.preprocess import Preprocess

SHARE = 8  # pictures, at least, that are worth another core
VERSION = 3  # of the graphs below: raise it when `_Part` or `Preprocess.tensor` changes
SUMS = ".sums"  # suffix of the file with the SHA-256 of graph and weights
_converting = threading.Lock()  # torch's tracer and Python's warning filters belong to the whole process
_Run = Callable[[np.ndarray], list[np.ndarray]]


class _Part(nn.Module):
    """Some stages in one graph, with decoded pictures uint8 (B, S, S) or a map (B, K, h, w) before them.

    Its outputs: the map, or the logits where the head is part of it; then, if any of its stages count there, their part
    of the signature.
    """

    def __init__(self, network: Network, preprocess: Preprocess, start: int, stop: int, head: bool) -> None:
        super().__init__()
        self.stages, self.first = network.features[start:stop], len(network.features) - STAGES - start
        self.preprocess, self.layout = preprocess if start == 0 else None, network.layout
        self.head = network.head if head else None

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        map_ = x if self.preprocess is None else self.preprocess.tensor(x)
        found = []
        for number, stage in enumerate(self.stages):
            map_ = stage(map_)
            if number >= self.first:
                found.append(pooled(self.layout.map_of(map_)))
        last = map_ if self.head is None else self.head(map_)
        return (last, torch.cat(found, dim=1)) if found else (last,)


def openvino_engine(
    network: Network, preprocess: Preprocess, bf16: Collection[str] = ()
) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """See `engine.Engine`. Several threads may call it at once; each call uses requests of its own.

    Args:
        bf16: the last stages, as far as they may be computed in bfloat16: they, what is below them and the head become
            three graphs, because the precision is one for a graph.
    """
    count = len(network.features)
    low = [name in bf16 for name in network.layers] if has_bf16(torch.device("cpu")) else [False] * count
    cut = max(1, low.index(True)) if any(low) else count  # pictures are whole numbers up to 255: stage 1 stays exact
    whole = [(0, count, True, "f32")]
    plan = whole if cut == count else [(0, cut, False, "f32"), (cut, count, False, "bf16"), (count, count, True, "f32")]
    parts, example = [], torch.zeros(2, preprocess.size, preprocess.size, dtype=torch.uint8)
    for start, stop, head, precision in plan:
        part = _Part(
            copy.deepcopy(network), preprocess, start, stop, head
        ).eval()  # the tracer may touch what it traces
        parts.append(_compiled(part, example, preprocess, precision))
        with torch.no_grad():
            example = part(example)[0]

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        last, signatures = pictures, []
        for part in parts:
            last, *found = part(last)
            signatures += found
        return last, np.concatenate(signatures, axis=1)

    return run


def _compiled(part: _Part, example: torch.Tensor, preprocess: Preprocess, precision: str) -> _Run:
    """A graph at work in "f32" or "bf16": one input -> its outputs, float32.

    A request computes on one core. Many pictures are shared out to as many requests as are idle, at most to as many as
    this thread may use cores.
    """
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
    compiled = core.compile_model(_graph(core, part, example, preprocess), "CPU", options)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()  # of requests: one belongs to one call at a time
    for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")):
        idle.put(compiled.create_infer_request())

    def run(given: np.ndarray) -> list[np.ndarray]:
        taken = [idle.get()]
        try:
            with suppress(queue.Empty):  # never waited for: of two calls that each hold one, both would wait
                while len(taken) < min(torch.get_num_threads(), len(given) // SHARE):
                    taken.append(idle.get_nowait())
            for request, share in zip(taken, np.array_split(given, len(taken)), strict=True):
                request.start_async({0: share}, share_inputs=False)
            found = []
            for request in taken:
                request.wait()
                found.append([value.astype(np.float32) for value in request.results.values()])
            return [np.concatenate(values) for values in zip(*found, strict=True)]
        finally:
            for request in taken:
                with suppress(RuntimeError):  # after an error another share may still be at work
                    request.wait()
                idle.put(request)

    return run


def _graph(core: openvino.Core, part: _Part, example: torch.Tensor, preprocess: Preprocess) -> openvino.Model:
    """A part of the network as OpenVINO's graph: the one kept, or converted anew where none is or it is damaged."""
    digest = hashlib.sha256(f"{VERSION} {openvino.__version__} {preprocess} {tuple(example.shape)}\n{part}".encode())
    for tensor in part.state_dict().values():
        digest.update(tensor.contiguous().numpy().tobytes())
    path = cache_dir() / "openvino" / f"{digest.hexdigest()[:32]}.xml"
    with _converting:
        if _is_whole(path):
            return core.read_model(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's; the constants it warns of are the preprocessing's own
            converted = openvino.convert_model(part, example_input=example, input=[-1, *example.shape[1:]])
        with suppress(OSError, RuntimeError):  # OpenVINO's own for a full disk: it works without being kept
            _keep(converted, path)
            return core.read_model(path)
    return converted


def _keep(converted: openvino.Model, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        written = Path(folder) / path.name
        openvino.save_model(converted, written, compress_to_fp16=False)
        written.with_suffix(SUMS).write_text(_sums(written), encoding="utf-8")
        for file in (written.with_suffix(".bin"), written, written.with_suffix(SUMS)):
            os.replace(file, path.parent / file.name)


def _is_whole(path: Path) -> bool:
    """Whether graph and weights hold the bytes they were written with: a cut one would crash, a changed one lie."""
    try:
        return path.with_suffix(SUMS).read_text(encoding="utf-8") == _sums(path)
    except (OSError, ValueError):
        return False


def _sums(path: Path) -> str:
    return " ".join(identity.of_file(file) for file in (path, path.with_suffix(".bin")))
