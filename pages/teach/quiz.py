"""Quiz: the reader answers first, label then region; then model, heatmap and truth appear. One seed, one order."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.data.findings import to_model
from core.errors import EvaluationError
from core.explain.truth import hit
from core.model.output import JOIN, NOTHING
from core.report import figures, overlay
from core.words import joined
from pages.shared import evaluations, occlusion_controls, resources, viewer, widgets
from pages.shared.case import Case, current_cohort
from pages.shared.text import plain
from pages.shared.viewer import View

if TYPE_CHECKING:
    from core.model.classifier import Classifier

CASES = 10
VIEWER = "quiz film"


@dataclass(frozen=True)
class Answer:
    """How one case went."""

    reader: str
    model: str
    label: str
    expected: str  # the model's own name for the label
    overlap: float | None  # of the reader's box and the known truth, 0 to 1; None where nothing can be compared


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
        labels = st.multiselect("Only", cohort.classes, key="quiz labels", persist_state="session")
        fair = evaluations.unseen(model, st.session_state["cohort"])
        return order(cohort, st.session_state["seed"], tuple(labels), fair)


def answers(rows: list[int]) -> list[Answer]:
    """The answers given so far; another order starts anew."""
    key = (st.session_state["cohort"], st.session_state["model"], tuple(rows))
    if st.session_state.get("_quiz") != key:
        st.session_state.update(_quiz=key, _answers=[], _step="label")
    return st.session_state["_answers"]


def score(given: list[Answer], case: int, count: int) -> None:
    """Reader against model so far, and which case it is, counted from 1."""
    reader = sum(answer.reader == answer.label for answer in given)
    model = sum(answer.model == answer.expected for answer in given)
    overlaps = [answer.overlap for answer in given if answer.overlap is not None]
    mean = f"{np.mean(overlaps):.2f}" if overlaps else "none yet"
    about = "Mean overlap of your boxes with the known regions: intersection over union."
    with st.container(horizontal=True, gap="large"):
        st.metric("Case", f"{min(case, count)} of {count}", width="content")
        st.metric("You", f"{reader} of {len(given)}", width="content")
        st.metric("Model", f"{model} of {len(given)}", width="content")
        st.metric("Your overlap", mean, help=about, width="content")


def ask_label(case: Case) -> None:
    """First the label."""
    if case.model.output.exclusive or not case.cohort.findings:
        st.radio("What is it?", case.cohort.classes, index=None, key="guess", format_func=plain)
    else:
        about, names = "What do you see? Several may be right.", asked(case)
        seen = st.pills(about, names, selection_mode="multi", key="quiz findings", format_func=plain)
        st.session_state["guess"] = JOIN.join(seen) if seen else None
        nothing = st.checkbox("None of these", key="quiz none", disabled=bool(seen))
        if nothing and not seen:
            st.session_state["guess"] = NOTHING
    st.button(
        "Next: mark the region",
        type="primary",
        disabled=not st.session_state.get("guess"),
        on_click=_go,
        args=("region",),
    )


def asked(case: Case) -> list[str]:
    """The model's findings of which the cohort knows whether they are on this film."""
    told = known(case)
    return [name for name in case.model.classes if name in told]


def known(case: Case) -> dict[str, bool]:
    """Which of the model's findings the cohort says are there, and which are not."""
    mapping = case.model.card.recipe.get("labels", {})
    row = case.cohort.take([case.row or 0])
    said = to_model(row.samples, case.model.classes, mapping, row.classes)[0]
    return {name: bool(value == 1) for name, value in zip(case.model.classes, said, strict=True) if value == value}


def of_findings(case: Case, guess: str) -> Answer:
    """One case of several findings: right is who names just those that are there, of those that are known."""
    told = known(case)
    there = JOIN.join(name for name, yes in told.items() if yes) or NOTHING
    called = JOIN.join(name for name in case.prediction.called if name in told) or NOTHING
    order = [name for name in told if name in guess.split(JOIN)]
    return Answer(JOIN.join(order) or NOTHING, called, there, there, None)


def ask_region(case: Case) -> None:
    """Then where it shows."""
    st.markdown(f"You say **{plain(st.session_state['_guess'])}**. Where do you see it?")
    st.caption("Drag a box on the film, or set it with the sliders.")
    occlusion_controls.box_sliders()
    with st.container(horizontal=True):
        st.button("This region", type="primary", on_click=_reveal, args=(case, True))
        st.button("Nothing to mark", on_click=_reveal, args=(case, False))


