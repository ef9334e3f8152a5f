"""What downloads may say of files: hashes, unless the visitor asks for names."""

import pandas as pd
import streamlit as st

from core.report.spreadsheet import frame_as_csv, without_names

_WANTED = "names in downloads"


def names_wanted() -> bool:
    """Whether this visitor wants file names in downloads."""
    return bool(st.session_state.get(_WANTED))


def ask_for_names() -> None:
    """The question, for beside the downloads; one answer counts on every page."""
    st.checkbox(
        "File names in downloads",
        key=_WANTED,
        persist_state="session",
        help="File names often carry patients' names. Without them films are called by the SHA-256 of their bytes.",
    )


def films_as_csv(films: pd.DataFrame, names: bool = False) -> str:
    """A table of films as CSV, named as the visitor wants; ``names``: they are nobody's (drawn films)."""
    return frame_as_csv(without_names(films, names or names_wanted()))
