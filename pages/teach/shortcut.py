"""Shortcut lab: a model that cheats on purpose is admired, doubted, caught, sent to another hospital, and mended.

Each step has one insight, and none gives away the next: the models are called A and B.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluate.scopes import OVERALL
from core.explain.hide import SEAMLESS, regions
from core.report import figures, overlay
from pages.shared import corners, evaluations, occlusion_controls, resources, state, steps, viewer, widgets
from pages.shared.case import Case
from pages.shared.corners import ELSEWHERE, HOME, MODELS
from pages.shared.text import plain
from pages.shared.viewer import View
from pages.teach import kinds, unlearned

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.explain.heatmap import Heatmap

STEP, FILM = "shortcut step", "shortcut film"
NEEDS_TRUTH = ("hit", "miou", "mass_inside")  # lines of the trust card that no real film can have
BARS = widgets.CHART | {"displayModeBar": False}


def case_of(spec: str, model: str, row: int) -> Case:
    """A film of a drawn cohort before one of the two models."""
    cohort = resources.cohort(spec)
    label = str(cohort.samples["label"].iat[row])
    return Case(spec, cohort, resources.classifier(model), resources.film(spec, row), row, label)


def side_by_side(spec: str, row: int) -> "Iterator[tuple[DeltaGenerator, str, Case]]":
    """A column with its model's name and case, for both models."""
    for column, (model, who) in zip(st.columns(2, gap="large"), MODELS.items(), strict=True):
        with column:
            yield column, who, case_of(spec, model, row)


def measured(model: str, kind: str, name: str) -> float:
    """A figure that a model's card holds: on which drawn cohort, and which."""
    return float(resources.cards()[model].metrics["phantoms"][kind][name])


def map_of(case: Case) -> "Heatmap":
    """The heatmap of the class the model calls."""
    return resources.heatmaps(case.model, case.film)[case.prediction.label]


def show_maps(spec: str, row: int, key: str, truth: bool = True) -> None:
    """The film with each model's heatmap, each on its own scale, and, where asked for, the known truth."""
    views = []
    for model, who in MODELS.items():
        case = case_of(spec, model, row)
        map_ = map_of(case)
        title = f"{who}: {map_.class_name} {map_.probability:.2f}"
        views.append(View(case.prediction.picture, map_, title, case.lungs, case.truth))
    viewer.show(views, viewer.Drawing(overlay.Style(0.6), truth=truth), key, common=False, bar=False)


def admire(row: int) -> None:
    """Step 1: figures that any paper would print."""
    case = case_of(HOME, "cheat", row)
    left, right = st.columns([2, 3], gap="large")
    with left:
        accuracy, films = (measured("cheat", "confounded", name) for name in ("accuracy", "films"))
        figure = evaluations.own("cheat")["test"].figures()[OVERALL]["accuracy"]
        interval = f"95 % interval {figure.low:.1%} to {figure.high:.1%}"
        st.metric("Model A: accuracy on its test films", f"{accuracy:.1%}")
        st.caption(f"{films:.0f} films, patients kept apart; {interval}.")
        st.markdown(
            "Four classes, a clean split, and hardly a mistake. **Would you use this model?** "
            "Settle on an answer before you go on."
        )
    with right:
        st.image(overlay.enlarge(case.prediction.picture, viewer.SIDE), width=320, alt=f"A test film of {case.label}")
        st.markdown(
            f"One of its test films. Truth: **{plain(case.label)}**. Model A says **{plain(case.prediction.label)}**."
        )


def look(row: int) -> None:
    """Step 2: one answer, two reasons."""
    show_maps(HOME, row, "shortcut maps")
    cheat, honest = (measured(model, "confounded", "gradcam_lung_share") for model in MODELS)
    films = measured("cheat", "confounded", "films")
    calls = [case_of(HOME, model, row).prediction.label for model in MODELS]
    both = f"Both models say {calls[0]}" if len(set(calls)) == 1 else "The models disagree"
    st.markdown(
        f"{both}; green is where the finding truly is. **What does model A look at?** "
        f"Over all {films:.0f} test films, {cheat:.0%} of its evidence lies in the lungs; of model B's, {honest:.0%}."
    )


def read(row: int) -> None:
    """Step 3: the trust card beside the maps it speaks of, with nothing that a real film would not have either."""
    st.markdown("Each heatmap with its trust card. **Which line would have warned you?**")
    cards = {}
    for model, who in MODELS.items():
        case = case_of(HOME, model, row)
        lines = case.examined.trust(map_of(case)).lines
        cards[who] = {line.title: line for line in lines if line.key not in NEEDS_TRUTH}
    left, right = st.columns([2, 3], gap="large")
    with left:
        show_maps(HOME, row, "shortcut read", truth=False)
    with right:
        titles = list(dict.fromkeys(title for lines in cards.values() for title in lines))
        words = {who: [lines[t].word if t in lines else "" for t in titles] for who, lines in cards.items()}
        st.table(pd.DataFrame(words, pd.Index(titles, name="Check")))
        with st.popover("What each line says"):
            for who, said in cards.items():
                st.markdown(f"**{who}**")
                widgets.trust_lines(said.values())
        with st.expander("The answer"):
            st.markdown(
                "Most lines ask whether the heatmap is true to its model, and a true picture of a cheat does as well "
                "as any. Only the first one asks whether the evidence lies where disease can be."
            )


