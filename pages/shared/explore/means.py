"""The mean film of each class."""

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.report import overlay
from pages.shared import overview, state, widgets
from pages.shared.explore.sampling import back_to_films, thinned
from pages.shared.text import plain


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """The mean film of each class, and where two of them differ."""
    labels = cohort.samples["label"].to_numpy()
    found = {}
    with widgets.progress("Averaging films", back_to_films) as progress:
        for number, name in enumerate(cohort.classes):
            progress(number / len(cohort.classes))
            of_class = thinned(rows[labels[rows] == name], 100)
            if of_class:
                with widgets.errors_said():
                    found[name] = overview.mean_film(spec, tuple(of_class))
    for place, (name, (mean, count)) in zip(st.columns(max(len(found), 2)), found.items(), strict=False):
        place.image(
            mean.astype(np.uint8),
            width="stretch",
            caption=f"{plain(name)}, mean of {count}",
            alt=f"Mean film of {name}",
        )
    if len(found) < 2:
        return
    names = list(found)
    with st.container(horizontal=True):
        state.choose("difference of", names, lambda: names[0])
        first = st.selectbox("Difference of", names, key="difference of", width=200, persist_state="session")
        others = [name for name in names if name != first]
        state.choose("difference from", others, lambda: others[0])
        second = st.selectbox("and", others, key="difference from", width=200, persist_state="session")
    difference = found[first][0] - found[second][0]
    st.image(
        signed_picture(difference),
        width=360,
        alt=f"Where {first} and {second} differ",
        caption=f"Orange: {plain(first)} is brighter, blue: {plain(second)}; full colour: "
        f"{np.abs(difference).max():.0f} grey levels",
    )


def signed_picture(difference: np.ndarray) -> np.ndarray:
    """Signed greys (H, W) as RGB on mid grey: orange above zero, blue below."""
    values = overlay.enlarge(difference, 360)
    return overlay.overlay(np.full(values.shape, 40, np.uint8), values, overlay.Style(opacity=1.0))
