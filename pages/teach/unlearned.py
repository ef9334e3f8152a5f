"""Step 6 of the Shortcut lab: what was learned by mistake is unlearned, and what that is worth."""

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.report import overlay
from pages.shared import resources, shipped, viewer
from pages.shared.text import plain

if TYPE_CHECKING:
    from pages.shared.case import Case

CUE = "corner"  # what is dealt out anew
DONOR = "shortcut donor"
FIGURES = {
    "home": "accuracy at home",
    "elsewhere": "accuracy in the new hospital",
    "lung_share": "evidence in the lungs",
}


def show(case: "Case", donor: "Case") -> None:
    """One exchange on a film, and both sides of the whole mending."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(
            "Take the letter's meaning away. Model A goes on learning from films **that each carry the corners of a "
            "film of any class, others in every epoch**, and evidence outside the finding costs. Whose corners?"
        )
        st.segmented_control(
            "Corners of a film of", case.model.classes, key=DONOR, required=True, format_func=plain,
            label_visibility="collapsed", persist_state="session", wrap=True,
        )  # fmt: skip
        exchange(case, donor)
    with right:
        told = shipped.mended("cheat")
        if told is None:
            st.info("The figures of the mended model are not here, or of other weights: `python -m benchmarks.mend -h`")
        else:
            outcome(told)


def exchange(case: "Case", donor: "Case") -> None:
    """The film, whose corners it gets, the film with them, and what the model as it is says of that."""
    from core.explain.swap import CUES, Sight

    sights = [Sight(one.prediction.picture, one.lungs) for one in (case, donor) if one.lungs is not None]
    if len(sights) < 2:
        st.info("On one of the two films no lungs were found, so that nothing is exchanged: take another film.")
        return
    changed = CUES[CUE].paste(*sights)
    said = resources.probabilities(case.examined, changed)
    called = case.model.output.answer(np.array(list(said.values()), np.float32))
    shown = (
        (case.prediction.picture, "The film"),
        (donor.prediction.picture, "Its donor"),
        (changed, "With its corners"),
    )
    for column, (picture, title) in zip(st.columns(3), shown, strict=True):
        column.image(overlay.enlarge(picture, viewer.SIDE), caption=title, width="stretch", alt=title)
    st.markdown(
        f"Truth: **{plain(case.label)}**. Model A, not yet mended, says **{plain(case.prediction.label)}** of the film "
        f"and **{plain(called)}** once it has the donor's corners ({said[called]:.2f})."
    )


def outcome(told: dict[str, Any]) -> None:
    """Model A before and after, on films that no training saw."""
    before, after = told["before"], told["after"]
    for key, title in FIGURES.items():
        was, now = (shipped.value(side, key) for side in (before, after))
        st.metric(f"Mended: {title}", f"{now:.0%}", f"{100 * (now - was):+.0f} points, from {was:.0%}")
    st.caption(
        f"{before['home']['films']} films from home and {before['elsewhere']['films']:,} of the new hospital, none of "
        f"which it learned from. Hypotheses of the hunter: {before['hypotheses']} before, {after['hypotheses']} after."
    )
    with st.popover("How far does this carry?"):
        st.markdown(
            "The accuracy at home was borrowed from the letter: an honest model has less there, too. And only what "
            "is known can be mended: the letter was, and *Model > Strategies* hunts for what is not. What nobody "
            "finds, nobody mends, and of what lies inside the lungs only what is narrow can be exchanged. **The new "
            "hospital remains the test.**"
        )
