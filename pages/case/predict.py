"""Live prediction: what the model says of a film, after saying whether it may judge it at all."""

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import streamlit as st

from core.data.film.radiograph import Radiograph
from core.evaluate import track_record
from core.explain import embeddings
from core.report import figures, overlay
from core.report.call import headline, in_words, promise, rule, triage
from pages.shared import (
    batch,
    commit,
    evaluations,
    frame,
    gallery,
    overview,
    pacs_panels,
    resources,
    uploads,
    widgets,
    windowing,
)
from pages.shared.case import Case, current, home_cohort, uploaded_films
from pages.shared.text import plain

VERDICTS = {"in": st.info, "doubtful": st.warning, "out": st.error}  # nothing green: that it fits makes no answer right
ICONS = {"in": ":material/verified:", "doubtful": ":material/help:", "out": ":material/block:"}
NEIGHBOURS, NEIGHBOURHOOD, TESTED = 6, 600, 200  # films shown; films of training and of the test looked among
SIMILARITY = (
    "Cosine similarity of what the model's last layer makes of two films: 1 is the same, 0 has nothing in common."
)
CHANGES: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray], str], ...] = (
    ("Invert", "invert_colors", lambda pixels: 255 - pixels, "inverted by hand"),
    ("Turn left", "rotate_left", np.rot90, "turned left by hand"),
    ("Turn right", "rotate_right", lambda pixels: np.rot90(pixels, -1), "turned right by hand"),
    ("Mirror", "flip", np.fliplr, "mirrored by hand"),
)
MET = {
    "train": "The model learned from this film.",
    "validation": "The model was tuned on this film.",
    "test": "The model did not learn from this film: it was tested on it.",
}


def film_panel(case: Case) -> None:
    """The film as the model sees it, and where it came from."""
    film = case.film
    with st.container(horizontal=True, vertical_alignment="center"):
        about = "The whole film, with all its bits; the answer stays."
        windowed = st.toggle("Window and level", key="windowed", help=about)
        with st.popover("Turn", icon=":material/screen_rotation:", help="Turn, mirror or invert it, and ask again."):
            turn_or_invert(case, "the film")
    if windowed:
        windowing.panel(case)
    else:
        picture = overlay.enlarge(case.prediction.picture, 448)
        st.image(picture, width="stretch", alt=f"The film {film.name} as the model sees it")
    height, width = film.source_shape
    facts = [film.format, f"{width} x {height}", f"{film.bit_depth} bit", *film.notes]
    st.caption(f"**{plain(film.name)}**{_as_shown(case)}. Stored: {', '.join(facts)}.")
    if film.tags:
        st.caption(" · ".join(f"{name}: {plain(value)}" for name, value in film.tags.items() if value))


def _as_shown(case: Case) -> str:
    size = case.model.preprocess.size
    return "" if st.session_state.get("windowed") else f" as the model sees it, {size} px per side"


def ask(case: Case) -> None:
    """Work out what the answer needs."""
    if not case.prediction.refused:
        resources.mild_copies(case.examined)


def answer_panel(case: Case) -> None:
    """First whether the model may judge the film, then what it says."""
    prediction = case.prediction
    commit.switch()
    if not commit.passed(case):
        return
    VERDICTS[prediction.domain.status](prediction.domain.sentence, icon=ICONS[prediction.domain.status])
    if prediction.domain.status != "in":
        turn_or_invert(case, "the answer")
    if prediction.refused:  # no answer to rely on; shown only where asked for
        st.header(in_words(prediction), anchor=False)
        with st.expander("What the model would say anyway"):
            bars(case)
            what_bars_say(case)
    else:
        st.header(headline(prediction, resources.mild_copies(case.examined)), anchor=False)
        bars(case)
        with frame.aside("Before you believe it", "history"):
            what_bars_say(case)
            belief(case)
    if case.label:
        st.markdown(known_label(case))
    st.page_link("pages/case/heatmaps.py", label="Where did the model look?", icon=":material/gradient:")


def belief(case: Case) -> None:
    """What a reader should know before believing the answer: how often it is right, and what it cannot say."""
    card, prediction = case.model.card, case.prediction
    with st.expander("How it was called, and what else the model says"):
        for sentence in (rule(prediction), triage(card, prediction), promise(card)):
            if sentence:
                st.caption(f":material/data_array: {plain(sentence, longest=600)}")
    st.caption(f":material/history: {plain(track_record.sentence(card, prediction.label), longest=800)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/block: {plain(track_record.knows(card), longest=600)}")
        with st.popover("Limitations", icon=":material/report:"):
            st.write(plain(card.limitations or "The card names none.", longest=4000))


def bars(case: Case) -> None:
    """Each class's probability round its operating point."""
    prediction = case.prediction
    spread = resources.mild_copies(case.examined).spread
    figure = figures.probability_bars(prediction.by_class, prediction.operating_points, spread)
    st.plotly_chart(
        figure, config=widgets.CHART | {"displayModeBar": False}, key="bars", alt=bars_in_words(prediction.by_class)
    )


