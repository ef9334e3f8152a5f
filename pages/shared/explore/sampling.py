"""Which of many films are looked at, where all would take too long."""

import numpy as np
import streamlit as st

SAMPLE, MAPPED = 400, 1500  # films measured for distributions, and on the map


def thinned(rows: np.ndarray, most: int) -> list[int]:
    """At most this many rows, evenly chosen."""
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    return [int(row) for row in rows]


def back_to_films() -> None:
    """What a cancelled wait leads to."""
    st.session_state["explore view"] = "films"
