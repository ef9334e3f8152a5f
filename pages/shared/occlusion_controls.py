"""Hide a part of the film and ask again: the controls, the mask they mean, and what changed."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import streamlit as st

from core.report import figures
from pages.shared import frame, state, viewer, widgets
from pages.shared.case import Case
from pages.shared.choices import START
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.explain.whatif import WhatIf

HIDE = {
    "nothing": "Nothing",
    "box": "A box",
    "lungs": "The lungs",
    "outside lungs": "All but the lungs",
    "edges": "Corners and borders",
}
NOTICEABLE = 0.1  # change of probability below which hiding "hardly matters"


def part_picker() -> str:
    """What to hide, a key of ``HIDE``."""
    state.choose("hide", HIDE, lambda: "nothing")
    chosen = st.segmented_control(
        "Hide",
        list(HIDE),
        required=True,
        key="hide",
        format_func=HIDE.__getitem__,
        persist_state="session",
        wrap=True,
        help="Hide a part of the film and ask again. If hiding the lungs changes little, the model did not need them.",
    )
    return chosen or "nothing"


def fill_picker(part: str) -> str:
    """With what to hide it, a key of ``FILLS``; for a box, also where."""
    from core.explain.whatif import FILLS

    if part == "nothing":
        return "blur"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        about = " ".join(f"**{name}**: {FILLS[name]}." for name in FILLS)
        state.choose("fill", FILLS, lambda: next(iter(FILLS)))
        fill = st.selectbox("With", list(FILLS), key="fill", width=160, help=about, persist_state="session")
        if part == "box":
            box_sliders(170)
            st.caption("Drag a box on the film, or set it here.", width="content")
    return fill


def box_sliders(width: int | Literal["stretch"] = "stretch") -> None:
    """Where the box lies, for whoever does not drag it on the film."""
    for title, key in (("Across, %", "across"), ("Down, %", "down")):
        st.session_state.setdefault(key, START)
        st.slider(title, 0.0, 100.0, step=1.0, format="%g", key=key, width=width, persist_state="session")


def box() -> tuple[float, float, float, float]:
    """The box in shares of the picture: left, top, right, bottom."""
    left, right, top, bottom = (edge / 100 for key in ("across", "down") for edge in st.session_state.get(key, START))
    return left, top, right, bottom


def take_box(key: str) -> None:
    """Callback of a viewer: the box just drawn on it becomes the box to hide."""
    for _, edges in viewer.drawn(key)[-1:]:
        left, top, right, bottom = (float(round(100 * edge)) for edge in edges)
        st.session_state.update(across=(left, max(right, left + 1)), down=(top, max(bottom, top + 1)))


def mask(kind: str, case: Case) -> np.ndarray | None:
    """What is to be hidden, bool (S, S) on the model's picture; None if that cannot be said."""
    from core.explain.whatif import regions

    side = case.model.preprocess.size
    if kind == "box":
        return box_mask(side)
    named = regions((side, side), case.lungs)
    return named["borders"] | named["corners"] if kind == "edges" else named.get(kind)


def box_mask(side: int) -> np.ndarray:
    """The box as a mask, bool (side, side)."""
    from core.explain.whatif import rectangle

    left, top, right, bottom = (edge * side for edge in box())
    return rectangle((side, side), left, top, right - left, bottom - top)


def in_words(answer: "WhatIf", strong: str = "") -> str:
    """What hiding changed, in a sentence; ``strong`` stands round what matters most."""
    before, after = (side.probabilities[answer.class_name] for side in (answer.before, answer.after))
    words = "lowers it" if answer.change < 0 else "raises it"
    words = "hardly matters" if abs(answer.change) < NOTICEABLE else words
    change = f"from {before:.3f} to {strong}{after:.3f}{strong} ({answer.change:+.3f})"
    name = plain(answer.class_name) if strong else answer.class_name
    return f"Hiding this {strong}{words}{strong}: {name} goes {change}."


def sentence(answer: "WhatIf") -> None:
    """What hiding changed, in words."""
    st.markdown(in_words(answer, "**"))


def bars(answer: "WhatIf") -> None:
    """What hiding changed for every class."""
    figure = figures.before_after(answer.before.probabilities, answer.after.probabilities, "hidden")
    frame.fitted(figure, 190)
    config = widgets.CHART | {"displayModeBar": False}
    st.plotly_chart(figure, config=config, key="hidden bars", alt=in_words(answer))
