"""The films that the model finds most like the case."""

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from pages.shared import gallery, overview, resources
from pages.shared.case import current
from pages.shared.explore.sampling import MAPPED, thinned
from pages.shared.explore.scored import scored
from pages.shared.text import plain


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """Films the model finds most like the case."""
    case = current()
    found = scored(case, spec, cohort, thinned(rows, MAPPED))
    if found is None:
        return
    nearest = found.nearest(overview.feature_of(case), 18, case.row)
    left, right = st.columns([1, 4])
    name = f"film {case.row + 1}, {case.label}" if case.row is not None else case.film.name
    left.image(
        resources.small(case.film.pixels, 240), width="stretch", caption=f"The case: {plain(name)}", alt="The case"
    )
    st.caption("Cosine similarity of what the model's last layer makes of two films: 1 is the same.")
    with right:
        gallery.grid(
            spec,
            cohort,
            [row for row, _ in nearest],
            "similar",
            [f"cosine similarity {value:.3f}" for _, value in nearest],
        )
