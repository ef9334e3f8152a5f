"""What only holds itself is let go of at the end of a run: once in a while for all, at once when a film goes."""

import gc
import tomllib
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from core.data.film.radiograph import Radiograph
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
    resources.forget_uploads()  # so that the next search is one of everything
    yield
    gc.unfreeze()
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


@pytest.mark.usefixtures("by_itself")
def test_what_was_there_before_a_film_went_is_searched_too() -> None:
    """A search leaves what it has seen alone for a minute; a film's remains may have been seen."""
    holder = Loop()
    seen = weakref.ref(holder)
    resources.collect_garbage()
    assert gc.get_freeze_count() > 0
    del holder
    resources.collect_garbage.clear()
    resources.collect_garbage()
    assert seen() is not None, "half a million objects looked at every ten seconds"
    resources.forget_uploads()
    resources.collect_garbage()
    assert seen() is None


@pytest.mark.usefixtures("by_itself")
def test_while_somebody_has_uploads_every_search_is_one_of_everything() -> None:
    film = Radiograph(np.zeros((8, 8), np.uint8), "a.png", "0" * 64, (8, 8))
    resources.collect_garbage()
    resources.hold_upload("a.png", film)
    assert gc.get_freeze_count() == 0
    holder = Loop()
    seen = weakref.ref(holder)
    resources.collect_garbage.clear()
    resources.shelves._look_at_all.clear()
    resources.collect_garbage()
    del holder
    resources.collect_garbage.clear()
    resources.collect_garbage()
    assert seen() is None
    resources.let_go("a.png", film)


def test_streamlit_does_not_search_after_every_run() -> None:
    settings = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert settings["runner"]["postScriptGC"] is False
