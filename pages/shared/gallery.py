"""Films as thumbnails, a page at a time; one click makes a film the case of every page."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.errors import FilmError
from pages.shared import resources, state
from pages.shared.text import plain

PER_PAGE = 24
HEATMAPS = "pages/case/heatmaps.py"


def grid(
    spec: str,
    cohort: Cohort,
    rows: Sequence[int] | np.ndarray,
    key: str,
    notes: Sequence[str] = (),
    mapped: Callable[[int], np.ndarray] | None = None,
) -> None:
    """A paged grid of the rows of a cohort.

    Args:
        notes: a note under each film.
        mapped: what is shown of a row instead of the film alone, such as its heatmap; a click then opens the case.
    """
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = st.pagination(pages, key=f"{key} page") if pages > 1 else 1
    start = (min(page, pages) - 1) * PER_PAGE
    with st.grid("auto", min_column_width=130, gap="small"):
        for position, row in enumerate(rows[start : start + PER_PAGE], start=start):
            with st.container(gap="xxsmall"):
                cell(spec, cohort, int(row), key, notes[position] if notes else "", mapped)


def cell(
    spec: str,
    cohort: Cohort,
    row: int,
    key: str,
    note: str = "",
    mapped: Callable[[int], np.ndarray] | None = None,
) -> None:
    """One film: its picture, and a button that opens it."""
    label = str(cohort.samples["label"].iat[row])
    picture(spec, row, label, mapped)
    st.button(
        f"{row + 1} · {plain(label)}",
        key=f"{key} {row} {note}",
        on_click=open_film,
        args=(row, HEATMAPS if mapped else None),
        type="tertiary",
        width="stretch",
        help=f"Make film {row + 1} the case of every page{', and open it' if mapped else ''}",
    )
    if note:
        st.caption(plain(note))


def picture(spec: str, row: int, label: str, mapped: Callable[[int], np.ndarray] | None = None) -> None:
    """The thumbnail of one film, or what ``mapped`` makes of it; of a damaged one what is wrong with it."""
    try:
        shown = mapped(row) if mapped else resources.thumbnail(spec, row)
        st.image(shown, width="stretch", alt=f"{label}, film {row + 1}{' with its heatmap' if mapped else ''}")
    except FilmError as error:  # the others are shown all the same
        st.caption(":material/broken_image: This film cannot be read", help=plain(error, longest=400))


def open_film(row: int, page: str | None = None) -> None:
    """Make a film of the cohort the case, and go to a page where one is named."""
    st.session_state.update(case=row + 1, upload=None)
    if page:
        state.go_to(page)
    state.ask_for_whole_page()
