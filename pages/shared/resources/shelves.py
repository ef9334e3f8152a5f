"""Where results are kept between runs: every `st.cache_*` of the dashboard is here, and what it may take.

One shelf (`core.shelf`: one lock, bounded) serves all visitors; the results of an uploaded film lie on a shelf of its
own in its visitor's session.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from core.data.cohort import JOIN
from core.data.film.radiograph import Radiograph
from core.shelf import Shelf

T = TypeVar("T")

SHARED = 1024 * 1024 * 1024  # bytes of the shelf of all visitors
UPLOADED = 128 * 1024 * 1024  # bytes of the shelf of one uploaded film
_UPLOADS = "_upload_shelves"  # in the session: hash of an uploaded film -> its shelf
_A_MINUTE = 60  # seconds: how long a list of folders is believed


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """What all visitors share."""
    return Shelf(SHARED)


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
    shelves: dict[str, Shelf] = st.session_state.setdefault(_UPLOADS, {})
    return shelves.setdefault(film.sha256, Shelf(UPLOADED))


def forget_uploads(film: Radiograph | None = None) -> None:
    """Drop what was worked out from an uploaded film, or from all of this session's."""
    shelves = st.session_state.get(_UPLOADS, {})
    if film is None:
        shelves.clear()
    else:
        shelves.pop(film.sha256, None)


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
