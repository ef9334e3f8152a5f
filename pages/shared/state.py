"""What a visitor has chosen, in one table, kept across pages and mirrored in the address bar.

A link therefore reproduces what its sender saw, and the browser's Back undoes the last choice. Widgets use a name of
``KEYS`` as their ``key``; Streamlit forgets the value of a widget that is not on the page, so ``begin`` sets every
value again, and ``publish`` writes them to the address. A value from a link that does not fit is replaced, and the
visitor is told.
"""

import re
import time
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from pages.shared.text import plain


@dataclass(frozen=True)
class Key:
    """One choice that all pages share."""

    parse: Callable[[str], Any]  # from the address bar; ValueError if it cannot be read
    default: Any = None  # None: decided by `choose`, which knows the options
    expected: str = "text"


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise ValueError(text)
    return number


def _token(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{32}", text):
        raise ValueError(text)
    return text


KEYS: dict[str, Key] = {
    "cohort": Key(str.strip),  # what core.data.readers.open_cohort takes
    "model": Key(str),  # name of a checkpoint
    "case": Key(_whole, None, "a film's number, from 1"),  # row of the cohort, counted from 1
    "upload": Key(_whole, None, "the number of an uploaded film, from 1"),  # takes the place of `case`
    "pacs": Key(_token, None, "a film of the PACS"),  # which film of the PACS the upload is; see pages/shared/pacs.py
    "class": Key(str),
    "method": Key(str),
    "layer": Key(str),
    "opacity": Key(_share, 0.6, "a number from 0 to 1"),  # of the overlay
    "threshold": Key(_share, 0.0, "a number from 0 to 1"),  # share of the map's scale below which nothing is drawn
    "cutoff": Key(_share, None, "a probability from 0 to 1"),  # of the class of interest on the report
    "seed": Key(_whole, 1, "a whole number from 1"),  # of the quiz: one number, one order of cases
}
ECHO = 2.0  # seconds in which the address that arrives with a click may still be one that `publish` has since replaced
_PUBLISHED, _FROM_LINK, _NOTICES, _WHOLE = "_published", "_from_link", "_notices", "_whole_page"
_REPLACED = "_replaced"


def begin() -> None:
    """Take in the address bar, and keep alive what widgets on other pages hold. Call first in every run."""
    state = st.session_state
    state.pop(_WHOLE, None)
    address = {name: st.query_params[name] for name in KEYS if name in st.query_params}
    if address and not _chosen_here() and not _is_ours(address):
        for name in KEYS:
            state.pop(name, None)
        state.pop(_REPLACED, None)
        state[_FROM_LINK] = {name for name, text in address.items() if _take(name, text)}
        state[_PUBLISHED] = [(time.monotonic(), address)]  # a click may end this run before it publishes anything
    for name, key in KEYS.items():
        state[name] = state.get(name, key.default)


def choose(name: str, options: Container[Any], default: Callable[[], Any]) -> Any:
    """The value of a key, made one of ``options``; a link's value that is not among them is replaced, and said."""
    state = st.session_state
    value = state.get(name)
    asked = state.setdefault(_FROM_LINK, set())
    if value not in options:
        state[name] = default()
        if name in asked:
            state.setdefault(_REPLACED, set()).add(name)
            came, shown = plain(value), plain(state[name])
            notice(f"The link asks for the {name} “{came}”, which is not here; this is “{shown}” instead.")
    asked.discard(name)
    return state[name]


def from_link(name: str) -> bool:
    """Whether a link, not a click, brought the value of a key; says so once."""
    asked = st.session_state.get(_FROM_LINK, set())
    came = name in asked
    asked.discard(name)
    return came


def replaced(*names: str) -> bool:
    """Whether what a link asked for under one of these keys is not here, so that what belongs to it has no owner."""
    found = st.session_state.get(_REPLACED, set()) & set(names)
    st.session_state.pop(_REPLACED, None)
    return bool(found)


def ask_for_whole_page() -> None:
    """For callbacks of widgets inside a part of a page whose effect reaches beyond it, such as another case."""
    st.session_state[_WHOLE] = True


def whole_page_is_wanted() -> bool:
    """Whether such a callback came before this run of a part."""
    return bool(st.session_state.get(_WHOLE))


def notice(sentence: str, icon: str = "link_off") -> None:
    """Say something on the next occasion, once."""
    waiting = st.session_state.setdefault(_NOTICES, {})
    waiting[sentence] = icon


def show_notices() -> None:
    """Show and forget what is waiting to be said."""
    for sentence, icon in st.session_state.pop(_NOTICES, {}).items():
        st.warning(sentence, icon=f":material/{icon}:")


def publish() -> None:
    """Write every choice to the address bar. Call last in every run, also in a fragment's."""
    state = st.session_state
    address = {name: _text(state[name]) for name in KEYS if state.get(name) is not None}
    if address != {name: st.query_params[name] for name in KEYS if name in st.query_params}:
        others = {name: st.query_params.get_all(name) for name in st.query_params if name not in KEYS}
        st.query_params.from_dict({**others, **address})
    now = time.monotonic()
    recent = [(when, past) for when, past in state.get(_PUBLISHED, []) if now - when < ECHO]
    state[_PUBLISHED] = [*recent, (now, address)]


def _chosen_here() -> bool:
    """Whether a click made this run; the address that comes with it may be older than the page it was made on."""
    published = st.session_state.get(_PUBLISHED, [(0.0, {})])[-1][1]
    now = {name: _text(st.session_state[name]) for name in published if st.session_state.get(name) is not None}
    return any(text != published[name] for name, text in now.items())


def _is_ours(address: dict[str, str]) -> bool:
    """Whether the address is what this session last wrote, or so recent that the click simply overtook it."""
    published = st.session_state.get(_PUBLISHED, [])
    now = time.monotonic()
    return any(past == address for when, past in published if past is published[-1][1] or now - when < ECHO)


def _take(name: str, text: str) -> bool:
    key = KEYS[name]
    try:
        st.session_state[name] = key.parse(text)
    except ValueError:
        fallback = "the usual one" if key.default is None else key.default
        notice(f"The link says {name}={plain(text)}, but {key.expected} was expected; this is {fallback} instead.")
        return False
    return True


def _text(value: Any) -> str:
    return np.format_float_positional(value, trim="-") if isinstance(value, float) else str(value)  # exact
