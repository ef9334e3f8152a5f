"""What only holds itself is let go of at the end of a run: once in a while for all, at once when a film goes."""

import gc
import tomllib
import weakref
from collections.abc import Iterator

import pytest

from pages.shared import resources
from tests.conftest import REPOSITORY


class Loop:
    """Something that only a search for garbage finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def by_itself() -> Iterator[None]:
    """Python does not search on its own."""
    gc.disable()
    resources.collect_garbage.clear()
    yield
    gc.enable()


def left() -> weakref.ref:
    return weakref.ref(Loop())


@pytest.mark.usefixtures("by_itself")
def test_all_visitors_runs_of_a_while_share_one_search() -> None:
    first = left()
    resources.collect_garbage()
    assert first() is None
    second = left()
    resources.collect_garbage()
    assert second() is not None, "half a second of everybody's time at every run"


@pytest.mark.usefixtures("by_itself")
def test_the_end_of_a_run_that_removed_films_searches_at_once() -> None:
    resources.collect_garbage()
    removed = left()
    resources.forget_uploads()
    resources.collect_garbage()
    assert removed() is None


def test_streamlit_does_not_search_after_every_run() -> None:
    settings = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["postScriptGC"] is False
