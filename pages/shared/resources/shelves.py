"""Where results are kept between runs: every `st.cache_*` of the dashboard is here, under one bound (`core.memory`).

What follows from a film that anybody may see lies on the shelf of all visitors. An uploaded film, and all that is
worked out from it, lies on shelves of its visitor's session, and goes with the session, with *Remove all*, or with the
film.
"""

import atexit
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.data.cohort import JOIN
from core.data.film.radiograph import Radiograph
from core.memory import Memory, of_process
from core.rounds import Rounds
from core.shelf import Shelf
from core.turns import Turns

T = TypeVar("T")

FILMS = "_uploaded_films"  # in the session: the pinned shelf of uploaded films
RESULTS = "_upload_shelves"  # in the session: hash of an uploaded film -> the shelf of what follows from it
_A_MINUTE = 60  # seconds: how long a list of folders is believed, and what was left of a search for garbage
_A_WHILE = 10  # seconds between two searches for garbage among what is new


@st.cache_resource(show_spinner=False)
def memory() -> Memory:
    """What this server may keep."""
    return Memory(of_process(), Turns(begin=_use_cores), taking=_turn_told)


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """What all visitors share."""
    return memory().shelf("shared by all visitors")


@st.cache_resource(show_spinner=False)
def rounds() -> Rounds:
    """The class rounds that are open on this server."""
    return Rounds()


def kept(key: str, make: Callable[[], T], doing: str = "", size: Callable[[T], int] | None = None) -> T:
    """What lies under a key for all visitors, made if it is not there.

    Args:
        doing: what the page says meanwhile.
        size: bytes that the result will take, where it grows after it was made.
    """
    there = shelf()
    if key in there or not doing:
        return there.keep(key, make, size)
    with st.spinner(doing):
        return there.keep(key, make, size)


def shelf_of(film: Radiograph) -> Shelf:
    """Where the results of a film lie: an uploaded one's in this session, any other's with those of all visitors."""
    if not any(film is one for one in st.session_state.get("uploads", [])):
        return shelf()
    shelves: dict[str, Shelf] = st.session_state.setdefault(RESULTS, {})
    most = memory().most_of_visitor
    mine = shelves.pop(film.sha256, None) or memory().shelf("worked out from uploads", most)
    shelves[film.sha256] = mine  # last: it was asked for last
    while sum(one.bytes for one in shelves.values()) > most and len(shelves) > 1:
        del shelves[next(iter(shelves))]
    return mine


def hold_upload(name: str, film: Radiograph) -> None:
    """Count an uploaded film against the quotas; NoRoomError where it does not fit."""
    _films().put(name, film)
    gc.unfreeze()  # from now on every search is one of everything


def check_upload(size: int) -> None:
    """NoRoomError where an upload of ``size`` bytes, decoded, would not fit into the quotas."""
    memory().check_room(_films(), size)


@st.cache_resource(ttl=_A_WHILE, show_spinner=False)
def collect_garbage() -> None:
    """Let go of what only holds itself, at the end of a run; of all visitors' runs of a while only one searches.

    Streamlit's own search after every run (``runner.postScriptGC``) is switched off: it walks through half a million
    objects, nearly all of them parts of libraries, and nobody else's Python runs meanwhile. Those are looked at once a
    minute here, and left alone by the searches between while nobody has uploaded anything.
    """
    _look_at_all()
    gc.collect()
    if not any(one.pinned and one.results for one in memory().held()):
        gc.freeze()  # never while there are uploads, all of which has to go with its session


atexit.register(gc.unfreeze)  # or some libraries complain at the end that what is theirs was left


@st.cache_resource(ttl=_A_MINUTE, show_spinner=False)
def _look_at_all() -> None:
    """Once a minute, what earlier searches have left alone is searched again."""
    gc.unfreeze()


def _collect_at_once() -> None:
    """Let the end of this run search everywhere, so that nothing of what just went outlives it."""
    collect_garbage.clear()
    _look_at_all.clear()


