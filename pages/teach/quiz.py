"""Quiz: the reader commits first, label then regions; then the model's answer, its evidence and the truth appear.

One seed, one order. What was answered stands in the link, so a refresh goes on where it was.
"""

import time
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.errors import EvaluationError
from core.explain.truth import hit
from core.model.output import NOTHING
from core.report import figures, overlay
from pages.shared import evaluations, resources, state, viewer, widgets
from pages.shared.case import Case, current_cohort
from pages.shared.quiz import answers, asking, classroom, review
from pages.shared.quiz.answers import Answer, Said
from pages.shared.text import plain
from pages.shared.viewer import View

if TYPE_CHECKING:
    from core.model.classifier import Classifier

CASES = 10
ALONE, CLASS = "Alone", "Class round"
STEPS = ("label", "region", "model", "revealed")
LINK = "answers"


def order(cohort: Cohort, seed: int, labels: tuple[str, ...], fair: np.ndarray) -> list[int]:
    """The rows of a quiz: the same seed, slice and fair films, bool (N,), give the same films in the same order."""
    rows = np.flatnonzero(cohort.samples["label"].isin(labels or cohort.classes).to_numpy() & fair)
    return [int(row) for row in np.random.default_rng(seed).permutation(rows)[:CASES]]


def settings(cohort: Cohort, model: "Classifier") -> list[int]:
    """Which films, in which order."""
    with st.popover("Cases", icon=":material/tune:"):
        st.number_input(
            "Seed", 1, 9999, key="seed",
            help="Everyone who takes the same seed, cohort and model gets the same films in the same order: films that "
            "the model did not learn from, and whose label it knows.",
        )  # fmt: skip
        state.choose_many("quiz labels", list(cohort.classes), ())
        labels = st.multiselect("Only", cohort.classes, key="quiz labels", persist_state="session")
        fair = evaluations.unseen(model, st.session_state["cohort"])
        return order(cohort, st.session_state["seed"], tuple(labels), fair)


def given_so_far(rows: list[int]) -> list[Answer]:
    """The answers given so far, those of a link too; another order starts anew."""
    session = st.session_state
    key = (session["cohort"], session["model"], tuple(rows))
    state.belongs_to(LINK, key)
    if session.get("_quiz") != key or (session[LINK] or "") != session.get("_in_link", ""):
        session.update(_quiz=key, _answers=[], _step="label", _since=time.monotonic(), _seconds={})
        asking.clear()
        try:
            options = answers.names(case_of(rows[0]))
            said = answers.from_link(session[LINK] or "", options)[: len(rows)]
            session["_answers"] = [answers.judged(case_of(row), one) for row, one in zip(rows, said, strict=False)]
        except ValueError:
            state.notice("The link holds answers that cannot be read; the quiz starts anew.")
        _keep()
    found: list[Answer] = session["_answers"]
    return found


def case_of(row: int) -> Case:
    """A film of the sidebar's cohort before its model."""
    spec, cohort = st.session_state["cohort"], current_cohort()
    model = resources.classifier(st.session_state["model"])
    return Case(spec, cohort, model, resources.film(spec, row), row, str(cohort.samples["label"].iat[row]))


def score(given: list[Answer], case: int, count: int) -> None:
    """Reader against model so far, and which case it is, counted from 1."""
    reader = sum(answer.reader == answer.label for answer in given)
    model = sum(answer.model == answer.expected for answer in given)
    overlaps = [answer.overlap for answer in given if answer.overlap is not None]
    mean = f"{np.mean(overlaps):.2f}" if overlaps else "none yet"
    about = "Mean overlap of your boxes with the known regions: intersection over union."
    with st.container(horizontal=True, gap="large"):
        st.metric("Case", f"{min(case, count)} of {count}", width="content")
        st.metric("You", f"{reader} of {len(given)}", width="content", help="Before the model's answer was seen.")
        st.metric("Model", f"{model} of {len(given)}", width="content")
        st.metric("Your overlap", mean, help=about, width="content")


def ask_label(case: Case) -> None:
    """First the label; where it says that nothing is there, nothing is asked about its place."""
    guess = asking.label(case)
    nothing = guess is not None and asking.nothing_to_mark(guess, case)
    words = "Next: the model's answer" if nothing else "Next: mark the region"
    following = "model" if nothing else "region"
    st.button(words, type="primary", disabled=not guess, on_click=_go, args=(following,))


def ask_region(case: Case) -> None:
    """Then where it shows."""
    st.markdown(f"You say **{asking.in_words(st.session_state['_guess'])}**. Where do you see it?")
    asking.regions()
    with st.container(horizontal=True):
        st.button("These regions", type="primary", on_click=_go, args=("model",), disabled=not asking.boxes())
        st.button("Nothing to mark", on_click=_mark_nothing)


def ask_again(case: Case) -> None:
    """Then the model's answer, before any evidence: the reader stays or changes."""
    said, model = st.session_state["_guess"], answers.judged(case, _said(st.session_state["_guess"])).model
    yours, its = asking.in_words(said), asking.in_words(model)
    st.markdown(f"You say **{yours}**, {st.session_state['_sure']}. The model says **{its}**.")
    also = [NOTHING] if case.cohort.findings else []
    options = list(dict.fromkeys([said, *answers.names(case), *also]))
    final = st.selectbox(
        "Your answer now", options, options.index(said), key=f"final {case.row}", format_func=asking.in_words
    )
    st.button("Show the evidence", type="primary", on_click=_reveal, args=(case, final))


