"""A real server and a real Chromium; a page that logs an error or shows an exception fails its test."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.steps import PATIENCE, settle
from tests.pages.judged import checkpoints
from tests.pages.tiny import tiny_checkpoint

REPOSITORY = Path(__file__).resolve().parents[2]
expect.set_options(timeout=PATIENCE)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard on a free port of this machine, with an empty cache, as on a fresh clone."""
    folder = tmp_path_factory.mktemp("dashboard")
    tiny_checkpoint(folder / "weights" / "tiny")
    checkpoints(folder / "weights")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"HILUM_CACHE": str(folder / "cache"), "HILUM_WEIGHTS": str(folder / "weights")}
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", *options]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log) as process,
    ):
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{address}/_stcore/health")
            yield address
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Open an address of the dashboard in a visitor's own browser window; checks it at the end."""
    pages: list[Page] = []
    errors: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        # Below a page's address Streamlit first looks for its server there, then at the root: its own probes may fail.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            errors.append(message.text)

    def open_page(address: str = "", accepted: bool = True, width: int = 1280) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(PATIENCE)
        if accepted:
            context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": server}])
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address if address.startswith("http") else f"{server}/{address}")
        pages.append(page)
        settle(page)
        return page

    yield open_page
    for page in pages:
        boxes = page.locator('[data-testid="stException"]').all_inner_texts()
        page.context.close()
        assert not boxes
    assert not errors


def _wait_for(address: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(address, timeout=2)
            return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"nothing answers at {address}")
