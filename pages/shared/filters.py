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
from core.data.cohort import Cohort, file_name
from pages.shared import exports, state
from pages.shared.selection_link import LONGEST, Wanted, films_asked, filters_asked, filters_told
from pages.shared.text import plain

HIDDEN = ("path", "lungs", "truth", "outlines", "boxes", "film_id")  # files, not facts; a file is searched by its name
FEW = 40  # a column with at most this many values is chosen from a list, one with more is searched
WORDS = {1.0: "present", 0.0: "absent"}
FILTERS, LASSO, SLICES = "filters", "lasso", "slices"
NAME = "file name"  # the filter that is no column's
_TURN = "_filters_turn"
_OF = "_filters_of"  # the cohort that the slices belong to
_WAY_IN = "Allow file names in downloads to have them in it."
_SHOWN = "_filters_shown"  # of which cohort the controls were drawn last, and what they asked for


def selection(cohort: Cohort) -> np.ndarray:
    """The filter controls; gives the rows that pass, ascending."""
    session, table, spec = st.session_state, in_words(cohort), st.session_state["cohort"]
    if session.get(_OF) != spec:
        session.update({SLICES: {}, _OF: spec})
    for name in (FILTERS, LASSO):
        state.belongs_to(name, spec)  # rows and values of another cohort mean nothing here
    if session.get(_SHOWN) != (spec, session[FILTERS]):
        _set_controls(table, session[FILTERS])
    with st.popover("Filters", icon=":material/filter_alt:"):
        chosen = {column: _control(table[column], column) for column in columns(table)}
        chosen[NAME] = _said(_key(NAME), "File name contains")
        asked = {column: wanted for column, wanted in chosen.items() if _asks(table, column, wanted)}
        told = {column: wanted for column, wanted in asked.items() if _may_be_told(cohort, column, wanted)}
        if len(told) < len(asked):
            st.caption("What was typed, and patients, may name somebody: the link leaves them out. " + _WAY_IN)
        session[FILTERS] = filters_told(told)
        session[_SHOWN] = spec, session[FILTERS]
        _slices(filters_told(asked))
    keep = pd.Series(True, index=table.index)
    for column, wanted in asked.items():
        keep &= _passes(_values(table, column), wanted)
    if session[LASSO]:
        keep &= table.index.isin(films_asked(session[LASSO]))
    return np.flatnonzero(keep.to_numpy())


def in_words(cohort: Cohort) -> pd.DataFrame:
    """The table with findings as "present", "absent" and "" for unknown."""
    told = {name: cohort.samples[name].map(WORDS).fillna("") for name in map(findings.column, cohort.findings)}
    return cohort.samples.assign(**told)


def columns(table: pd.DataFrame) -> list[str]:
    """The columns that can be filtered: those that say something and differ between films."""
    return [str(column) for column in table if column not in HIDDEN and table[column].nunique(dropna=False) > 1]


def as_csv(cohort: Cohort, rows: np.ndarray) -> str:
    """Some rows as CSV, with films by their hash, or by name where that is asked for, and never a path."""
    table, drawn = cohort.samples.iloc[rows], cohort.prepare is not None
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


def _set_controls(table: pd.DataFrame, text: str) -> None:
    """Make the controls anew, set to what is asked for; what does not fit the cohort is left out, and said.

    While the list of filters is closed, the browser would keep what was cleared, and send it with the next click: so
    each time the controls have other keys.
    """
    session = st.session_state
    for key in [key for key in session if str(key).startswith("filter ")]:
        del session[key]
    session[_TURN] = session.get(_TURN, 0) + 1
    asked = filters_asked(text)
    fitting = {column: found for column, wanted in asked.items() if (found := _fitting(table, column, wanted))}
    session.update({_key(column): wanted for column, wanted in fitting.items()})
    if absent := [column for column in asked if column not in fitting]:
        state.notice(f"The link filters by {plain(', '.join(absent))}, which is not here or has no such values.")


def _fitting(table: pd.DataFrame, column: str, wanted: Any) -> Wanted | None:
    """What a filter asks for as its control takes it; None where the cohort has no such column or values."""
    if column != NAME and column not in columns(table):
        return None
    kind, values = _kind(column, _values(table, column)), wanted if isinstance(wanted, list) else [wanted]
    if kind == "words":
        return wanted if isinstance(wanted, str) else None
    if kind == "values":
        known = set(table[column])
        return [value for value in values if value in known] or None
    if len(values) != 2 or isinstance(values[0], str):
        return None
    least, most = _reach(table[column])
    low, high = max(least, float(values[0])), min(most, float(values[1]))
    return (low, high) if low <= high else None


def _kind(column: str, values: pd.Series) -> str:
    """How a column is filtered: by a span of "numbers", some of its "values", or "words" to be found in it."""
    if column != NAME and pd.api.types.is_numeric_dtype(values):
        return "numbers"
    return "values" if column != NAME and values.nunique() <= FEW else "words"


def _reach(values: pd.Series) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _values(table: pd.DataFrame, column: str) -> pd.Series:
    return table["path"].map(file_name) if column == NAME else table[column]


def _asks(table: pd.DataFrame, column: str, wanted: Wanted | None) -> bool:
    """Whether a control was moved from where every film passes."""
    if isinstance(wanted, tuple):
        least, most = _reach(table[column])
        return wanted[0] > least or wanted[1] < most
    return bool(wanted)


def _may_be_told(cohort: Cohort, column: str, wanted: Wanted) -> bool:
    """Whether a link may say what a filter asks for: never what may name somebody, unless the visitor allows names."""
    personal = isinstance(wanted, str) or column == "patient"
    return not personal or cohort.prepare is not None or exports.names_wanted()


def _control(values: pd.Series, column: str) -> Any:
    key, title, kind = _key(column), plain(column[:1].upper() + column[1:]), _kind(column, values)
    if kind == "numbers":
        low, high = _reach(values)
        if low == high:  # known of some films only
            return None
        _start(key, (low, high))
        return st.slider(title, low, high, format="%g", key=key, persist_state="session")
    if kind == "words":
        return _said(key, f"{title} contains")
    _start(key, [])
    counts = values.value_counts()
    return st.multiselect(
        title,
        counts.index.tolist(),
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


def _passes(values: pd.Series, wanted: Wanted) -> Any:
    if isinstance(wanted, tuple):
        return values.between(*wanted)
    if isinstance(wanted, str):
        return values.str.contains(wanted, case=False, regex=False)
    return values.isin(wanted)


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