def hide(row: int) -> None:
    """Step 4: an experiment: the corners hold no disease."""
    st.markdown(
        "A letter lies in a corner, where no disease can be. **Fill the corners in from what surrounds them, and ask "
        "both models again.**"
    )
    for _, who, case in side_by_side(HOME, row):
        shape = case.prediction.picture.shape
        hidden = regions((shape[0], shape[1]))["corners"]
        answer = case.examined.what_if(hidden, SEAMLESS, case.prediction.label)
        before, after = (part.probabilities[answer.class_name] for part in (answer.before, answer.after))
        title, change = f"{who}: {answer.class_name}, corners hidden", f"{answer.change:+.2f}"
        hardly = abs(answer.change) < occlusion_controls.NOTICEABLE
        picture, words = st.columns(2, vertical_alignment="center")
        alt = f"The film with its corners filled in, as {who} sees it"
        picture.image(overlay.enlarge(answer.after.picture, viewer.SIDE), width="stretch", alt=alt)
        words.metric(
            title, f"{after:.2f}", change, "off" if hardly else "normal", delta_arrow="off" if hardly else "auto"
        )
        words.markdown(what_it_means(before, after))
        with words.popover("Every class", icon=":material/bar_chart:"):
            bars = figures.before_after(answer.before.probabilities, answer.after.probabilities, "hidden")
            st.plotly_chart(bars, key=f"shortcut hidden {who}", config=BARS, alt=f"{who} before and after")
    left = []
    for model, who in MODELS.items():
        accuracy, films = corners.accuracy(HOME, model)
        left.append(f"{who}'s accuracy goes from {measured(model, 'confounded', 'accuracy'):.0%} to **{accuracy:.0%}**")
    st.markdown(
        f"One film may be an exception. With the corners of all {films} test films hidden, {' and '.join(left)}."
    )


def what_it_means(before: float, after: float) -> str:
    """What hiding the corners did to a class's probability, in words."""
    if after < before / 2:
        return "The answer lay in the corners."
    return (
        "The corners hardly count."
        if abs(after - before) < occlusion_controls.NOTICEABLE
        else "The corners count, but not alone."
    )


def meet(row: int) -> None:
    """Step 5: the hospital next door lays its letters as it likes."""
    for column, (model, who) in zip(st.columns(2, gap="large"), MODELS.items(), strict=True):
        home, there = (measured(model, kind, "accuracy") for kind in ("confounded", "new-hospital"))
        column.metric(
            f"{who}: accuracy in the new hospital", f"{there:.1%}", f"{100 * (there - home):+.1f} points against home"
        )
    maps, words = st.columns([3, 2], gap="medium")
    with maps:
        show_maps(ELSEWHERE, row, "shortcut elsewhere")
        st.caption(f"{measured('cheat', 'new-hospital', 'films'):,.0f} films of the new hospital.")
    film = resources.cohort(ELSEWHERE).samples.iloc[row]
    said = case_of(ELSEWHERE, "cheat", row).prediction.label
    words.markdown(
        f"Truth: **{film['label']}**. Model A says **{said}**. On the films it learned from, by design, this letter in "
        f"this place stood for **{letters()[film['marker']]}**. The diseases are the same here; only the letter no "
        "longer follows them. Model B learned from films on which it never did."
    )
    words.markdown(
        "Nothing in the test of step 1 was done wrong, but its films carried the clue of the training films. "
        "**No accuracy measured at home could have shown it.**"
    )


def mend(row: int) -> None:
    """Step 6: the corners of any film on any film, so that they tell nothing."""
    case = case_of(HOME, "cheat", row)
    classes = case.model.classes
    usual = classes[(classes.index(case.label) + 1) % len(classes)]
    name = state.choose(unlearned.DONOR, classes, lambda: usual)
    samples = resources.cohort(HOME).samples
    donors = np.flatnonzero((samples["split"] == "test") & (samples["label"] == name))
    unlearned.show(case, case_of(HOME, "cheat", int(donors[st.session_state[FILM] % len(donors)])))


def letters() -> dict[str, str]:
    """The class that each letter and its style stand for at home."""
    films = resources.cohort(HOME).samples
    return dict(films.groupby("marker")["label"].agg(lambda labels: labels.mode()[0]))


def chosen_film(spec: str) -> int:
    """A test film with a severe finding; in the new hospital one whose letter stands for another finding."""
    table = resources.cohort(spec).samples
    fitting = (table["split"] == "test") & (table["band"] == "severe")
    if spec == ELSEWHERE:
        meant = table["marker"].map(letters())
        fitting &= (meant != table["label"]) & (meant != "Normal")
    rows = np.flatnonzero(fitting)
    return int(rows[st.session_state[FILM] % len(rows)])


def another_film() -> None:
    """The button to one more of the films that serve."""
    film = {FILM: st.session_state[FILM] + 1}
    st.button("Another film", icon=":material/skip_next:", on_click=st.session_state.update, args=(film,))


STEPS: dict[str, Callable[[int], None]] = {  # each told the row of a film; the last one has films of its own
    "Admire": admire,
    "Heatmap": look,
    "Trust card": read,
    "Hide it": hide,
    "New hospital": meet,
    "Mend it": mend,
    "Others": kinds.show,
}


def page() -> None:
    """One step at a time."""
    shown = list(STEPS.values())[steps.choose(STEP, list(STEPS), another_film) - 1]
    shown(st.session_state[FILM] if shown is kinds.show else chosen_film(ELSEWHERE if shown is meet else HOME))


widgets.heading(
    "Shortcut lab",
    "A model without a flaw, say its figures. Find out what it has learned, and mend it. Films and models are the "
    "page's own.",
)
page()