def reveal(case: Case, answer: Answer) -> None:
    """Then everything."""
    yours, its = (
        "right" if same else "not right" for same in (answer.reader == answer.label, answer.model == answer.expected)
    )
    st.markdown(
        f"It is **{shown(answer.label)}**. You said {shown(answer.reader)}: **{yours}**. "
        f"The model says **{shown(answer.model)}**: **{its}**."
    )
    prediction = case.prediction
    figure = figures.probability_bars(prediction.by_class, prediction.cut_offs)
    st.plotly_chart(
        figure, key="quiz bars", config=widgets.CHART | {"displayModeBar": False}, alt="The model's probabilities"
    )
    truth = case.truth
    map_ = resources.heatmaps(case.model, case.film)[case.prediction.label]
    if truth is None:
        healthy = answer.label in ("Normal", NOTHING)
        st.caption(
            "A normal film: there was nothing to mark."
            if healthy
            else "The cohort does not say where it shows on this film."
        )
    elif not st.session_state["_marked"]:
        st.markdown("You marked nothing, so your overlap is **0**.")
    else:
        st.markdown(f"Your box overlaps the known region by **{answer.overlap:.2f}** (intersection over union).")
    if map_.blank:
        st.markdown(f"The heatmap shows no evidence for {plain(case.prediction.label)}.")
    elif truth is not None:
        st.markdown(f"The heatmap's maximum lies **{'inside' if hit(map_.values, truth) else 'outside'}** it.")
    drawn = {"Green: the known region.": truth is not None, "Yellow: your box.": st.session_state["_marked"]}
    st.caption(
        " ".join(
            [f"Heatmap: {widgets.made_by(case.model, map_)}.", *(words for words, there in drawn.items() if there)]
        )
    )
    st.button("Next case", type="primary", on_click=_go, args=("label",))


def shown(answer: str) -> str:
    """An answer for people: "Effusion and Edema", "no finding"."""
    return "no finding" if answer == NOTHING else plain(joined(answer.split(JOIN)))


def film(case: Case, step: str) -> None:
    """The film, with what may be shown at this step."""
    if step == "revealed":
        map_ = resources.heatmaps(case.model, case.film)[case.prediction.label]
        drawing = viewer.Drawing(overlay.Style(0.6), truth=True)
        box = occlusion_controls.box() if st.session_state["_marked"] else None
        view = View(case.prediction.picture, map_, "", truth=case.truth)
        viewer.show(
            [view], drawing, VIEWER, bar=False, boxes=[box] if box else ()
        )  # a colour bar would make the film jump
        return
    marking = step == "region"
    on_box = (lambda: occlusion_controls.take_box(VIEWER)) if marking else None
    drawing = viewer.Drawing(overlay.Style(), "Film")
    viewer.show(
        [View(case.prediction.picture, None, "")],
        drawing,
        VIEWER,
        boxes=[occlusion_controls.box()] if marking else (),
        on_box=on_box,
    )


def overlap(marked: np.ndarray, truth: np.ndarray | None) -> float | None:
    """Intersection over union of two masks (S, S); None without a truth."""
    return None if truth is None else float((marked & truth).sum() / (marked | truth).sum())


def _go(step: str) -> None:
    st.session_state.update(_step=step, _guess=st.session_state.get("guess"))
    if step == "label":
        st.session_state.update({"quiz findings": [], "quiz none": False})
        st.session_state.update(guess=None, across=occlusion_controls.START, down=occlusion_controls.START)


def _reveal(case: Case, marked: bool) -> None:
    from core.evaluate.scoring import class_of_label

    side = case.model.preprocess.size
    share = overlap(occlusion_controls.box_mask(side) if marked else np.zeros((side, side), bool), case.truth)
    if case.model.output.exclusive or not case.cohort.findings:
        expected = class_of_label(case.model, [case.label]).get(case.label, case.label)
        answer = Answer(st.session_state["_guess"], case.prediction.label, case.label, expected, share)
    else:
        answer = replace(of_findings(case, st.session_state["_guess"]), overlap=share)
    st.session_state["_answers"].append(answer)
    st.session_state.update(_step="revealed", _marked=marked)


def page() -> None:
    """One case after the other."""
    cohort, spec = current_cohort(), st.session_state["cohort"]
    model = resources.classifier(st.session_state["model"])
    try:
        rows = settings(cohort, model)
    except EvaluationError as error:  # no label of the cohort means anything to the model
        st.info(plain(error, longest=600), icon=":material/info:")
        return
    if not rows:
        st.info("No film fits these settings.", icon=":material/filter_alt_off:")
        return
    given = answers(rows)
    step = st.session_state["_step"]
    done = len(given) - (step == "revealed")
    score(given, done + 1, len(rows))
    if done >= len(rows):
        st.success("That was the last case. Another seed gives other films.", icon=":material/flag:")
        return
    row = rows[done]
    case = Case(spec, cohort, model, resources.film(spec, row), row, str(cohort.samples["label"].iat[row]))
    left, right = st.columns([3, 2], gap="large")
    with right:
        if step == "label":
            ask_label(case)
        elif step == "region":
            ask_region(case)
        else:
            reveal(case, given[-1])
    with left:
        film(case, step)


widgets.heading("Quiz", "You answer first: what is it, and where? Then the model, its heatmap and the truth appear.")
page()
