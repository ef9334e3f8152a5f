"""`python -m benchmarks.cohort`: a cohort's table of 10^4, 10^5 and 10^6 rows opened, filtered, paged and reported.

The table is a Parquet file. Its first paths name files that are there, one drawn picture linked as often as `--linked`
says, for a file system gets slow before Hilum does; the others name files that are not, which opening does not ask
beyond the 500 that it looks at. Each size is measured in a process of its own, in seconds of the wall and, as
others may be at work on the machine, of the processor. *open* is `open_cohort`; *facets* is what Explore prepares at
its first look at a cohort, *filter* two choices and a part of the file's name together; *page* takes 24 films and their
stamps; *fingerprint* is worked out once and kept; *report* is every figure of an evaluation with its interval, *bands*
the curves of all classes with theirs, *slices* the worst of all slices, *compare* two models film by film; *text* and
*html* are the whole documents of all splits, each from the beginning, with slices, doubted labels and figures drawn.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SIZES = (10_000, 100_000, 1_000_000)
TARGETS = {"open": 1.5, "filter": 0.15, "page": 0.2, "report": 5.0}
"""Seconds at 10^6 rows."""
MARK = "measured: "


def main() -> None:
    """Print a row for each size."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, nargs="+", default=SIZES)
    options.add_argument("--linked", type=int, default=2000, help="files on disk")
    options.add_argument("--report-rows", type=int, default=SIZES[-1], help="most rows that are reported on")
    options.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        print(MARK + json.dumps(measured(args.one, args.report_rows)))
        return
    from core.device import describe, pick

    print(f"{describe(pick('cpu'))}; load {os.getloadavg()[0]:.1f}; wall seconds (processor seconds)")
    with tempfile.TemporaryDirectory() as folder:
        files = linked(Path(folder), args.linked)
        for rows in args.rows:
            made = table(Path(folder) / f"films-{rows}.parquet", files, rows)
            command = [sys.executable, "-m", "benchmarks.cohort", "--one", str(made)]
            said = subprocess.run(
                [*command, "--report-rows", str(args.report_rows)], check=False, capture_output=True, text=True
            )
            if said.returncode:
                raise SystemExit(said.stderr)
            found = json.loads(next(line for line in said.stdout.splitlines() if line.startswith(MARK))[len(MARK) :])
            shown = [f"{name} {wall:.3f} ({cpu:.3f})" for name, (wall, cpu) in found["seconds"].items()]
            print(f"{rows:>9,} rows: {', '.join(shown)}; peak {found['peak']:,.0f} MB")
    print("targets at 1,000,000: " + ", ".join(f"{name} {seconds:g}" for name, seconds in TARGETS.items()))


def linked(folder: Path, count: int) -> list[str]:
    """Files that are one drawn picture, linked."""
    from PIL import Image

    first = folder / "films" / "film.png"
    first.parent.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)).save(first)
    for number in range(count):
        os.link(first, first.with_name(f"film-{number:07d}.png"))
    return [str(first.with_name(f"film-{number:07d}.png")) for number in range(count)]


def table(path: Path, files: list[str], rows: int) -> Path:
    """A hospital's table: one row per film, two films per patient."""
    rng = np.random.default_rng(rows)
    names = [f"film-{row:07d}.png" for row in range(rows)]
    paths = [files[row] if row < len(files) else f"{Path(files[0]).parent}/{name}" for row, name in enumerate(names)]
    pd.DataFrame(
        {
            "path": paths,
            "label": rng.choice(["Normal", "Pneumonia", "COVID-19"], rows, p=[0.6, 0.3, 0.1]),
            "patient": [f"P{row // 2:07d}" for row in range(rows)],
            "source": rng.choice([f"hospital {n}" for n in range(12)], rows),
            "view": rng.choice(["PA", "AP"], rows),
            "age": rng.integers(18, 95, rows).astype(float),
            "sex": rng.choice(["M", "F"], rows),
            "split": rng.choice(["train", "validation", "test"], rows, p=[0.8, 0.1, 0.1]),
        }
    ).to_parquet(path, index=False)
    return path


def measured(path: Path, most: int) -> dict[str, Any]:
    """Seconds of each step, wall and processor, and the peak of memory in MB."""
    import core.data.readers.layouts  # noqa: F401 - after imports
    from core.data.facets import facets
    from core.data.readers import open_cohort

    seconds: dict[str, tuple[float, float]] = {}

    def timed(name: str, work: Callable[[], Any], times: int = 1) -> Any:
        took, found = [], None
        for _ in range(times):
            wall, cpu = time.perf_counter(), time.process_time()
            found = work()
            took.append((time.perf_counter() - wall, time.process_time() - cpu))
        seconds[name] = sorted(took)[len(took) // 2]
        return found

    cohort = timed("open", lambda: open_cohort(path))
    known = timed("facets", lambda: facets(cohort))
    chosen = {"source": ["hospital 3", "hospital 7"], "age": (40.0, 60.0)}
    kept = timed("filter", lambda: np.flatnonzero(known.passing(chosen, "film-00")), 5)
    timed("page", lambda: [(cohort.samples.iloc[row].to_dict(), cohort.stamp(row)) for row in kept[:24]], 5)
    timed("fingerprint", lambda: cohort.fingerprint)
    if len(cohort) <= most:
        from core.evaluate import slices
        from core.evaluate.compare import compare
        from core.report.documents.html import as_html
        from core.report.documents.text import as_text

        evaluation, other = evaluated(cohort), evaluated(cohort, 2)
        timed("report", evaluation.figures)
        timed("bands", lambda: evaluation.curves)
        timed("slices", lambda: slices.worst(evaluation))
        timed("compare", lambda: compare(evaluation, other))
        timed("text", lambda: as_text(reported(cohort)))
        timed("html", lambda: as_html(reported(cohort)))
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def evaluated(cohort: Any, seed: int = 1) -> Any:
    """The cohort as a model that is mostly right would have called it."""
    from core.evaluate.evaluation import Evaluation

    labels = cohort.labels()
    logits = np.random.default_rng(seed).normal(size=(len(cohort), len(cohort.classes)))
    logits[np.arange(len(cohort)), labels] += 2.0
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Evaluation(cohort.classes, labels, p, cohort.samples, logits)


def reported(cohort: Any) -> Any:
    """The report of all splits of the cohort."""
    from core.model.card import Card
    from core.report.documents.report import Report
    from core.transform.preprocess import Preprocess

    card = Card("drawn", "Drawn", cohort.classes, "resnet_small", Preprocess(), {}, 0, "2026-01-01")
    return Report(card, evaluated(cohort).by_split(own=True), cohort.name)


if __name__ == "__main__":
    main()
