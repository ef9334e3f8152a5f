"""How quick the dashboard is under the hand: from a cold start to the first page, and each rerun after a slider.

    python -m benchmarks.dashboard [--runs 20] [--browser] [--explore]

Server time, with Streamlit's own AppTest; the first page is measured in a process of its own, from the start of Python
to the last element. A whole rerun is timed: in a browser only the fragment round a slider runs again. With --browser
also what a visitor feels in Chromium: from starting the server to the answer on the first page, and from a key pressed
on a slider to the new picture, both with all that network, drawing and Streamlit's own waiting add. --explore measures
the first use of Explore's slow tabs on 2,000 drawn films: the films lie drawn, and nothing else is known of them. With
--browser, too, when the first of an audit's findings stand there, and when all.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DASHBOARD = Path(__file__).resolve().parents[1] / "dashboard.py"
EXPLORE = {"map": "Show them", "distributions": "", "audit": "Audit these films"}  # slow tabs, and what starts them
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


def slider(path: str, key: str, start: str, runs: int, **link: str) -> list[float]:
    """Seconds of server time for each of some reruns after a slider moved."""
    app = open_page(path, **{key: start}, **link)
    low, high = app.slider(key=key).min, app.slider(key=key).max
    times = []
    for run in range(runs + 2):
        app.slider(key=key).set_value(round(low + (high - low) * (run % 7 + 1) / 10, 2))
        started = time.perf_counter()
        app.run()
        times.append(time.perf_counter() - started)
    return times[2:]


@contextmanager
def judged_on(films: int) -> Iterator[str]:
    """The name of a checkpoint, honest but for its test films: this many, drawn from its own with replacement."""
    import pandas as pd

    from core.model.checkpoint import CARD, EVALUATION

    with TemporaryDirectory() as folder:
        name = f"honest-{films}"
        copy = Path(folder) / name
        shutil.copytree(DASHBOARD.parent / "weights" / "honest", copy)
        card = json.loads((copy / CARD).read_text(encoding="utf-8"))
        (copy / CARD).write_text(json.dumps(card | {"name": name}), encoding="utf-8")
        table = pd.read_parquet(copy / EVALUATION)
        test = table[table["split"] == "test"].sample(films, replace=True, random_state=0)
        pd.concat([table[table["split"] != "test"], test], ignore_index=True).to_parquet(copy / EVALUATION)
        os.environ["HILUM_WEIGHTS"] = folder
        yield name
        del os.environ["HILUM_WEIGHTS"]


@contextmanager
def only_drawn() -> Iterator[str]:
    """A cache folder in which the drawn films lie, and nothing that was found out about them."""
    from core.data.cache import cache_dir
    from core.data.phantom import cohort as phantoms

    films = phantoms.cohort("fair")
    phantoms.draw_all(films)
    drawn = Path(str(films.samples["path"].iat[0])).parents[1]
    with TemporaryDirectory(dir=cache_dir()) as cache:
        (Path(cache) / drawn.name).symlink_to(drawn)
        yield cache


def first_use(view: str) -> tuple[float, float]:
    """Seconds, and seconds of processor time, from the choice of one of Explore's tabs to all that it shows."""
    app = open_page("pages/data/explore.py", cohort="phantom:fair")
    started = time.perf_counter(), time.process_time()
    app.segmented_control(key="explore view").set_value(view).run()
    if EXPLORE[view]:
        next(button for button in app.main.button if button.label == EXPLORE[view]).click().run()
    if app.exception:
        raise RuntimeError(app.exception[0].message)
    return time.perf_counter() - started[0], time.process_time() - started[1]


def first_uses(view: str, runs: int) -> list[tuple[float, float]]:
    """The same, each time in a process and with a cache of its own, to which only the drawn films are lent."""
    times = []
    for _ in range(runs):
        with only_drawn() as cache:
            code = f"from benchmarks.dashboard import first_use; print(*first_use({view!r}))"
            environment = os.environ | {"HILUM_CACHE": cache, "HILUM_DATA": cache}
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=DASHBOARD.parent, check=True, env=environment,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        wall, processor = map(float, done.stdout.splitlines()[-1].split())
        times.append((wall, processor))
    return times


