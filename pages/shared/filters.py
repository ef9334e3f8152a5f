"""Filters on every column of a cohort, saved slices, and what a lasso picked: all end in one set of rows."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import identity
from core.data import findings
from core.data.cohort import Cohort, file_name
from pages.shared import exports
from pages.shared.text import plain

HIDDEN = ("path", "lungs", "truth", "outlines", "boxes", "film_id")  # files, not facts; a file is searched by its name
FEW = 40  # a column with at most this many values is chosen from a list, one with more is searched
WORDS = {1.0: "present", 0.0: "absent"}
LASSO, SLICES = "lasso", "slices"
_TURN = "_filters_turn"
_OF = "_filters_of"  # the cohort that filters, lasso and slices belong to


def selection(cohort: Cohort) -> np.ndarray:
    """The filter controls; gives the rows that pass, ascending."""
    table = in_words(cohort)
    if st.session_state.get(_OF) != st.session_state["cohort"]:
        clear()  # rows and values of another cohort mean nothing here
        st.session_state[SLICES] = {}
        st.session_state[_OF] = st.session_state["cohort"]
    with st.popover("Filters", icon=":material/filter_alt:"):
        chosen = {column: _control(table[column], column) for column in columns(table)}
        name = _said(_key("name"), "File name contains")
        _slices({**chosen, "name": name})
    keep = pd.Series(True, index=table.index)
    for column, wanted in chosen.items():
        keep &= _passes(table[column], wanted)
    if name:
        keep &= table["path"].map(lambda path: name.lower() in file_name(path).lower())
    if st.session_state.get(LASSO) is not None:
        keep &= table.index.isin(st.session_state[LASSO])
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


def clear() -> None:
    """Drop every filter and the lasso."""
    for key in list(st.session_state):
        if str(key).startswith("filter "):
            del st.session_state[key]
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    st.session_state[LASSO] = None


def _control(values: pd.Series, column: str) -> Any:
    key, title = _key(column), plain(column[:1].upper() + column[1:])
    if pd.api.types.is_numeric_dtype(values):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if low == high:  # known of some films only
            return None
        _start(key, (low, high))
        return st.slider(title, low, high, format="%g", key=key, persist_state="session")
    counts = values.value_counts()
    if len(counts) > FEW:
        return _said(key, f"{title} contains")
    _start(key, [])
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
    """The key of a filter's control: another one each time all are cleared.

    While the list of filters is closed, the browser would keep what was cleared, and send it with the next click.
    """
    return f"filter {column}{st.session_state.get(_TURN, 1)}"


def _passes(values: pd.Series, wanted: Any) -> Any:
    if isinstance(wanted, tuple):
        whole = wanted[0] <= np.nanmin(values) and wanted[1] >= np.nanmax(values)
        return True if whole else values.between(*wanted)
    if isinstance(wanted, str):
        return values.str.contains(wanted, case=False, regex=False) if wanted else True
    return values.isin(wanted) if wanted else True


def _slices(chosen: dict[str, Any]) -> None:
    """Keep the present filters under a name, and bring back kept ones."""
    slices = st.session_state.setdefault(SLICES, {})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Save these filters as", key="slice name")
        st.button("Save", disabled=not name, on_click=lambda: slices.update({name: chosen}))
    if slices:
        st.pills("Saved slices", list(slices), key="slice", on_change=_restore, format_func=plain)


def _restore() -> None:
    chosen = st.session_state[SLICES].get(st.session_state["slice"], {})
    st.session_state["slice"] = None  # so that the same slice can be taken again
    clear()
    for column, wanted in chosen.items():
        st.session_state[_key(column)] = wanted
