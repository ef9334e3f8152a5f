"""Pictures of every page, light and dark, at desktop and phone width, with drawn films only.

python docs/screenshots.py [page ...]     writes docs/screenshots/<page>-<theme>[-phone].png
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docs" / "screenshots"
SIZES = {"": (1360, 860), "-phone": (390, 844)}
TALLEST = 1500  # pixels of a page that are shown
FILM = "cohort=phantom%3Afair&model=honest&class=COVID-19"
PAGES = {
    "predict": f"?{FILM}",
    "heatmaps": f"heatmaps?{FILM}",
    "explore": f"explore?{FILM}",
    "augment": f"augment?{FILM}",
    "report": f"report?{FILM}",
    "compare": f"compare?{FILM}",
    "quiz": f"quiz?{FILM}&seed=7",
    "shortcut": f"shortcut?{FILM}",
}


def main(names: list[str]) -> None:
    """Take the pictures of the named pages, or of all."""
    FOLDER.mkdir(exist_ok=True)
    with server() as address, sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=options)
        for name in names or PAGES:
            for theme in ("light", "dark"):
                for suffix, size in SIZES.items():
                    picture = FOLDER / f"{name}-{theme}{suffix}.png"
                    shoot(browser, f"{address}/{PAGES[name]}", theme, size, picture)
                    print(picture.relative_to(REPOSITORY), f"{picture.stat().st_size / 1024:.0f} kB")
        browser.close()


def shoot(browser: Browser, address: str, theme: str, size: tuple[int, int], picture: Path) -> None:
    """One page as a visitor sees it once everything has arrived."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)  # type: ignore[arg-type]
    context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": address}])
    page = context.new_page()
    page.goto(address)
    settle(page)
    tall = page.evaluate("document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight")
    page.set_viewport_size({"width": width, "height": int(min(max(tall, height), TALLEST))})
    page.wait_for_timeout(1200)
    page.screenshot(path=picture)
    context.close()
    shrink(picture)


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    page.wait_for_timeout(500)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=300_000)
    page.wait_for_selector('[data-testid="stSkeleton"]', state="detached", timeout=60_000)


def shrink(picture: Path) -> None:
    """A palette of 256 colours is enough for a page, and a third of the size; dithered, so that maps stay smooth."""
    from PIL import Image

    with Image.open(picture) as image:
        page = image.convert("RGB")
    palette = page.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)
    small = page.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(picture, optimize=True)


@contextmanager
def server() -> Iterator[str]:
    """The dashboard on a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", *options]
    # No real films: only what Hilum draws may be in a picture of the repository.
    environment = os.environ | {"HILUM_DATA": str(REPOSITORY / "docs")}
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
