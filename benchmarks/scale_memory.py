"""The peak of memory of whole commands against the number of films; `python -m benchmarks.scale --memory` prints it.

Each command runs in a process of its own, as a user starts it, and tells the most memory it ever held (VmHWM of Linux).
What it takes for each film more is the difference between two numbers of films. The films are 64 drawn ones, linked as
often as needed. Decoding a hundred thousand real films takes an hour, so the larger counts take a stand-in: tiny films
before a tiny network, and lungs are looked for by nobody. Rows, parts, tables and reports are as long as the real ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

MARK = "measured: "
DRAWN = 64  # different films
REAL = 4000  # films at most that the real network sees
PIXELS, TINY = 512, 48  # sides of the drawn films, for the real network and for the stand-in
CLASSES = ("Normal", "COVID-19")
COMMANDS = {
    "predict --out": ("predict", "{model}", "{films}", "--out", "{out}/scores"),
    "predict --csv": ("predict", "{model}", "{films}", "--csv", "{out}/scores.csv"),
    "evaluate --data": ("evaluate", "{model}", "--data", "{films}", "--out", "{out}/evaluated"),
    "explain --cohort": ("explain", "{model}", "--cohort", "{films}", "--out", "{out}/maps"),
}


def table(model: str, counts: list[int], commands: list[str]) -> None:
    """Print a line for each command and number of films."""
    print(f"{'command':18}{'films':>9}  {'network':10}{'seconds':>9}{'peak MB':>9}{'bytes for each film more':>26}")
    for command in commands:
        before: dict[str, tuple[int, float]] = {}
        for films in counts:
            network = model if films <= REAL else "stand-in"
            found = run(command, network, films)
            more = ""
            if network in before:
                fewer, peak = before[network]
                more = f"{(found['peak'] - peak) / (films - fewer):,.0f}"
            before[network] = films, found["peak"]
            peak = found["peak"] / 1e6
            print(f"{command:18}{films:9,}  {network:10}{found['seconds']:9,.0f}{peak:9,.0f}{more:>26}", flush=True)


def run(command: str, network: str, films: int) -> dict[str, float]:
    """Seconds, and the peak in bytes, of one command in a process of its own."""
    asked = json.dumps({"command": command, "network": network, "films": films})
    words = [sys.executable, "-m", "benchmarks.scale_memory", "--one", asked]
    said = subprocess.run(
        words, check=False, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    line = next((line for line in said.stdout.splitlines() if line.startswith(MARK)), None)
    if line is None:
        raise SystemExit(said.stdout + said.stderr)
    found: dict[str, float] = json.loads(line[len(MARK) :])
    return found


def measured(command: str, network: str, films: int) -> dict[str, float]:
    """The same, of this process."""
    from core.cli import main

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        room = Path(folder)
        tiny = network == "stand-in"
        model = str(stand_in(room / "model")) if tiny else network
        linked(room / "films", films, TINY if tiny else PIXELS)
        if tiny:
            stack.enter_context(without_lungs())
        (room / "out").mkdir()
        words = [word.format(model=model, films=room / "films", out=room / "out") for word in COMMANDS[command]]
        started = time.perf_counter()
        assert main(words) == 0
        return {"seconds": time.perf_counter() - started, "peak": float(peak())}


def peak() -> int:
    """The most memory this process ever held, bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def stand_in(folder: Path) -> Path:
    """A checkpoint of random weights that answers at once."""
    from core.model.card import Card
    from core.model.checkpoint import Checkpoint, save
    from core.networks.zoo import build
    from core.transform.preprocess import Preprocess

    network = build("resnet_small", len(CLASSES))
    card = Card(
        name="stand-in", title="Stand-in", classes=CLASSES, network="resnet_small", preprocess=Preprocess(size=32),
        recipe={}, parameters=0, created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return save(Checkpoint(card, network.state_dict()), folder)


@contextmanager
def without_lungs() -> Iterator[None]:
    """Lungs of which it is always said that there are none."""
    import numpy as np

    from core.lungs.segment import EXTENTS, SIZE, LungFinder, Lungs

    nothing = np.zeros((len(EXTENTS), SIZE, SIZE), np.float32)

    def nowhere(self: LungFinder, films: Sequence[Any]) -> list[Lungs]:
        return [Lungs(film.shape, nothing, False, 0.0, 0.0, "Nobody looked.") for film in films]

    with mock.patch.object(LungFinder, "find_together", nowhere):
        yield


def linked(folder: Path, count: int, pixels: int) -> list[Path]:
    """So many films in folders of their classes: hard links to `DRAWN` drawn ones."""
    from PIL import Image

    from core.data.phantom import Acquisition, Finding, Patient, draw

    for name in CLASSES:
        (folder / name).mkdir(parents=True)
    paths = [folder / CLASSES[number % len(CLASSES)] / f"{number:07d}.png" for number in range(count)]
    for number, path in enumerate(paths):
        if number < DRAWN:
            drawn = Image.fromarray(draw(Patient(seed=number), Finding(), Acquisition(), 512).pixels)
            drawn.resize((pixels, pixels), Image.Resampling.BOX).save(path)
        else:
            os.link(paths[number % DRAWN], path)
    return paths


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--one", required=True, type=json.loads)
    print(MARK + json.dumps(measured(**options.parse_args().one)))
