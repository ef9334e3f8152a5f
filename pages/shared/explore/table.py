"""The cohort as its table: what each class means, how often what occurs together, and every row, page by page."""

import numpy as np
import pandas as pd
import streamlit as st

from core.data.cohort import Cohort, file_name
from core.data.combinations import combinations
from core.data.labels import meaning
from pages.shared import filters, state, widgets
from pages.shared.text import plain

PAGE = 50  # rows
HIDDEN = ("path", "lungs", "truth", "outlines", "film_id")  # places on this machine, and what nobody reads


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """All three, of the selected rows."""
    samples = filters.in_words(cohort).iloc[rows]
    present = [name for name in cohort.classes if name in set(samples["label"])]
    sizes = samples["label"].value_counts()
    told = [(name, int(sizes[name]), meaning(name) or "Not in the vocabulary of labels.") for name in present]
    widgets.table(pd.DataFrame(told, columns=["Class", "Films", "What it means"]), hide_index=True, key="meanings")
    counts = combinations(samples, cohort.layout)
    if len(counts.columns) > 2:
        st.markdown(f"**{plain(' x '.join(counts.columns[:-1]))}**")
        widgets.table(counts, hide_index=True, key="combinations")
    st.markdown("**Films**")
    pages = -(-len(samples) // PAGE)
    page = state.choose("table page", range(1, pages + 1), lambda: 1)
    if pages > 1:
        page = st.number_input(f"Page of {pages:,}", 1, pages, key="table page", width=160, persist_state="session")
    start = (int(page) - 1) * PAGE
    widgets.table(shown(samples.iloc[start : start + PAGE]), hide_index=True, key="rows")
    st.caption(f"Rows {start + 1:,} to {min(start + PAGE, len(samples)):,} of {len(samples):,}.")


def shown(samples: pd.DataFrame) -> pd.DataFrame:
    """What a reader sees of the rows: the file's own name, never its folder, and no column that is empty throughout."""
    table = samples.drop(columns=[column for column in HIDDEN if column in samples])
    filled = [column for column in table if table[column].notna().any() and (table[column] != "").any()]
    return table[filled].assign(film=samples["path"].map(file_name))[["film", *filled]]
