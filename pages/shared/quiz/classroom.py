"""A class round: the teacher's screen is the wall, pupils answer on their own; see `core.rounds`."""

import secrets
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import RoundError
from core.report import overlay
from core.report.outputs import export_name
from core.rounds import MOST_CHANGES, Given, Round
from pages.shared import resources, state, viewer, widgets
from pages.shared.case import Case
from pages.shared.quiz import answers, asking, class_csv
from pages.shared.text import plain

EVERY = 2.0  # seconds: how often a screen looks whether the round has gone on
CODE, LED, PUPIL = "round", "_round_led", "_pupil"
SEEN = "_round_film"  # of a pupil: which film it is, since when it is seen, and the answers looked at
KEPT = "_round_csv"  # of a teacher: what was said, once the round is over


def entrance(rows: list[int]) -> None:
    """Where a teacher opens a round and a pupil joins one."""
    teacher, pupil = st.columns(2, gap="large")
    with teacher, st.container(border=True):
        st.markdown(f"**Lead a round** of {len(rows)} films: this screen is the wall.")
        st.button("Open a round", type="primary", on_click=_open, args=(rows,), icon=":material/cast_for_education:")
    with pupil, st.container(border=True):
        st.markdown("**Join a round**: type the code on the wall. Nobody asks who you are.")
        typed = st.text_input("Code", key="typed code", max_chars=4)
        st.button("Join", on_click=_join, disabled=not typed)


def case_of(found: Round, place: int | None = None) -> Case:
    """A film of the round, that on the wall unless another place is asked for, before the round's model."""
    cohort, row = resources.cohort(found.cohort), found.rows[found.case if place is None else place]
    film = resources.film(found.cohort, row)
    label = str(cohort.samples["label"].iat[row])
    return Case(found.cohort, cohort, resources.classifier(found.model), film, row, label)


def wall() -> None:
    """The teacher's screen."""
    code, _ = st.session_state[LED]
    found = resources.rounds().get(code)
    if found is None:
        st.success("The round is over.", icon=":material/flag:")
        with st.container(horizontal=True):
            if kept := st.session_state.get(KEPT):
                take_away(lambda: kept)
            st.button("Done", on_click=_leave)
        return
    case = case_of(found)
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.metric("Code", code)
        st.caption("Open this page on your phone, choose *Class round*, and type the code.")
        st.metric("Answers", len(found.answers))
        with st.container(horizontal=True):
            if not found.shown:
                st.button("Show the answers", type="primary", on_click=_lead, args=("show",))
            else:
                last = found.case + 1 == len(found.rows)
                st.button("Finish" if last else "Next film", type="primary", on_click=_lead, args=("following",))
            st.button("End the round", on_click=_lead, args=("close",))
            if found.shown:
                take_away(lambda: as_csv(found))
        st.caption(f"Film {found.case + 1} of {len(found.rows)}")
        if found.shown:
            distribution(found, case)
    with left:
        if found.shown:
            evidence(found, case)
        else:
            asking.film(case, marking=False)
    watch(code, stamp(found))


def as_csv(found: Round) -> str:
    """What the class has said so far."""
    return class_csv.as_csv(found, lambda place: case_of(found, place))


def take_away(table: Callable[[], str]) -> None:
    """The button to what the class said."""
    st.download_button(
        "CSV", table, export_name("class round", "csv"), "text/csv", icon=":material/download:", on_click="ignore",
        type="tertiary", help="Every sending of every pupil, with its times and changes of mind; pupils by number.",
    )  # fmt: skip


def distribution(found: Round, case: Case) -> None:
    """How many gave each answer, with the model's and the truth named."""
    said = pd.Series([given.answer for given in found.answers.values()], dtype=object).value_counts()
    order = list(dict.fromkeys([*answers.names(case), *said.index]))
    counts = {asking.in_words(name): int(said.get(name, 0)) for name in order}
    st.bar_chart(pd.DataFrame({"answers": counts}), horizontal=True, height=60 + 32 * len(counts))
    judged = answers.judged(case, answers.Said("", "", answers.SURE[0], (), (0.0, 0.0, 0.0)))
    right = sum(given.answer == judged.label for given in found.answers.values())
    certain = sum(given.sure == answers.SURE[-1] for given in found.answers.values())
    st.markdown(
        f"Truth: **{asking.in_words(judged.label)}**. The model says **{asking.in_words(judged.model)}**. "
        f"{right} of {len(found.answers)} are right; {certain} were certain."
    )


def evidence(found: Round, case: Case) -> None:
    """Where the class looked, where the model looked, and where the finding is."""
    map_ = resources.heatmaps(case.model, case.film)[case.prediction.label]
    film = overlay.enlarge(case.prediction.picture, viewer.SIDE)
    share = class_map(found, case.model.preprocess.size)
    crowd = overlay.overlay(film, overlay.enlarge(share, viewer.SIDE), overlay.Style(0.6, top=1.0))
    view = viewer.View(case.prediction.picture, map_, "", truth=case.truth)
    model = viewer.draw(view, viewer.Drawing(overlay.Style(0.6)), map_.top)
    if case.truth is not None:
        truth = overlay.enlarge(case.truth, viewer.SIDE)
        crowd, model = (overlay.outline(image, truth, overlay.TRUTH) for image in (crowd, model))
    marked = sum(bool(given.boxes) for given in found.answers.values())
    left, right = st.columns(2)
    left.image(crowd, width="stretch", alt=f"Regions marked by {marked} of the class")
    left.caption(f"The class: boxes of {marked}, brightest where all agree.")
    right.image(model, width="stretch", alt=view.in_words)
    right.caption(f"The model: {widgets.made_by(case.model, map_)}, for {plain(map_.class_name)}.")
    if case.truth is not None:
        st.caption("Green: the known region.")


