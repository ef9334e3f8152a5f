"""Learn: what a heatmap is and what it is not, in seven steps of a picture, a control and a question: ten minutes."""

import streamlit as st

from pages.learn import believe, look
from pages.shared import state, widgets

STEP = "learn step"
STEPS = {
    1: ("Build one", look.build),
    2: ("What it cannot say", look.cannot_say),
    3: ("Hide", look.hiding),
    4: ("Destroy the weights", look.destroyed),
    5: ("Calibration", believe.calibration),
    6: ("Sets", believe.sets),
    7: ("Shortcuts", believe.shortcuts),
}

widgets.heading(
    "Learn", "Seven steps, about ten minutes, on drawn films: each a picture, something to move, and a question."
)
state.choose(STEP, STEPS, lambda: 1)
with st.container(horizontal=True, vertical_alignment="center"):
    chosen = st.segmented_control(
        "Step", list(STEPS), required=True, key=STEP, label_visibility="collapsed", wrap=True,
        persist_state="session", format_func=lambda number: f"{number} {STEPS[number][0]}",
    )  # fmt: skip
    step = int(chosen or 1)
    if step < len(STEPS):
        st.button("Next step", type="primary", on_click=st.session_state.update, args=({STEP: step + 1},))
STEPS[step][1]()