def reveal(case: Case, answer: Answer) -> None:
    """Then everything."""
    yours, its = (
        "right" if same else "not right" for same in (answer.reader == answer.label, answer.model == answer.expected)
    )
    st.markdown(
        f"It is **{asking.in_words(answer.label)}**. You said {asking.in_words(answer.reader)}: **{yours}**. "
        f"The model says **{asking.in_words(answer.model)}**: **{its}**."
    )
    if answer.said.final != answer.said.reader:
        better = "right" if answer.said.final == answer.label else "not right"
        st.markdown(f"After its answer you said {asking.in_words(answer.said.final)}: **{better}**.")
    prediction = case.prediction
    figure = figures.probability_bars(prediction.by_class, prediction.operating_points)
    st.plotly_chart(
        figure, key="quiz bars", config=widgets.CHART | {"displayModeBar": False}, alt="The model's probabilities"
    )
    truth, map_ = case.truth, _map_of(case)
    if truth is None:
        healthy = asking.nothing_to_mark(answer.label, case)
        st.caption(
            "A normal film: there was nothing to mark."
            if healthy
            else "The cohort does not say where it shows on this film."
        )
    elif not answer.said.boxes:
        st.markdown("You marked nothing, so your overlap is **0**.")
    else:
        what = "box overlaps" if len(answer.said.boxes) == 1 else "boxes overlap"
        st.markdown(f"Your {what} the known region by **{answer.overlap:.2f}** (intersection over union).")
    if map_.blank:
        st.markdown(f"The heatmap shows no evidence for {plain(prediction.label)}.")
    elif truth is not None:
        st.markdown(f"The heatmap's maximum lies **{'inside' if hit(map_.values, truth) else 'outside'}** it.")
    drawn = {"Green: the known region.": truth is not None, "Yellow: what you marked.": bool(answer.said.boxes)}
    told = [f"Heatmap: {widgets.made_by(case.model, map_)}.", *(words for words, there in drawn.items() if there)]
    st.caption(" ".join(told))
    st.button("Next case", type="primary", on_click=_next)


def evidence(case: Case, answer: Answer) -> None:
    """The film with the model's map, the truth and what the reader marked."""
    drawing = viewer.Drawing(overlay.Style(0.6), truth=True)
    view = View(case.prediction.picture, _map_of(case), "", truth=case.truth)
    # A colour bar would make the film jump.
    viewer.show([view], drawing, asking.VIEWER, bar=False, boxes=answer.said.boxes)


def _map_of(case: Case) -> "viewer.Heatmap":
    return resources.heatmaps(case.model, case.film)[case.prediction.label]


def _said(final: str) -> Said:
    session = st.session_state
    spent = session["_seconds"]
    seconds = (spent.get("label", 0.0), spent.get("region", 0.0), spent.get("model", 0.0))
    return Said(session["_guess"], final, session["_sure"], asking.boxes(), seconds)


def _go(step: str) -> None:
    session = st.session_state
    now, left = time.monotonic(), session["_step"]
    session["_seconds"][left] = session["_seconds"].get(left, 0.0) + now - session["_since"]
    if left == "label":
        session.update(_guess=session.get(asking.GUESS), _sure=asking.sure())
    session.update(_step=step, _since=now)


def _mark_nothing() -> None:
    st.session_state[asking.BOXES] = []
    _go("model")


def _reveal(case: Case, final: str) -> None:
    _go("revealed")
    st.session_state["_answers"].append(answers.judged(case, _said(final)))
    _keep()


def _next() -> None:
    asking.clear()
    st.session_state.update(_step="label", _since=time.monotonic(), _seconds={})


def _keep() -> None:
    """Write what was answered to the link."""
    given = st.session_state["_answers"]
    text = answers.in_link(given, answers.names(case_of(given[0].row))) if given else ""
    st.session_state.update({LINK: text, "_in_link": text})


def alone(rows: list[int]) -> None:
    """One case after the other."""
    given = given_so_far(rows)
    step = st.session_state["_step"]
    done = len(given) - (step == "revealed")
    score(given, done + 1, len(rows))
    if done >= len(rows):
        st.success("That was the last case. Another seed gives other films.", icon=":material/flag:")
        review.show([case_of(row) for row in rows], given)
        return
    case = case_of(rows[done])
    left, right = st.columns([3, 2], gap="large")
    with right:
        if step == "revealed":
            reveal(case, given[-1])
        else:
            {"label": ask_label, "region": ask_region, "model": ask_again}[step](case)
    with left:
        if step == "revealed":
            evidence(case, given[-1])
        else:
            asking.film(case, marking=step == "region")


def page() -> None:
    """A round that was joined or is led, else one reader."""
    session = st.session_state
    if session.get(classroom.LED):
        classroom.wall()
        return
    if session.get(classroom.CODE):
        classroom.pupil()
        return
    cohort, model = current_cohort(), resources.classifier(session["model"])
    with st.container(horizontal=True, vertical_alignment="center"):
        state.choose("quiz for", (ALONE, CLASS), lambda: ALONE)
        whom = st.segmented_control(
            "Who answers", (ALONE, CLASS), key="quiz for", required=True, label_visibility="collapsed"
        )
        try:
            rows = settings(cohort, model)
        except EvaluationError as error:  # no label of the cohort means anything to the model
            st.info(plain(error, longest=600), icon=":material/info:")
            return
    if not rows:
        st.info("No film fits these settings.", icon=":material/filter_alt_off:")
    elif whom == CLASS:
        classroom.entrance(rows)
    else:
        alone(rows)


widgets.heading(
    "Quiz", "You answer first: what is it, how sure are you, and where? Then the model, its evidence and the truth."
)
page()