def what_bars_say(case: Case) -> None:
    """How to read the bars."""
    prediction = case.prediction
    point = prediction.operating_points[prediction.label]
    st.caption(
        f"Calibrated probabilities{of_findings(case)}. Each bar starts at its own operating point, chosen on "
        f"validation films; for {prediction.label} it is {point:.2f}. In the grey zone the model is not sure. The thin "
        "line spans the answers to 16 mildly turned, shifted and re-exposed copies; the film's own answer may lie "
        "outside it."
    )


def of_findings(case: Case) -> str:
    """What a probability is where several findings may be true at once."""
    return "" if case.prediction.output.exclusive else " of findings, each by itself: several may be there, or none"


def known_label(case: Case) -> str:
    """What is known about a film of a cohort: its label, in the model's words too, and whether the model saw it."""
    from core.evaluate.scoring import class_of_label

    if case.cohort.findings and case.row is not None:
        return known_findings(case, case.row)
    meaning = class_of_label(case.model, [case.label]).get(case.label)
    own = {None: ", which this model does not know", case.label: ""}.get(meaning, f", to this model {meaning}")
    split = evaluations.split_in_training(case.model, case.cohort, case.row or 0)
    return f"Known label: **{plain(case.label)}**{own}. {MET.get(split, '')}"


def known_findings(case: Case, row: int) -> str:
    """What the cohort says is there and is not, and of what it says nothing."""
    said = case.cohort.present()[row]
    groups = {"present": said == 1, "absent": said == 0, "not known": np.isnan(said)}
    names = np.array(case.cohort.findings, dtype=object)
    told = [f"{word}: {plain(', '.join(names[there]), longest=400)}" for word, there in groups.items() if there.any()]
    split = evaluations.split_in_training(case.model, case.cohort, row)
    return f"Known of this film, {'; '.join(told)}. {MET.get(split, '')}"


def bars_in_words(probabilities: dict[str, float]) -> str:
    """A text alternative to the bars."""
    return "Probabilities: " + ", ".join(f"{name} {value:.3f}" for name, value in probabilities.items())


def turn_or_invert(case: Case, beside: str) -> None:
    """Buttons that invert, turn or mirror the film and ask again: one more upload. ``beside`` tells two rows apart."""
    with st.container(horizontal=True, gap="xsmall"):
        for label, icon, change, note in CHANGES:
            key, picture = f"{label} beside {beside}", f":material/{icon}:"
            st.button(label, icon=picture, key=key, on_click=_ask_changed, args=(case.film, change, note))


def _ask_changed(film: Radiograph, change: Callable[[np.ndarray], np.ndarray], note: str) -> None:
    uploads.keep_changed(film.with_pixels(np.ascontiguousarray(change(film.pixels)), note))


def neighbours(case: Case) -> None:
    """The films of the model's own cohort that it finds most like this one."""
    spec = home_cohort(case.model.card, case.spec)
    cohort = resources.cohort(spec)
    st.header(f"Nearest films of {plain(cohort.name)}", anchor=False, help=SIMILARITY)
    rows = embeddings.sample(cohort, "train", NEIGHBOURHOOD) or embeddings.sample(cohort, None, NEIGHBOURHOOD)
    tested = embeddings.sample(cohort, "test", TESTED) if case.model.output.exclusive else []
    found = overview.embeddings_of(case.model, spec)
    missing = overview.missing(found, case.model, cohort, [*rows, *tested])
    if missing:
        sentence = f"{missing:,} of its films have to be shown to the model first."
        if not widgets.asked("Find nearest films", "search", sentence):
            return
        with widgets.progress("Showing films to the model", lambda: None) as progress:
            overview.fill(found, case.model, cohort, [*rows, *tested], progress)
    own = case.row if spec == case.spec else None
    feature = overview.feature_of(case)
    if told := overview.errors_near(case.model, cohort, found, feature, [row for row in tested if row != own]):
        st.markdown(f":material/error: {plain(told, longest=600)}")
    nearest = found.nearest(feature, NEIGHBOURS, own, rows)
    with st.grid("auto", min_column_width=130, gap="small"):
        for row, cosine in nearest:
            label = str(cohort.samples["label"].iat[row])
            with st.container(gap="xxsmall"):
                gallery.picture(spec, row, label)
                st.caption(f"**{plain(label)}**, film {row + 1}  \ncosine similarity {cosine:.2f}")


widgets.heading("Live prediction", "What the model says of a film, and whether it may judge such a film at all.")
with frame.aside("A film of your own", "upload"):
    uploads.uploader()
    pacs_panels.search_panel()
shown = current()
if len(uploaded_films()) > 1 and not commit.hidden(shown):
    batch.table(uploaded_films(), shown)
left, right = st.columns([2, 3], gap="large")
with left:
    film_panel(shown)
with right:
    about = shown.model.key, shown.film.sha256
    widgets.anew("Asking the model", about, lambda: ask(shown), lambda: answer_panel(shown))
pacs_panels.way_back(shown)
if not commit.hidden(shown):
    with left if frame.presenting() else nullcontext(), frame.aside("Nearest films", "image_search"):
        neighbours(shown)
uploads.listen_for_paste()
