"""A real server and a real Chromium; a page that logs an error or shows an exception fails its test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.server import REPOSITORY, served
from tests.browser.steps import PATIENCE, SCREEN, arrive
from tests.browser.talk import listen
from tests.pages.evaluated_films import checkpoints
from tests.pages.tiny import tiny_checkpoint

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs Chromium."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@contextmanager
def serve(folder: Path, start_in: Path = REPOSITORY) -> Iterator[str]:
    """The dashboard with three small models and an empty cache, as on a fresh clone."""
    tiny_checkpoint(folder / "weights" / "tiny")
    checkpoints(folder / "weights")
    places = {"HILUM_CACHE": str(folder / "cache"), "HILUM_WEIGHTS": str(folder / "weights")}
    with served(folder / "log", start_in, **places) as address:
        yield address


@pytest.fixture(scope="session")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard that has had a visitor, so that no story depends on being told first."""
    with serve(tmp_path_factory.mktemp("dashboard")) as address:
        page = listen(browser.new_page())
        page.goto(address)
        arrive(page)
        page.close()
        yield address


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard with the shipped models and drawn films only."""
    folder: Path = tmp_path_factory.mktemp("shipped")
    with served(folder / "log", HILUM_DATA=str(folder), HILUM_CACHE=str(folder / "cache")) as address:
        yield address


@pytest.fixture(scope="module")
def window(browser: Browser, shipped: str) -> Iterator[Page]:
    """One visitor's window, as large as a projector shows it, in which page after page is looked at."""
    context = browser.new_context(viewport=SCREEN)
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": shipped}])
    yield listen(context.new_page())
    context.close()


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Open an address of the dashboard in a visitor's own browser window; checks it at the end."""
    pages: list[Page] = []
    errors: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Below a page's address Streamlit first looks for its server there, then at the root: its own probes may fail.
        # A picture that a click has replaced before it was fetched is gone; those that stay are looked at in the end.
        told = message.location.get("url", "") + message.text
        if message.type == "error" and "/_stcore/" not in told and "/media/" not in told:
            errors.append(message.text)

    def open_page(address: str = "", accepted: bool = True, width: int = 1280) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900})
        context.set_default_timeout(PATIENCE)
        if accepted:
            context.add_cookies([{"name": "hilum_accepted", "value": "1", "url": server}])
        page = listen(context.new_page())
        page.on("console", note)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address if address.startswith("http") else f"{server}/{address}")
        pages.append(page)
        arrive(page)
        return page

    yield open_page
    for page in pages:
        boxes = page.locator('[data-testid="stException"]').all_inner_texts()
        missing = page.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
        page.context.close()
        assert not boxes
        assert not missing
    assert not errors
