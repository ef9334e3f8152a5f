"""What a visitor has chosen, in one table, kept across pages and mirrored in the address bar.

A link therefore reproduces what its sender saw, and the browser's Back undoes the last choice. Widgets use a name of
``KEYS`` as their ``key``; Streamlit forgets the value of a widget that is not on the page, so ``begin`` sets every
value again, and ``publish`` writes them to the address. A value from a link that does not fit is replaced, and the
visitor is told.
"""

import time
from collections.abc import Callable, Container, Hashable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.shared.choices import KEYS, in_address, text_of
from pages.shared.selection_link import LONGEST
from pages.shared.text import plain

ECHO = 2.0  # seconds in which the address that arrives with a click may still be one that `publish` has since replaced
_PUBLISHED, _FROM_LINK, _NOTICES, _WHOLE = "_published", "_from_link", "_notices", "_whole_page"
_REPLACED, _PAGE, _OWNERS, _VALUES = "_replaced", "_page_shown", "_owners", "_values"
_USUAL, _GO_TO = "_usual", "_go_to"
_OWNERS_KEPT = 20  # earlier owners of a choice whose values are remembered


def begin() -> None:
    """Take in the address bar, and keep alive what widgets on other pages hold. Call first in every run."""
    state = st.session_state
    state.pop(_WHOLE, None)
    address, held = _address(), _held()
    if address and not _chosen_here(held) and not _is_ours(address):
        held = _taken(address)
        state.pop(_REPLACED, None)
        state[_FROM_LINK] = set(held)
        state[_PUBLISHED] = [(time.monotonic(), address)]  # a click may end this run before it publishes anything
    for name, key in KEYS.items():
        state[name] = held.get(name, key.default)


def on(page: str) -> None:
    """Which page is shown, by its address; choices of others are kept, and not written."""
    st.session_state[_PAGE] = page


def choose(name: str, options: Container[Any], default: Callable[[], Any]) -> Any:
    """The value of a key, made one of ``options``; a link's value that is not among them is replaced, and said."""
    state = st.session_state
    value = state.get(name)
    asked = state.setdefault(_FROM_LINK, set())
    usual = default() if KEYS[name].page is not None or value not in options else None
    state.setdefault(_USUAL, {})[name] = usual
    if value not in options:
        state[name] = usual
        if name in asked:
            state.setdefault(_REPLACED, set()).add(name)
            came, shown = plain(value), plain(state[name])
            notice(f"The link asks for the {name} “{came}”, which is not here; this is “{shown}” instead.")
    asked.discard(name)
    return state[name]


def choose_many(name: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """The values of a key that may hold several, all of them among ``options``; the usual ones until it is set."""
    state, asked = st.session_state, st.session_state.setdefault(_FROM_LINK, set())
    came = state.get(name)
    state.setdefault(_USUAL, {})[name] = list(default)
    fitting = [value for value in (default if came is None else came) if value in options]
    if name in asked and came is not None and len(fitting) < len(came):
        absent = plain(", ".join(value for value in came if value not in options))
        notice(f"The link asks for the {name} “{absent}”, which is not here.")
    asked.discard(name)
    if came != fitting:
        state[name] = fitting
    return fitting


def belongs_to(name: str, owner: Hashable) -> None:
    """A choice is its owner's, such as a model's: another owner has its own, at first the usual one.

    What a link brings belongs to the owner that it brings.
    """
    session = st.session_state
    owners: dict[str, tuple[Hashable, dict[Hashable, Any]]] = session.setdefault(_OWNERS, {})
    last, past = owners.get(name, (owner, {}))
    if last != owner:
        past = {**dict(list(past.items())[-_OWNERS_KEPT:]), last: session.get(name)}
        if name not in session.get(_FROM_LINK, set()):
            session[name] = past.get(owner, KEYS[name].default)
    owners[name] = owner, past


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


def go_to(page: str) -> None:
    """For callbacks, which cannot switch pages themselves: the next run opens this one."""
    st.session_state[_GO_TO] = page


def wanted_page() -> str | None:
    """The page that a callback asked for, once."""
    page: str | None = st.session_state.pop(_GO_TO, None)
    return page


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
    state, held = st.session_state, _held()
    told = {name: text_of(held[name]) for name in KEYS if held.get(name) is not None}
    address = {name: text for name, text in told.items() if _is_told(name, held)}
    if address != _address():
        ours = set(map(in_address, KEYS))
        others = {name: st.query_params.get_all(name) for name in st.query_params if name not in ours}
        st.query_params.from_dict({**others, **{in_address(name): text for name, text in address.items()}})
    state[_VALUES] = told
    came = state.get(_FROM_LINK, set())
    state[_FROM_LINK] = {name for name in came if KEYS[name].page is None or KEYS[name].page != state.get(_PAGE)}
    now = time.monotonic()
    recent = [(when, past) for when, past in state.get(_PUBLISHED, []) if now - when < ECHO]
    state[_PUBLISHED] = [*recent, (now, address)]


def _address() -> dict[str, str]:
    """What the address bar says of each choice."""
    said = st.query_params.to_dict()
    return {name: said[in_address(name)] for name in KEYS if in_address(name) in said}


def _held() -> dict[str, Any]:
    """All that this session holds, read at once: one by one, a hundred choices took a tenth of a run."""
    return st.session_state.to_dict()


def _is_told(name: str, held: Mapping[str, Any]) -> bool:
    """Whether the address says what was chosen, of all that is ``held``."""
    value, key = held[name], KEYS[name]
    if key.page is None:
        return not (isinstance(value, bool) and value == key.default)
    usual = held.get(_USUAL, {}).get(name)
    if key.page != held.get(_PAGE) or value in (key.default, usual):
        return False
    return len(text_of(value)) <= LONGEST


def _chosen_here(held: Mapping[str, Any]) -> bool:
    """Whether a click made this run; the address that comes with it may be older than the page it was made on."""
    published: dict[str, str] = held.get(_VALUES, {})
    now = {name: text_of(held[name]) for name in published if held.get(name) is not None}
    return any(text != published[name] for name, text in now.items())


def _is_ours(address: dict[str, str]) -> bool:
    """Whether the address is what this session last wrote, or so recent that the click simply overtook it."""
    published = st.session_state.get(_PUBLISHED, [])
    now = time.monotonic()
    return any(past == address for when, past in published if past is published[-1][1] or now - when < ECHO)


def _taken(address: Mapping[str, str]) -> dict[str, Any]:
    """The values that an address brings; one that does not fit is left out, and the visitor told."""
    taken = {}
    for name, text in address.items():
        key = KEYS[name]
        try:
            taken[name] = key.parse(text)
        except ValueError:
            fallback = "the usual one" if key.default is None else key.default
            said = f"The link says {in_address(name)}={plain(text)}"
            notice(f"{said}, but {key.expected} was expected; this is {fallback} instead.")
    return taken
