"""Strategies: what a model goes by over a cohort, and a hunt for what is no disease, with each hypothesis tested."""

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import EvaluationError, ExplainError
from core.report import overlay
from pages.shared import gallery, hunting, resources, state, widgets
from pages.shared.case import current_cohort
from pages.shared.hunting import Hunted
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.data.cohort import Cohort
    from core.examine.concepts import Found
    from core.hunt.hypothesis import Hypothesis
    from core.model.classifier import Classifier

FILMS = (64, 96, 160, 320)
SIDE = 160  # pixels of a mean map on the page
_ASKED = "_hunt_asked"  # in the session: the hunt that was asked for


def hypothesis(spec: str, cohort: "Cohort", model: "Classifier", found: Hunted, number: int) -> None:
    """One hypothesis: its sentence, its evidence, its films, and the button that tests it."""
    one = found.hunt.hypotheses[number]
    with st.container(border=True):
        st.markdown(f"**{number + 1}. {plain(one.sentence, longest=1000)}**")
        st.markdown("\n".join(f"- {plain(told, longest=1000)}" for told in one.evidence))
        rows = [found.rows[place] for place in one.examples]
        gallery.grid(spec, cohort, rows, f"hypothesis {number}")
        if one.cue:
            on_one_film(spec, cohort, model, one, rows, number)


def on_one_film(
    spec: str, cohort: "Cohort", model: "Classifier", one: "Hypothesis", rows: list[int], number: int
) -> None:
    """Hide, move and paste what a hypothesis names on one of its films, and watch the probability."""
    key = f"hypothesis {number} tests"
    clicked = st.button("Test it on a film", icon=":material/science:", key=f"test {number}")
    count = st.session_state.get(key, 0) + clicked
    st.session_state[key] = count
    other = hunting.film_of_another_class(cohort, model, one.class_name, 17 * count)
    if not count or other is None:
        return
    row = rows[(count - 1) % len(rows)]
    tried = hunting.tried(spec, model, one, row, other)
    if not tried:
        st.caption("On one of the two films no lungs were found: the next click takes others.")
        return
    st.caption(f"Film {row + 1}, and film {other + 1} of another class; a further click takes other films.")
    for column, trial in zip(st.columns(len(tried)), tried, strict=True):
        alt = f"{trial.title}: the probability of {one.class_name} goes from {trial.before:.2f} to {trial.after:.2f}"
        column.image(overlay.enlarge(trial.picture, 320), width="stretch", alt=alt)
        column.metric(f"{trial.title}: {plain(one.class_name)}", f"{trial.after:.2f}", f"{trial.change:+.2f}")


def mean_map(map_: np.ndarray) -> np.ndarray:
    """A mean map, float (h, w), as a picture, uint8 (SIDE, SIDE), its largest value white."""
    import cv2

    large = cv2.resize(map_.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.round(255 * np.clip(large / (large.max() or 1.0), 0, 1)).astype(np.uint8)


def concepts(found: "Found") -> None:
    """The concepts of a class as a table, with their maps, then its strategies."""
    rows = [
        {
            "concept": one.number,
            "relevance": f"{one.relevance:+.2f} [{one.low:.2f}, {one.high:.2f}]",
            "of all": f"{one.share:.0%}",
            "fires most": one.zone or "unknown",
            "in the lungs": f"{one.lung_share:.2f} [{one.lung_low:.2f}, {one.lung_high:.2f}]"
            if one.zone
            else "unknown",
            "lungs' area": f"{one.lung_area:.2f}" if one.zone else "unknown",
            "suspect": "suspect" if one.suspect else "",
        }
        for one in found.concepts
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    with st.container(horizontal=True):
        for one in found.concepts:
            alt = f"Where concept {one.number} fires, mean over films: most at {one.zone or 'an unknown place'}"
            st.image(mean_map(one.mean_map), caption=f"concept {one.number}", width=SIDE, alt=alt)
    if found.strategies:
        st.markdown("**Strategies**: heatmaps in the frame of the lungs, clustered by their cosine similarity.")
        with st.container(horizontal=True):
            for number, way in enumerate(found.strategies, start=1):
                share = f"{way.lung_share:.2f} in the lungs, where {way.lung_area:.2f} is lung"
                mark = " · suspect" if way.suspect else ""
                caption = f"{len(way.films)} films, {share}{mark}"
                alt = f"Mean heatmap of strategy {number}: {caption}; most at {way.zone}"
                st.image(mean_map(way.mean_map), caption=caption, width=SIDE, alt=alt)


def results(spec: str, cohort: "Cohort", model: "Classifier", found: Hunted) -> None:
    """The outcome, its hypotheses, what was not confirmed, then concepts and strategies by class."""
    hunt = found.hunt
    told = st.warning if hunt.hypotheses else st.info
    told(plain(hunt.sentence, longest=1000))
    for number in range(len(hunt.hypotheses)):
        hypothesis(spec, cohort, model, found, number)
    for heading, lines in (
        ("Leads: no test confirms them, or disease may look like it", hunt.leads),
        ("What could not be told", hunt.notes),
    ):
        if lines:
            with st.expander(f"{heading} ({len(lines)})"):
                st.markdown("\n".join(f"- {plain(line, longest=1000)}" for line in lines))
    if hunt.watched:
        st.header("Concepts and strategies", anchor=False)
        names = list(hunt.watched)
        state.choose("concepts of", names, lambda: names[0])
        name = st.segmented_control(
            "Class", names, key="concepts of", required=True, format_func=plain, persist_state="session"
        )
        concepts(hunt.watched[str(name)])
    text = json.dumps(hunt.to_dict(), indent=1, ensure_ascii=False)
    st.download_button("As JSON", text, "hunt.json", "application/json", icon=":material/download:")


def choices(model: "Classifier") -> tuple[int, str]:
    """How many films are looked at, and whose answers are looked into; "" for every class."""
    left, right = st.columns(2)
    help_ = "At most, each class equally often; a tenth of a second and more for each."
    state.choose("hunt films", FILMS, lambda: 96)
    films = left.select_slider("Films to look at", FILMS, key="hunt films", help=help_, persist_state="session")
    names = ("", *model.classes)
    state.choose("hunt class", names, lambda: "")
    class_name = right.selectbox(
        "Whose answers", names, key="hunt class", persist_state="session", help="One class alone is sooner done.",
        format_func=lambda name: plain(name) if name else "Every class",
    )  # fmt: skip
    return films, class_name


def page() -> None:
    """The button, then what it found."""
    from core.hunt.seen import check

    spec, cohort, model = st.session_state["cohort"], current_cohort(), resources.classifier(st.session_state["model"])
    try:
        check(model)
    except ExplainError as error:
        st.info(plain(error, longest=400))
        return
    films, class_name = choices(model)
    key = hunting.key_of(cohort, model, films, class_name)
    if not hunting.is_kept(spec, model, films, class_name) and st.session_state.get(_ASKED) != key:
        if not widgets.asked("Hunt", "search"):
            return
        st.session_state[_ASKED] = key
    try:
        found = widgets.followed(
            "Hunting", _stop, lambda progress: hunting.hunted(spec, model, films, class_name, progress)
        )
    except (EvaluationError, ExplainError) as error:
        st.info(plain(error, longest=400))
        return
    results(spec, cohort, model, found)


def _stop() -> None:
    st.session_state[_ASKED] = None


widgets.heading(
    "Strategies",
    "What do the answers go by? What lies away from the lungs, or narrow over them, is pasted from film to film, "
    "places are hidden, concepts and strategies searched, attributes read from the features. A hypothesis is what a "
    "test confirms and disease does not look like.",
)
page()
