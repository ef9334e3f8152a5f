"""Counts by split and by every column that could give the label away."""

import numpy as np
import pandas as pd
import streamlit as st

from core.data import findings
from core.data.cohort import SPLITS, Cohort
from core.report import cohort_figures
from pages.shared import filters, state, widgets


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """How many films of what: by split and by every column that could give the label away."""
    table = filters.in_words(cohort).iloc[rows]
    order = [name for name in cohort.classes if name in set(table["label"])]
    by_split = pd.crosstab(table["label"], table["split"])
    by_split = by_split.reindex(index=order, columns=[split for split in SPLITS if split in by_split])
    st.plotly_chart(
        cohort_figures.counts(by_split, "films"),
        key="split counts",
        config=widgets.CHART,
        alt="Films by label and split",
    )
    others = [
        column
        for column in filters.columns(table)
        if column not in ("label", "split") and 1 < table[column].nunique() <= filters.FEW
    ]
    if others:
        state.choose("counts against", others, lambda: "source" if "source" in others else others[0])
        column = st.selectbox(
            "Against",
            others,
            key="counts against",
            persist_state="session",
            width=240,
            help="If a column nearly decides the label, a model can learn the column instead of the disease.",
        )
        against = pd.crosstab(table["label"], table[column].replace("", "unknown")).reindex(order)
        st.plotly_chart(
            cohort_figures.counts(against, "films"),
            key="films against",
            config=widgets.CHART,
            alt=f"Films by label and {column}",
        )
    widgets.table(by_split.assign(all=by_split.sum(axis=1)).rename(columns={"": "no split"}))
    if cohort.findings:
        counts = findings.counts(cohort.samples.iloc[rows])
        widgets.table(counts.rename_axis("Finding").reset_index(), hide_index=True, key="findings")