def _films() -> Shelf:
    """The shelf of this session's uploads."""
    if FILMS not in st.session_state:
        st.session_state[FILMS] = memory().shelf("uploaded films", memory().most_of_visitor, pinned=True)
    held: Shelf = st.session_state[FILMS]
    return held


def let_go(name: str, film: Radiograph) -> None:
    """Forget an uploaded film and what was worked out from it."""
    if FILMS in st.session_state:
        st.session_state[FILMS].drop(name)
    if not any(film.sha256 == one.sha256 for one in st.session_state.get("uploads", [])):
        st.session_state.get(RESULTS, {}).pop(film.sha256, None)
    _collect_at_once()


def forget_uploads() -> None:
    """Forget all uploaded films of this session and what was worked out from them."""
    for name in (FILMS, RESULTS):
        if name in st.session_state:
            st.session_state[name].clear()
    _collect_at_once()


@st.cache_data(ttl=_A_MINUTE, show_spinner=False)
def known_cohorts() -> dict[str, str]:
    """What can be opened without typing a path: spec -> title. Drawn cohorts first, then real ones on this machine."""
    from core.data.readers import cohorts_below, data_root

    drawn = {
        "phantom:fair": "Phantoms, fair",
        "phantom:confounded": "Phantoms, planted shortcut",
        "phantom:new-hospital": "Phantoms, new hospital",
    }
    return drawn | told_apart({str(folder): folder.name.replace("_", " ") for folder in cohorts_below(data_root())})


@st.cache_data(ttl=_A_MINUTE, show_spinner=False)
def same_layout(layout: str) -> list[str]:
    """The known cohorts of a model's layouts; only those are worth opening to look for its own films."""
    from core.data.readers import is_drawn, layout_of

    layouts = {spec: "phantom" if is_drawn(spec) else layout_of(Path(spec)) for spec in known_cohorts()}
    return [spec for spec, own in layouts.items() if own in layout.split(JOIN)]


@st.cache_resource(show_spinner=False)
def component(name: str, html: str, css: str, js: str) -> Any:
    """A component of our own, registered once for each text of its parts."""
    return st.components.v2.component(name, html=html, css=css, js=js)


def told_apart(titles: dict[str, str]) -> dict[str, str]:
    """The titles of things by name; where several have one title each says its name as well."""
    seen = list(titles.values())
    return {name: f"{title} ({Path(name).name})" if seen.count(title) > 1 else title for name, title in titles.items()}


@contextmanager
def long_work(told: Callable[[int], None] | None = None) -> Iterator[Callable[[], None]]:
    """A turn for work over many films; it gives what is to be called between films: whoever waits has a turn first.

    Args:
        told: how many are before this work while it waits; unless given, the page says it.
    """
    notice = _Notice()
    with memory().long_turn(told or notice) as pause:

        def between_films() -> None:
            pause()
            notice.clear()

        notice.clear()
        yield between_films


class _Notice:
    """Where a page says how many are before its visitor."""

    def __init__(self) -> None:
        self._place: Any = None
        self._shown: int | None = None

    def __call__(self, before: int) -> None:
        if get_script_run_ctx() is None:  # work in a thread of its own, which may not draw
            return
        if before == self._shown:  # drawn for nothing it would cost those who work; but a run that was left must end
            st.session_state.get(FILMS)
            return
        if self._place is None:
            self._place = st.empty()
        self._place.caption(f":material/hourglass_top: {busy(before)}")
        self._shown = before

    def clear(self) -> None:
        """Nothing is before the visitor any more."""
        if self._shown is not None:
            self._place.empty()
            self._shown = None


def busy(before: int) -> str:
    """The notice for somebody who waits behind this many others."""
    others = "one request is" if before == 1 else f"{before} requests are"
    return f"This server is busy: {others} before yours"


def _use_cores(count: int) -> None:
    from core.device import use_cores  # torch takes its time to import

    use_cores(count)


@contextmanager
def _turn_told(turns: Turns) -> Iterator[None]:
    """A turn; whoever waits for it is told how many are before them."""
    notice = _Notice()
    with turns.take(notice):
        notice.clear()
        yield
