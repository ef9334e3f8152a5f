"""The pipelines that `benchmarks.scoring` compares with, each written as their own tutorials write them.

Each takes a checkpoint and returns a function from paths to probabilities (N, C).
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torchvision import transforms

from core.model import output as outputs
from core.model.checkpoint import Checkpoint

Run = Callable[[list[Path]], np.ndarray]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TRANSFORM = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
BATCH = 32


def tutorial(checkpoint: Checkpoint) -> Run:
    network = checkpoint.network()

    def run(paths: list[Path]) -> np.ndarray:
        found = []
        for path in paths:
            image = TRANSFORM(Image.open(path).convert("RGB"))
            with torch.no_grad():
                found.append(_probabilities(network(image[None]), checkpoint))
        return np.concatenate(found)

    return run


class _Files(torch.utils.data.Dataset):
    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> torch.Tensor:
        return TRANSFORM(Image.open(self.paths[i]).convert("RGB"))


def dataloader(checkpoint: Checkpoint) -> Run:
    network = checkpoint.network()

    def run(paths: list[Path]) -> np.ndarray:
        loader = torch.utils.data.DataLoader(_Files(paths), BATCH, num_workers=os.cpu_count() or 1)
        with torch.no_grad():
            return np.concatenate([_probabilities(network(images), checkpoint) for images in loader])

    return run


def onnxruntime_batches(checkpoint: Checkpoint) -> Run:
    import onnxruntime

    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        example = torch.zeros(2, 3, 224, 224)
        shapes = {"images": {0: torch.export.Dim("batch")}}
        program = _Plain(checkpoint).eval()
        torch.onnx.export(
            program, (example,), path, dynamo=True, dynamic_shapes=shapes, external_data=False, verbose=False
        )
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(paths: list[Path]) -> np.ndarray:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            loaded = pool.map(_array, paths)
            found = []
            for start in range(0, len(paths), BATCH):
                images = np.stack([next(loaded) for _ in paths[start : start + BATCH]])
                found.append(_probabilities(torch.from_numpy(session.run(None, {name: images})[0]), checkpoint))
        return np.concatenate(found)

    return run


def torch_bf16(checkpoint: Checkpoint) -> Run:
    network = checkpoint.network().to(memory_format=torch.channels_last)

    def run(paths: list[Path]) -> np.ndarray:
        images = torch.from_numpy(np.stack([_array(path) for path in paths])).to(memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return _probabilities(network(images).float(), checkpoint)

    return run


def openvino_bf16(checkpoint: Checkpoint) -> Run:
    # As in `core.model.bulk.engine`: without this module OpenVINO cannot report its use to its makers.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    model = openvino.convert_model(checkpoint.network(), example_input=torch.zeros(2, 3, 224, 224))
    options = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    compiled = openvino.Core().compile_model(model, "CPU", options)

    def run(paths: list[Path]) -> np.ndarray:
        images = np.stack([_array(path) for path in paths])
        return _probabilities(torch.from_numpy(compiled(images)[0]), checkpoint)

    return run


def decode_only(checkpoint: Checkpoint) -> Run:
    def run(paths: list[Path]) -> np.ndarray:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.array(list(pool.map(lambda path: Image.open(path).load() is not None, paths)))

    return run


_WORKER: list[Run] = []  # the pipeline of this process, made once by `start_worker`


def start_worker(make: Callable[[Checkpoint], Run], checkpoint: Checkpoint) -> None:
    torch.set_num_threads(1)
    _WORKER.append(make(checkpoint))


def work(paths: list[Path]) -> np.ndarray:
    return _WORKER[0](paths)


class _Plain(torch.nn.Module):
    """The network under an input name of its own, for the exporter."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__()
        self.network = checkpoint.network()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images)


def _array(path: Path) -> np.ndarray:
    """float32 (3, 224, 224), normalised, without torchvision's detours."""
    grey = np.asarray(Image.open(path).convert("L").resize((224, 224), Image.Resampling.BILINEAR), np.float32) / 255
    return np.stack([(grey - mean) / std for mean, std in zip(MEAN, STD, strict=True)]).astype(np.float32)


def _probabilities(logits: torch.Tensor, checkpoint: Checkpoint) -> np.ndarray:
    return outputs.of_card(checkpoint.card).probabilities(logits.numpy())
