"""Leaks and confounds of the selected films."""

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.lungs.masks import met
from pages.shared import gallery, overview, resources, widgets
from pages.shared.text import plain

MARKS = {True: ("check_circle", "green"), False: ("cancel", "red"), None: ("help", "gray")}


def view(spec: str, cohort: Cohort, rows: np.ndarray) -> None:
    """Leaks and confounds, each with its films side by side."""
    key = resources.fingerprint(spec), rows.tobytes()
    st.caption(f"Duplicates, leaks between splits, and what gives the label away, in the {len(rows):,} selected films.")
    if st.session_state.get("_audited") != key:
        if not widgets.asked("Audit these films", "fact_check"):
            return
        st.session_state["_audited"] = key
    wanted = spec, tuple(int(row) for row in rows)
    found = widgets.followed("Auditing", _stop_audit, lambda progress: overview.audit(*wanted, progress))
    if told := met(cohort):
        st.caption(f":material/pulmonology: {plain(told, longest=400)}.")
    numbers = {identity: row for row, identity in enumerate(cohort.samples["film_id"])}
    for finding in found.findings:
        icon, colour = MARKS[finding.passed]
        sentence = f":{colour}[:material/{icon}:] **{finding.title}.** {plain(finding.sentence, longest=1000)}"
        shown = [numbers[name] for name in finding.films if name in numbers]
        if shown:
            with st.expander(sentence):
                gallery.grid(spec, cohort, shown, f"audit {finding.key}")
        else:
            st.container(border=True).markdown(f":small[{sentence}]")


def _stop_audit() -> None:
    st.session_state["_audited"] = None
