"""Leaks and confounds of the selected films."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.lungs.masks import met
from pages.shared import gallery, overview, resources, widgets
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.data.audit.findings import Finding

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
    so_far: list[Finding] = []
    found = widgets.followed(
        "Auditing",
        _stop_audit,
        lambda progress: overview.audit(*wanted, progress, so_far.extend),
        so_far,
        _first,
    )
    if told := met(cohort):
        st.caption(f":material/pulmonology: {plain(told, longest=400)}.")
    numbers = {identity: row for row, identity in enumerate(cohort.samples["film_id"])}
    for finding in found.findings:
        shown = [numbers[name] for name in finding.films if name in numbers]
        if shown:
            with st.expander(_sentence(finding)):
                gallery.grid(spec, cohort, shown, f"audit {finding.key}")
        else:
            _line(finding)


def _first(so_far: "Sequence[Finding]") -> None:
    """What is known before all films were compared: copies, not yet known, may still raise a chance level."""
    st.caption("First findings. Copies of one picture are not known yet: once they are, some of these may weigh less.")
    for finding in so_far:
        _line(finding)


def _line(finding: "Finding") -> None:
    st.container(border=True).markdown(f":small[{_sentence(finding)}]")


def _sentence(finding: "Finding") -> str:
    icon, colour = MARKS[finding.passed]
    return f":{colour}[:material/{icon}:] **{finding.title}.** {plain(finding.sentence, longest=1000)}"


def _stop_audit() -> None:
    st.session_state["_audited"] = None