def first_audit(browser: "Browser", runs: int) -> list[tuple[float, float, float]]:
    """Seconds from the click on *Audit these films* to the first findings, to those of films read, and to all."""
    from tests.browser.server import served

    times = []
    for _ in range(runs):
        with only_drawn() as cache, served(HILUM_CACHE=cache, HILUM_DATA=cache) as address:
            page = browser.new_page()
            page.goto(f"{address}/explore?cohort=phantom:fair")
            page.get_by_text("Audit", exact=True).click()
            page.get_by_role("button", name=EXPLORE["audit"]).click()
            started, reached = time.perf_counter(), []
            for finding in ("Class and source.", "Frame statistics.", "Borders only."):
                page.get_by_text(finding).first.wait_for(timeout=600_000)
                reached.append(time.perf_counter() - started)
            times.append((reached[0], reached[1], reached[2]))
            page.close()
    return times


def first_visit(browser: "Browser", runs: int) -> list[float]:
    """Seconds from starting the server to the answer on the first page, each time with a new server."""
    from tests.browser.server import served

    times = []
    for _ in range(runs):
        started = time.perf_counter()
        with served() as address:
            page = browser.new_page()
            page.goto(address)
            page.get_by_text("Calibrated probabilities").wait_for()
            times.append(time.perf_counter() - started)
            page.close()
    return times


def key_on_slider(browser: "Browser", runs: int) -> list[float]:
    """Seconds from a key on the opacity slider of Heatmaps to another picture."""
    from tests.browser.server import served

    times = []
    with served() as address:
        page = browser.new_page()
        page.goto(f"{address}/heatmaps")
        picture = page.locator(".viewer img.film").first
        page.get_by_text("Is this evidence?").wait_for()
        for run in range(runs + 2):
            before = picture.get_attribute("src")
            started = time.perf_counter()
            page.get_by_role("slider", name="Opacity").press("ArrowLeft" if run % 2 else "ArrowRight")
            page.wait_for_function("([image, before]) => image.src !== before", arg=[picture.element_handle(), before])
            times.append(time.perf_counter() - started)
        page.close()
    return times[2:]


@contextmanager
def chromium_of_its_own() -> Iterator["Browser"]:
    """A Chromium, through Playwright."""
    from playwright.sync_api import sync_playwright

    from tests.browser.server import chromium

    with sync_playwright() as playwright:
        yield chromium(playwright)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--browser", action="store_true", help="also measure in Chromium, through Playwright")
    parser.add_argument("--explore", action="store_true", help="only the first use of Explore's tabs, minutes")
    given = parser.parse_args()
    runs, few = given.runs, max(given.runs // 5, 2)
    print(f"{'seconds':<40}{'median':>8}{'worst':>8}{'target':>8}")
    if given.explore:
        for view in EXPLORE:
            wall, processor = zip(*first_uses(view, few), strict=True)
            _row(f"Explore, first use of {view}", 5.0, list(wall))
            _row("   of it processor time", None, list(processor))
        if given.browser:
            with chromium_of_its_own() as browser:
                listed, seen, whole = zip(*first_audit(browser, few), strict=True)
            _row("Chromium: audit to its first findings", 5.0, list(listed))
            _row("Chromium: audit to those of films read", None, list(seen))
            _row("Chromium: audit to the last", None, list(whole))
        return
    _row("cold start to Live prediction", 4.0, cold_start(few))
    _row("Heatmaps, opacity slider", 0.150, slider("pages/case/heatmaps.py", "opacity", "0.5", runs))
    _row("Heatmaps, threshold slider", 0.150, slider("pages/case/heatmaps.py", "threshold", "0", runs))
    with judged_on(4000) as model:
        times = slider("pages/model/report.py", "cutoff", "0.5", runs, model=model)
    _row("Report, operating point slider, 4,000 test films", 0.200, times)
    if given.browser:
        with chromium_of_its_own() as browser:
            _row("Chromium: server start to first answer", 6.0, first_visit(browser, few))
            _row("Chromium: key on opacity to new picture", 0.4, key_on_slider(browser, runs))


def _row(name: str, target: float | None, times: list[float]) -> None:
    wanted = "" if target is None else f"{target:.3f}"
    print(f"{name:<40}{statistics.median(times):>8.3f}{max(times):>8.3f}{wanted:>8}", flush=True)


if __name__ == "__main__":
    main()
