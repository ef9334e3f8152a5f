"""The controls that decide how a class is called: one operating point, from which every figure of a page follows."""

from typing import TYPE_CHECKING

import streamlit as st

from core.evaluate.operating import (
    ARGMAX,
    OperatingPoint,
    exact,
    of_card,
    point_for_costs,
    point_for_sensitivity,
)
from core.model import output as outputs
from pages.shared import state
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.evaluate.evaluation import Evaluation
    from core.model.card import Card

LIKELY, ONE, OWN = "Most likely class", "One operating point", "The model's own operating points"
MODE, OWNER = "operating mode", "operating point of"


def class_of_interest(classes: tuple[str, ...]) -> str:
    """The class that operating point, prevalence and the leading figures are about."""
    usual = "COVID-19" if "COVID-19" in classes else classes[-1]
    state.choose("class", classes, lambda: usual)
    return st.selectbox("Class of interest", classes, key="class", width=220)


def picker(card: "Card", target: str, validation: "Evaluation | None") -> OperatingPoint:
    """How classes are called: at first as the model calls a film on every page, by the operating points of its card.

    Other rules: the most likely class, or an operating point set directly, by a target sensitivity or by costs.
    """
    session = st.session_state
    modes = _modes(card)
    if _of_another(card, target):
        was = exact(session["cutoff"])
        state.notice(f"The operating point {was} was set for another class or model, and is no longer used.", "info")
        session["cutoff"] = None
    if session["cutoff"] is not None:  # chosen here, or brought by a link
        session[MODE] = ONE
    elif session.get(MODE) in (None, ONE):
        session[MODE] = modes[0]
    state.choose(MODE, modes, lambda: modes[0])
    mode = st.segmented_control(
        "A film is called by", modes, required=True, key=MODE, persist_state="session", on_change=_mode_chosen,
        help="Every count and rate follows from this choice, and the diamonds on the curves. AUROC, average precision "
        "and calibration need none. The model's own operating points are those by which every other page calls a film"
        + ("; most published accuracies are of the most likely class." if card.exclusive else "."),
    )  # fmt: skip
    if mode != ONE and not card.exclusive:
        own = outputs.of_card(card)
        return OperatingPoint(target, own.operating_points[own.classes.index(target)], alone=True)
    if mode != ONE:
        return of_card(card) if mode == OWN else ARGMAX
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.slider(
            f"Operating point: {plain(target)} is called from", 0.0, 1.0, key="cutoff", step=0.001, format="%.3f",
            width=360, help=f"Probability from which the class is called, exactly {session['cutoff']:.6g} now"
            + ("; below it, the most likely other class is." if card.exclusive else "."),
        )  # fmt: skip
        with st.popover("Choose it by", icon=":material/target:"):
            _by_sensitivity(target, validation)
            _by_costs()
    if abs(session["cutoff"] - round(session["cutoff"], 3)) > 1e-9:
        st.caption(f"The operating point is exactly {session['cutoff']:.6g}; the slider shows three decimals.")
    return OperatingPoint(target, session["cutoff"], alone=not card.exclusive)


def prevalence(target: str) -> dict[str, float]:
    """How common the class is where the reader works; empty until it is set."""
    state.belongs_to("prevalence", target)
    percent = st.number_input(
        f"Prevalence of {target}, %", 0.01, 99.99, None, 0.5, key="prevalence", width=270,
        placeholder="as in these films", persist_state="session",
        help="Where you work. Predictive values depend on how common a disease is; set it, and PPV and NPV are "
        "computed for it.",
    )  # fmt: skip
    return {} if percent is None else {target: percent / 100}


def _modes(card: "Card") -> list[str]:
    """The rules there are, the model's own first; a card without operating points calls the most likely class."""
    if not card.exclusive:
        return [OWN, ONE]
    return [OWN, LIKELY, ONE] if card.thresholds else [LIKELY, ONE]


def _mode_chosen() -> None:
    st.session_state["cutoff"] = 0.5 if st.session_state[MODE] == ONE else None


def _by_sensitivity(target: str, validation: "Evaluation | None") -> None:
    index = validation.classes.index(target) if validation is not None else -1
    if validation is None or not (validation.labels == index).any():
        st.caption(
            f"No validation film of {plain(target)} is kept, so no operating point can be chosen by sensitivity."
        )
        return
    wished = st.number_input("Wished sensitivity, %", 1.0, 100.0, 95.0, 1.0, key="wished sensitivity")
    scores, positive = validation.probabilities[:, index], validation.labels == index

    def apply() -> None:
        st.session_state["cutoff"] = point_for_sensitivity(scores, positive, wished / 100)

    st.button("Set by sensitivity", on_click=apply, help="From validation films, so that the test films stay unseen.")


def _by_costs() -> None:
    ratio = st.number_input("False alarms that one miss is worth", 0.01, 1000.0, 5.0, 1.0, key="cost ratio")

    def apply() -> None:
        st.session_state["cutoff"] = point_for_costs(ratio, 1.0)

    st.button(
        "Set by costs", on_click=apply, help="The operating point of lowest expected cost, if the model is calibrated."
    )


def _of_another(card: "Card", target: str) -> bool:
    """Whether the operating point was set for another class or model, and is none here.

    A link brings all three at once; one whose class or model is not here brings a point that belongs to neither.
    """
    session, own = st.session_state, (card.name, target)
    came, orphan = state.from_link("cutoff"), state.replaced("class", "model")
    if (session.get(OWNER, own) == own or came) and not orphan:
        session[OWNER] = own
        return False
    session[OWNER] = own
    return session["cutoff"] is not None
