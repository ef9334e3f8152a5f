"""Brightness, contrast and size, by class."""

from contextlib import suppress

import numpy as np
import pandas as pd
import streamlit as st

from core.data.cohort import Cohort
from core.errors import FilmError
from core.report import cohort_figures
from pages.shared import filters, overview, widgets
from pages.shared.explore.sampling import SAMPLE, back_to_films, thinned
from pages.shared.text import plain


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """Brightness, contrast and size, by class: what a model could use without looking at a lung."""
    measured = thinned(rows, SAMPLE)
    with widgets.progress("Measuring films", back_to_films) as progress:
        values, readable = [], []
        for number, row in enumerate(measured):
            progress(number / len(measured))
            with suppress(FilmError):
                values.append(overview.measures(spec, row))
                readable.append(row)
    if len(readable) < len(measured):
        st.caption(f"{len(measured) - len(readable):,} films cannot be read and are left out.")
    if not readable:
        return
    measured = readable
    frame = pd.DataFrame(values).assign(label=cohort.samples["label"].to_numpy()[measured])
    if "age" in filters.columns(cohort.samples):
        frame["age"] = cohort.samples["age"].to_numpy()[measured]
    if len(measured) < len(rows):
        st.caption(f"Of {len(measured)} evenly chosen films of {len(rows):,}.")
    numbers = [column for column in frame if column != "label" and frame[column].nunique() > 1]
    alike = [column for column in frame if column != "label" and frame[column].nunique() == 1]
    if alike:
        st.caption(
            "The same on every film: " + plain(", ".join(f"{name} {frame[name].iat[0]:g}" for name in alike)) + "."
        )
    for start in range(0, len(numbers), 2):
        for place, column in zip(st.columns(2), numbers[start : start + 2], strict=False):
            groups = {
                name: found for name in cohort.classes if (found := frame[column][frame["label"] == name].tolist())
            }
            figure = cohort_figures.distribution(groups, str(column), cohort.classes)
            place.plotly_chart(figure, key=f"distribution {column}", config=widgets.CHART, alt=f"{column} by class")
