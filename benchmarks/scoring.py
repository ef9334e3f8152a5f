"""`python -m benchmarks.scoring`: files to probabilities, films/s of `predict` beside what people usually write.

Every pipeline scores the same files with the same ResNet-18 in one run, its model loaded and warmed up before the
clock starts. The films are 1,000 of HILUM_DATA at 224 pixels, and the same films enlarged to 1,024 pixels (the sources
at hand have no originals of that size; decoding them costs the same). "Decode" reads the files and does nothing else.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import scoring_peers as peers
from core import device as devices
from core.data.readers import data_root
from core.model.checkpoint import Checkpoint, load
from core.model.classifier import Classifier
from core.run import stream
from core.run.score import Score, unlabelled

CORES = os.cpu_count() or 1
Run = Callable[[list[Path]], np.ndarray]  # paths -> probabilities (N, C)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("checkpoint", help="a ResNet-18 checkpoint's name or folder")
    options.add_argument("--films", type=int, default=1000)
    options.add_argument("--only", nargs="+", choices=tuple(PIPELINES), default=tuple(PIPELINES))
    args = options.parse_args()
    checkpoint = load(args.checkpoint)
    films = sorted((data_root() / "COVID-19_Radiography_Dataset").glob("*/images/*.png"))
    films = films[:: max(1, len(films) // args.films)][: args.films]
    with tempfile.TemporaryDirectory() as folder:
        report("224 px", films, checkpoint, args.only)
        report("1024 px (enlarged)", enlarged(films, Path(folder)), checkpoint, args.only)


def report(title: str, films: list[Path], checkpoint: Checkpoint, names: tuple[str, ...]) -> None:
    """Run the pipelines one after the other and print films a second, ratios, and how far their answers differ."""
    speeds, answers = {}, {}
    print(f"\n{len(films)} films of {title}, {CORES} cores, {devices.describe(devices.pick())}")
    print(f"{'pipeline':44} {'films/s':>8} {'x tutorial':>10} {'largest difference':>19}")
    for name in names:
        with PIPELINES[name](checkpoint) as run:
            run(films[:64])
            start = time.perf_counter()
            answers[name] = run(films)
            speeds[name] = len(films) / (time.perf_counter() - start)
        ratio = f"{speeds[name] / speeds['tutorial']:.1f}" if "tutorial" in speeds else ""
        gap = np.abs(answers[name] - answers["tutorial"]).max() if name != "decode" and "tutorial" in answers else None
        print(
            f"{TITLES[name]:44} {speeds[name]:8.1f} {ratio:>10} {'' if gap is None else f'{gap:.3f}':>19}", flush=True
        )


def enlarged(films: list[Path], folder: Path) -> list[Path]:
    """The films at 1024 x 1024 pixels, as PNG."""

    def enlarge(path: Path) -> Path:
        target = folder / path.name
        Image.open(path).convert("L").resize((1024, 1024), Image.Resampling.BICUBIC).save(target)
        return target

    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(enlarge, films))


@contextmanager
def ours(checkpoint: Checkpoint, backend: str) -> Iterator[Run]:
    classifier = Classifier(checkpoint, backend)  # type: ignore[arg-type]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # each worker scores its own batch
    work = Score(classifier, all_answers=True)  # as its peers, which refuse no film
    columns = [f"p_{name}" for name in classifier.classes]

    def run(paths: list[Path]) -> np.ndarray:
        rows = [row for found in stream.rows(unlabelled(paths), work) for row in found]
        return np.array([[row[name] for name in columns] for row in rows], np.float32)

    yield run
    torch.set_num_threads(threads)


@contextmanager
def alone(checkpoint: Checkpoint, make: Callable[[Checkpoint], Run]) -> Iterator[Run]:
    """A pipeline in this process, as its authors would run it."""
    yield make(checkpoint)


@contextmanager
def in_processes(checkpoint: Checkpoint, make: Callable[[Checkpoint], Run]) -> Iterator[Run]:
    """A pipeline in one process a core, each with one thread and its own model."""
    with ProcessPoolExecutor(
        CORES, get_context("spawn"), initializer=peers.start_worker, initargs=(make, checkpoint)
    ) as pool:

        def run(paths: list[Path]) -> np.ndarray:
            groups = [paths[i : i + 32] for i in range(0, len(paths), 32)]
            return np.concatenate(list(pool.map(peers.work, groups)))

        yield run


PIPELINES: dict[str, Callable[[Checkpoint], AbstractContextManager[Run]]] = {
    "tutorial": lambda c: alone(c, peers.tutorial),
    "dataloader": lambda c: alone(c, peers.dataloader),
    "onnxruntime": lambda c: alone(c, peers.onnxruntime_batches),
    "torch-processes": lambda c: in_processes(c, peers.torch_bf16),
    "openvino-processes": lambda c: in_processes(c, peers.openvino_bf16),
    "ours-torch": lambda c: ours(c, "torch"),
    "ours": lambda c: ours(c, "auto"),
    "decode": lambda c: alone(c, peers.decode_only),
}
TITLES = {
    "tutorial": "tutorial: PIL, torchvision, one by one",
    "dataloader": "DataLoader, batches of 32, fp32",
    "onnxruntime": "ONNX Runtime, batches of 32, fp32",
    "torch-processes": f"PyTorch bf16 channels-last, {CORES} processes",
    "openvino-processes": f"OpenVINO bf16, {CORES} processes",
    "ours-torch": "Hilum predict, torch backend",
    "ours": "Hilum predict",
    "decode": "decode alone, the limit",
}

if __name__ == "__main__":
    main()