def class_map(found: Round, side: int) -> np.ndarray:
    """The share of those who marked anything whose boxes cover each place, float32 (side, side), 0 to 1."""
    masks = [answers.mask(given.boxes, side) for given in found.answers.values() if given.boxes]
    return np.stack(masks or [np.zeros((side, side))]).mean(axis=0, dtype=np.float32)


def pupil() -> None:
    """A pupil's screen."""
    code, token = st.session_state[CODE], st.session_state.setdefault(PUPIL, secrets.token_hex(8))
    found = resources.rounds().get(code)
    if found is None:
        st.info(f"No round has the code {code}, or it is over.", icon=":material/flag:")
        st.button("Leave", on_click=_leave)
        return
    if st.session_state.get(SEEN, {}).get("film") != (code, found.case):
        st.session_state[SEEN] = {"film": (code, found.case), "since": time.monotonic(), "labels": []}
        asking.clear()
    case = case_of(found)
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.caption(f"Round {code}, film {found.case + 1} of {len(found.rows)}")
        if found.shown:
            given = found.answers.get(token)
            st.markdown(f"It is **{asking.in_words(case.label)}**. Look at the wall.")
            st.markdown(f"You said {asking.in_words(given.answer)}." if given else "You did not answer.")
        else:
            question(code, found.case)
        st.button("Leave", on_click=_leave, type="tertiary")
    with left:
        asking.film(case, marking=not found.shown)
    watch(code, stamp(found, with_answers=False), with_answers=False)


@widgets.part
def question(code: str, number: int) -> None:
    """What a pupil is asked of a film: a click draws this anew, and neither sends the film again nor runs the page."""
    found = resources.rounds().get(code)
    if found is None or found.shown or found.case != number:  # the round has gone on
        st.rerun()
    case = case_of(found)
    guess = asking.label(case)
    note_label(guess)
    if guess and not asking.nothing_to_mark(guess, case):
        asking.regions()
    given = found.answers.get(st.session_state[PUPIL])
    words = "Send again" if given else "Send"
    st.button(words, type="primary", disabled=not guess, on_click=_send, args=(number, case))
    if given:
        st.success("Sent. You can change it until the answers are on the wall.", icon=":material/check:")


def note_label(guess: str | None) -> None:
    """Remember an answer that a pupil looks at, and when; the last ones, if there are many."""
    seen = st.session_state[SEEN]
    if guess and (not seen["labels"] or seen["labels"][-1][0] != guess):
        seen["labels"] = [*seen["labels"], (guess, time.monotonic() - seen["since"])][-MOST_CHANGES:]


def stamp(found: Round | None, with_answers: bool = True) -> tuple[object, ...]:
    """What a screen shows of a round; it is drawn anew once this is another."""
    if found is None:
        return ()
    return found.case, found.shown, len(found.answers) if with_answers else 0


@st.fragment(run_every=EVERY)
def watch(code: str, drawn: tuple[object, ...], with_answers: bool = True) -> None:
    """Look whether the round has gone on; only then is the screen drawn anew, so that a drag is not interrupted."""
    if stamp(resources.rounds().get(code), with_answers) != drawn:
        st.rerun()


def _open(rows: list[int]) -> None:
    session = st.session_state
    session[LED] = resources.rounds().open(session["cohort"], session["model"], rows)


def _join() -> None:
    code = st.session_state["typed code"].strip().upper()
    if resources.rounds().get(code) is None:
        state.notice(f"No round has the code {plain(code)}. Ask for the code on the wall.", "flag")
        return
    st.session_state[CODE] = code


def _leave() -> None:
    for key in (LED, KEPT):
        st.session_state.pop(key, None)
    st.session_state[CODE] = None


def _lead(verb: str) -> None:
    code, secret = st.session_state[LED]
    found = resources.rounds().get(code)
    finishing = found is not None and verb == "following" and found.case + 1 == len(found.rows)
    if found is not None and (finishing or verb == "close"):
        st.session_state[KEPT] = as_csv(found) if found.shown or found.past else None
    try:
        getattr(resources.rounds(), verb)(code, secret)
    except RoundError as error:
        if not finishing:
            state.notice(plain(error), "flag")


def _send(number: int, case: Case) -> None:
    session = st.session_state
    guess = str(session[asking.GUESS])
    boxes = () if asking.nothing_to_mark(guess, case) else asking.boxes()
    seen = session[SEEN]
    given = Given(guess, asking.sure(), boxes, tuple(seen["labels"]), time.monotonic() - seen["since"])
    try:
        resources.rounds().answer(session[CODE], session[PUPIL], number, given)
    except RoundError as error:
        state.notice(plain(error), "flag")
        state.ask_for_whole_page()  # notices stand at its top
