"""How a film is asked about: what is it, how sure, and where; the same for one reader and for a class."""

import streamlit as st

from core.model.output import JOIN, NOTHING
from core.report import overlay
from core.rounds import MOST_BOXES, Box
from core.words import joined
from pages.shared import occlusion_controls, state, viewer
from pages.shared.case import Case
from pages.shared.choices import START
from pages.shared.quiz.answers import SURE, names
from pages.shared.text import plain
from pages.shared.viewer import View

VIEWER, GUESS, HOW_SURE, BOXES = "quiz film", "guess", "quiz sure", "_boxes"
_TAKEN = "_box taken"  # when the last box that was taken was drawn


def label(case: Case) -> str | None:
    """What is it, and how sure is the reader; the answer, once there is one."""
    if case.model.output.exclusive or not case.cohort.findings:
        st.radio("What is it?", names(case), index=None, key=GUESS, format_func=plain)
    else:
        about = "What do you see? Several may be right."
        seen = st.pills(about, names(case), selection_mode="multi", key="quiz findings", format_func=plain)
        nothing = st.checkbox("None of these", key="quiz none", disabled=bool(seen))
        st.session_state[GUESS] = JOIN.join(seen) if seen else NOTHING if nothing else None
    st.session_state.setdefault(HOW_SURE, SURE[1])
    st.segmented_control("How sure are you?", SURE, required=True, key=HOW_SURE)
    guess: str | None = st.session_state.get(GUESS)
    return guess


def sure() -> str:
    """How sure the reader is, one of ``SURE``."""
    return str(st.session_state.get(HOW_SURE) or SURE[1])


def nothing_to_mark(answer: str, case: Case) -> bool:
    """Whether an answer has no place on the film: the healthy class, or no finding."""
    return answer == NOTHING or answer == "Normal" or (case.model.output.exclusive and answer == case.model.classes[0])


def regions() -> None:
    """The boxes so far, and a way to set one without a mouse."""
    st.caption("Drag boxes on the film, one for each place; or set one with the sliders and add it.")
    occlusion_controls.box_sliders()
    marked = boxes()
    full = len(marked) >= MOST_BOXES
    st.button("Add this box", on_click=_add, args=(occlusion_controls.box(),), disabled=full)
    with st.container(horizontal=True, gap="xsmall"):
        for number in range(len(marked)):
            st.button(
                f"Remove box {number + 1}", key=f"box {number}", on_click=_remove, args=(number,), type="tertiary"
            )


def boxes() -> tuple[Box, ...]:
    """What is marked on this film."""
    return tuple(st.session_state.get(BOXES, ()))


def film(case: Case, marking: bool) -> None:
    """The film, without anything of the model's; with ``marking`` each drag on it is one more box."""
    view, drawing = View(case.prediction.picture, None, ""), viewer.Drawing(overlay.Style(), "Film")
    viewer.show([view], drawing, VIEWER, boxes=boxes() if marking else (), on_box=_take if marking else None)


def in_words(answer: str) -> str:
    """An answer for people: "Effusion and Edema", "no finding"."""
    return "no finding" if answer == NOTHING else plain(joined(answer.split(JOIN)))


def clear() -> None:
    """For the next film: no answer, no box."""
    st.session_state.update({"quiz findings": [], "quiz none": False, GUESS: None, BOXES: [], HOW_SURE: SURE[1]})
    st.session_state.update(across=START, down=START)


def _take() -> None:
    for when, box in viewer.drawn(VIEWER):
        if when > st.session_state.get(_TAKEN, 0.0):
            st.session_state[_TAKEN] = when
            if len(boxes()) < MOST_BOXES:
                _add(box)


def _add(box: Box) -> None:
    if box not in boxes():
        st.session_state[BOXES] = [*boxes(), box]
    state.ask_for_whole_page()  # the film shows what is marked on it


def _remove(number: int) -> None:
    st.session_state[BOXES] = [box for place, box in enumerate(boxes()) if place != number]
    state.ask_for_whole_page()
