"""Filters on every column of a cohort, saved slices, and what a lasso picked: all end in one set of rows.

What is asked for stands in the link as one text under ``FILTERS``; the controls are set to it whenever it is not what
they showed last.
"""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import identity
from core.data import findings
from core.data.cohort import Cohort
from core.data.facets import HIDDEN, WORDS, Facet, Facets
from pages.shared import exports, resources, state
from pages.shared.selection_link import LONGEST, Wanted, films_asked, filters_asked, filters_told
from pages.shared.text import plain

FEW = 40  # a column with at most this many values is chosen from a list, one with more is searched
FILTERS, LASSO, SLICES = "filters", "lasso", "slices"
NAME = "file name"  # the filter that is no column's
_TURN = "_filters_turn"
_OF = "_filters_of"  # the cohort that the slices belong to
_WAY_IN = "Allow file names in downloads to have them in it."
_SHOWN = "_filters_shown"  # of which cohort the controls were drawn last, and what they asked for


def selection(cohort: Cohort) -> np.ndarray:
    """The filter controls; gives the rows that pass, ascending."""
    session, spec = st.session_state, st.session_state["cohort"]
    known = resources.facets(spec, cohort)
    if session.get(_OF) != spec:
        session.update({SLICES: {}, _OF: spec})
    for name in (FILTERS, LASSO):
        state.belongs_to(name, spec)  # rows and values of another cohort mean nothing here
    if session.get(_SHOWN) != (spec, session[FILTERS]):
        _set_controls(known, session[FILTERS])
    with st.popover("Filters", icon=":material/filter_alt:"):
        chosen = {column: _control(facet, column) for column, facet in known.columns.items()}
        chosen[NAME] = _said(_key(NAME), "File name contains")
        asked = {column: wanted for column, wanted in chosen.items() if _asks(known, column, wanted)}
        told = {column: wanted for column, wanted in asked.items() if _may_be_told(cohort, column, wanted)}
        if len(told) < len(asked):
            st.caption("What was typed, and patients, may name somebody: the link leaves them out. " + _WAY_IN)
        session[FILTERS] = filters_told(told)
        session[_SHOWN] = spec, session[FILTERS]
        _slices(filters_told(asked))
    name = str(asked.pop(NAME, ""))
    keep = known.passing(asked, name)
    if session[LASSO]:
        picked = np.zeros(len(keep), dtype=bool)
        picked[[row for row in films_asked(session[LASSO]) if row < len(keep)]] = True
        keep &= picked
    return np.flatnonzero(keep)


def in_words(cohort: Cohort) -> pd.DataFrame:
    """The table with findings as "present", "absent" and "" for unknown."""
    told = {name: cohort.samples[name].map(WORDS).fillna("") for name in map(findings.column, cohort.findings)}
    return cohort.samples.assign(**told)


def columns(table: pd.DataFrame) -> list[str]:
    """The columns that can be filtered: those that say something and differ between films."""
    return [str(column) for column in table if column not in HIDDEN and table[column].nunique(dropna=False) > 1]


def as_csv(cohort: Cohort, rows: np.ndarray) -> str:
    """Some rows as CSV, with films by their hash, or by name where that is asked for, and never a path."""
    table, drawn = cohort.samples.iloc[rows], cohort.drawn
    if not drawn and not exports.names_wanted():
        table = table.assign(sha256=[_content(str(path)) for path in table["path"]])
    return exports.films_as_csv(table, names=drawn)


def _content(path: str) -> str:
    try:
        return identity.of_file(path)
    except OSError:
        return ""


def too_many() -> bool:
    """Whether what is asked for is longer than a link may be."""
    return any(len(st.session_state[name]) > LONGEST for name in (FILTERS, LASSO))


def clear() -> None:
    """Drop every filter and the lasso."""
    st.session_state.update({FILTERS: "", LASSO: "", _SHOWN: None})


def _set_controls(known: Facets, text: str) -> None:
    """Make the controls anew, set to what is asked for; what does not fit the cohort is left out, and said.

    While the list of filters is closed, the browser would keep what was cleared, and send it with the next click: so
    each time the controls have other keys.
    """
    session = st.session_state
    for key in [key for key in session if str(key).startswith("filter ")]:
        del session[key]
    session[_TURN] = session.get(_TURN, 0) + 1
    asked = filters_asked(text)
    fitting = {column: found for column, wanted in asked.items() if (found := _fitting(known, column, wanted))}
    session.update({_key(column): wanted for column, wanted in fitting.items()})
    if absent := [column for column in asked if column not in fitting]:
        state.notice(f"The link filters by {plain(', '.join(absent))}, which is not here or has no such values.")


def _fitting(known: Facets, column: str, wanted: Any) -> Wanted | None:
    """What a filter asks for as its control takes it; None where the cohort has no such column or values."""
    facet = known.columns.get(column)
    if facet is None and column != NAME:
        return None
    if facet is None or _searched(facet):
        return wanted if isinstance(wanted, str) else None
    values = wanted if isinstance(wanted, list) else [wanted]
    if not facet.numeric:
        return [value for value in values if value in facet.words] or None
    if len(values) != 2 or isinstance(values[0], str):
        return None
    least, most = facet.reach
    low, high = max(least, float(values[0])), min(most, float(values[1]))
    return (low, high) if low <= high else None


def _searched(facet: Facet) -> bool:
    """Whether a column has too many words for a list: it is searched."""
    return not facet.numeric and len(facet.words) > FEW


def _asks(known: Facets, column: str, wanted: Wanted | None) -> bool:
    """Whether a control was moved from where every film passes."""
    if isinstance(wanted, tuple):
        least, most = known.columns[column].reach
        return wanted[0] > least or wanted[1] < most
    return bool(wanted)


def _may_be_told(cohort: Cohort, column: str, wanted: Wanted) -> bool:
    """Whether a link may say what a filter asks for: never what may name somebody, unless the visitor allows names."""
    personal = isinstance(wanted, str) or column == "patient"
    return not personal or cohort.drawn or exports.names_wanted()


def _control(facet: Facet, column: str) -> Any:
    key, title = _key(column), plain(column[:1].upper() + column[1:])
    if facet.numeric:
        low, high = facet.reach
        if low == high:  # known of some films only
            return None
        _start(key, (low, high))
        return st.slider(title, low, high, format="%g", key=key, persist_state="session")
    if _searched(facet):
        return _said(key, f"{title} contains")
    counts = dict(zip(facet.words, facet.counts, strict=True))
    _start(key, [])
    return st.multiselect(
        title,
        list(facet.words),
        key=key,
        format_func=lambda v: f"{v or 'unknown'} ({counts[v]:,})",
        persist_state="session",
    )


def _said(key: str, title: str) -> str:
    _start(key, "")
    return st.text_input(title, key=key, persist_state="session")


def _start(key: str, value: Any) -> None:
    st.session_state.setdefault(key, value)


def _key(column: str) -> str:
    """The key of a filter's control, see `_set_controls`."""
    return f"filter {column}{st.session_state[_TURN]}"


def _slices(asked: str) -> None:
    """Keep the present filters under a name, and bring back kept ones."""
    slices = st.session_state.setdefault(SLICES, {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Save these filters as", key="slice name")
        st.button("Save", disabled=not name, on_click=lambda: slices.update({name: asked}))
    if slices:
        st.pills("Saved slices", list(slices), key="slice", on_change=_restore, format_func=plain)


def _restore() -> None:
    asked = st.session_state[SLICES].get(st.session_state["slice"], "")
    clear()
    st.session_state.update({"slice": None, FILTERS: asked})  # None: the same slice can be taken again
