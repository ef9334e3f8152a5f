"""`python -m benchmarks.scale`: films a second of `predict` and of `explain` with all classes, by workers and engine.

Each figure comes from a process of its own with one thread for each worker, on drawn films that were drawn before. A
rate is that of the films after the first rows came: the start (with Ray, processes that import torch and open the
network) is paid once, however many films follow, and is told beside it. Efficiency is rate(2) / (2 x rate(1)); the
overhead of Ray is what it takes longer than threads with as many workers. What a million films would take is an
extrapolation from the rate of one worker and the efficiency of two, and says so. Then the peak of memory of whole
commands against the number of films (`benchmarks.scale_memory`; ``--memory`` alone: nothing else).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.scale_memory import COMMANDS, PIXELS, linked, table

MARK = "measured: "
BATCH = 16
MILLION, MANY = 1_000_000, (4, 16, 64)


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="hilum", help="a name from weights/")
    options.add_argument("--films", type=int, default=256, help="that each rate is measured on")
    options.add_argument("--engines", nargs="+", choices=("threads", "ray"), default=("threads", "ray"))
    options.add_argument(
        "--memory", type=int, nargs="+", metavar="FILMS", help="only peaks of memory, of so many films"
    )
    options.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS), help="whose peaks")
    options.add_argument("--one", help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        print(MARK + json.dumps(measured(json.loads(args.one))))
        return
    from core.device import describe, pick

    print(f"{describe(pick())}; {os.cpu_count()} processors; load {os.getloadavg()[0]:.1f}\n")
    if not args.memory:
        rates(args.model, args.films, args.engines)
        print()
    table(args.model, args.memory or [1000, 4000, 10_000], args.commands)


def rates(model: str, films: int, engines: Sequence[str]) -> None:
    """Print films a second by work, engine and workers, and what a million films would take."""
    reached: dict[tuple[str, str, int], float] = {}
    print(f"{'work':10}{'engine':10}{'workers':>8}{'films/s':>10}{'start':>8}{'efficiency':>12}{'beside threads':>16}")
    for work in ("predict", "explain"):
        for engine in engines:
            for workers in (1, 2):
                found = run({"work": work, "engine": engine, "workers": workers, "films": films, "model": model})
                rate = reached[work, engine, workers] = found["rate"]
                gain = f"{rate / (2 * reached[work, engine, 1]):.2f}" if workers == 2 else ""
                plain = reached.get((work, "threads", workers), 0.0)
                beside = f"{plain / rate - 1:+.0%} time" if engine == "ray" and plain else ""
                start = f"{found['start']:.0f} s"
                print(f"{work:10}{engine:10}{workers:8}{rate:10.1f}{start:>8}{gain:>12}{beside:>16}", flush=True)
    print("\nExtrapolated, not measured: 1,000,000 films, hours")
    for work in ("predict", "explain"):
        one, two = (reached[work, engines[-1], workers] for workers in (1, 2))
        share = min(1.0, two / (2 * one))
        told = ", ".join(f"{n} workers {MILLION / (one * share * n) / 3600:,.1f}" for n in MANY)
        print(f"{work}: {told}")


def run(asked: dict[str, Any]) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--one", json.dumps(asked)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if said.returncode:
        raise SystemExit(said.stderr)
    found: dict[str, float] = json.loads(
        next(line for line in said.stdout.splitlines() if line.startswith(MARK))[len(MARK) :]
    )
    return found


def measured(asked: dict[str, Any]) -> dict[str, float]:
    """Films a second, and seconds before the first rows."""
    import torch

    from core.examine.cohort import Explain
    from core.model.classifier import open_classifier
    from core.run import stream
    from core.run.parts import Parts
    from core.run.score import Score, unlabelled

    torch.set_num_threads(1)
    classifier = open_classifier(asked["model"])
    work: stream.Work = Score(classifier) if asked["work"] == "predict" else Explain(classifier, of="all")
    with tempfile.TemporaryDirectory() as folder:
        label = classifier.classes[0]
        films = unlabelled(linked(Path(folder) / "films", asked["films"], PIXELS))
        cohort = replace(films, samples=films.samples.assign(label=label), classes=(label,))
        work(cohort.take(range(BATCH)), [work.units] * BATCH)
        engine = engine_of(asked)
        parts = Parts(Path(folder) / "parts", work.key, work.columns)
        done: list[tuple[int, float]] = []
        started = time.perf_counter()
        stream.into(parts, cohort, work, BATCH, engine, lambda films, _: done.append((films, time.perf_counter())))
        ended = time.perf_counter()
        assert len(parts.read(["error"])) == len(cohort) * len(work.units)
    first, at = done[0]
    rate = (len(cohort) - first) / (ended - at)
    return {"rate": rate, "start": max(0.0, at - started - first / rate)}


def engine_of(asked: dict[str, Any]) -> Any:
    """Threads, or Ray with a processor left for reading, which it needs, whatever the machine has."""
    from core.run.stream import Threads

    if asked["engine"] == "threads":
        return Threads(asked["workers"])
    from core.run.cluster import Ray, started

    started(processors=asked["workers"] + 1)
    return Ray(asked["workers"])


if __name__ == "__main__":
    main()
