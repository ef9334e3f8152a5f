"""Films as thumbnails, a page at a time; one click makes a film the case of every page."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.errors import FilmError
from pages.shared import resources, state
from pages.shared.text import plain

PER_PAGE = 24


def grid(spec: str, cohort: Cohort, rows: Sequence[int] | np.ndarray, key: str, notes: Sequence[str] = ()) -> None:
    """A paged grid of the rows of a cohort, with an optional note under each film."""
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = st.pagination(pages, key=f"{key} page") if pages > 1 else 1
    start = (min(page, pages) - 1) * PER_PAGE
    with st.grid("auto", min_column_width=130, gap="small"):
        for position, row in enumerate(rows[start : start + PER_PAGE], start=start):
            with st.container(gap="xxsmall"):
                cell(spec, cohort, int(row), key, notes[position] if notes else "")


def cell(spec: str, cohort: Cohort, row: int, key: str, note: str = "") -> None:
    """One film: its picture, and a button that opens it."""
    label = str(cohort.samples["label"].iat[row])
    picture(spec, row, label)
    st.button(
        f"{row + 1} · {plain(label)}",
        key=f"{key} {row} {note}",
        on_click=open_film,
        args=(row,),
        type="tertiary",
        width="stretch",
        help=f"Make film {row + 1} the case of every page",
    )
    if note:
        st.caption(plain(note))


def picture(spec: str, row: int, label: str) -> None:
    """The thumbnail of one film; of a damaged one what is wrong with it, so that the others are shown all the same."""
    try:
        st.image(resources.thumbnail(spec, row), width="stretch", alt=f"{label}, film {row + 1}")
    except FilmError as error:
        st.caption(":material/broken_image: This film cannot be read", help=plain(error, longest=400))


def open_film(row: int) -> None:
    """Make a film of the cohort the case."""
    st.session_state.update(case=row + 1, upload=None)
    state.ask_for_whole_page()
