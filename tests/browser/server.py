"""The dashboard as a process of its own and Debian's Chromium: for the stories, the screenshots and the benchmark."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TO_START = 180  # seconds; a busy machine needs them


def chromium(playwright: Playwright) -> Browser:
    """Debian's Chromium, for Playwright's own cannot be downloaded everywhere."""
    return playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for every test that needs one: a second Playwright cannot start while the first one runs."""
    with sync_playwright() as playwright:
        started = chromium(playwright)
        yield started
        started.close()


@contextmanager
def served(log: Path = Path(os.devnull), start_in: Path = REPOSITORY, **environment: str) -> Iterator[str]:
    """The address of a dashboard started this moment on a free port of this machine; what it says goes to ``log``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    command = [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "dashboard.py"), *options]
    with (
        log.open("wb") as said,
        subprocess.Popen(command, cwd=start_in, env=os.environ | environment, stdout=said, stderr=said) as process,
    ):
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()  # asked politely, it waits for browsers that keep their connections open


def _wait_for(port: int, process: subprocess.Popen) -> None:
    """Until something listens: checked often, because the benchmark's clock runs."""
    deadline = time.monotonic() + TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(f"the dashboard does not answer on port {port} (exit code {process.poll()})")
