"""How quick the dashboard is under the hand: from a cold start to the first page, and each rerun after a slider.

    python -m benchmarks.dashboard [--runs 20]

Server time only, with Streamlit's own AppTest; the first page is measured in a process of its own, from the start of
Python to the last element. A whole rerun is timed: in a browser only the fragment round a slider runs again.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).resolve().parents[1] / "dashboard.py"
COLD = "from benchmarks.dashboard import open_page; open_page('pages/case/predict.py')"


def open_page(path: str, **link: str) -> Any:
    """A page as a fresh visitor gets it, by its address."""
    from streamlit.testing.v1 import AppTest

    app = AppTest.from_file(DASHBOARD, default_timeout=300)
    app.query_params.update(link)
    app.switch_page(path).run()
    if app.exception:
        raise RuntimeError(app.exception[0].message)
    return app


def cold_start(runs: int) -> list[float]:
    """Seconds from the start of Python to the whole first page; packages are in the page cache after the first run."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", COLD], cwd=DASHBOARD.parent, check=True, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return times[1:]


def slider(path: str, key: str, start: str, runs: int) -> list[float]:
    """Seconds of server time for each of some reruns after a slider moved."""
    app = open_page(path, **{key: start})
    low, high = app.slider(key=key).min, app.slider(key=key).max
    times = []
    for run in range(runs + 2):
        app.slider(key=key).set_value(round(low + (high - low) * (run % 7 + 1) / 10, 2))
        started = time.perf_counter()
        app.run()
        times.append(time.perf_counter() - started)
    return times[2:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    rows = (
        ("cold start to Live prediction", 4.0, lambda: cold_start(max(runs // 5, 2))),
        ("Heatmaps, opacity slider", 0.150, lambda: slider("pages/case/heatmaps.py", "opacity", "0.5", runs)),
        ("Heatmaps, threshold slider", 0.150, lambda: slider("pages/case/heatmaps.py", "threshold", "0", runs)),
        ("Report, cut-off slider", 0.200, lambda: slider("pages/model/report.py", "cutoff", "0.5", runs)),
    )
    print(f"{'seconds':<32}{'median':>8}{'worst':>8}{'target':>8}")
    for name, target, measure in rows:
        times = measure()
        print(f"{name:<32}{statistics.median(times):>8.3f}{max(times):>8.3f}{target:>8.3f}", flush=True)


if __name__ == "__main__":
    main()
