"""Shortcut lab: a model that cheats on purpose is admired, doubted, caught, and sent to another hospital."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.report import figures, overlay
from pages.shared import resources, viewer, widgets
from pages.shared.case import Case
from pages.shared.viewer import View

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from core.explain.heatmap import Heatmap

MODELS = {"cheat": "This model", "honest": "Trained fairly"}
HOME, ELSEWHERE = "phantom:confounded", "phantom:new-hospital"
STEPS = (
    "1 Admire the accuracy",
    "2 Look at the heatmap",
    "3 Read the trust card",
    "4 Hide the marker",
    "5 Meet the new hospital",
)
VERDICTS = {
    "good": ":green[:material/check_circle:]",
    "caution": ":orange[:material/error:]",
    "bad": ":red[:material/cancel:]",
    "unknown": ":gray[:material/help:]",
}
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
    return resources.heatmaps(case.model, case.film, "gradcam", None)[case.prediction.label]


def show_maps(spec: str, row: int, key: str) -> None:
    """The film with each model's heatmap and the known truth."""
    views = []
    for model, who in MODELS.items():
        case = case_of(spec, model, row)
        map_ = map_of(case)
        title = f"{who}: {map_.class_name} {map_.probability:.2f}"
        views.append(View(case.prediction.picture, map_, title, case.lungs, case.truth))
    viewer.show(views, viewer.Drawing(overlay.Style(0.6), truth=True), key, common=False)


def admire(row: int) -> None:
    """Step 1: figures that any paper would print."""
    case = case_of(HOME, "cheat", row)
    left, right = st.columns([2, 3], gap="large")
    with left:
        accuracy, films = (measured("cheat", "confounded", name) for name in ("accuracy", "films"))
        st.metric("Accuracy on its test films", f"{accuracy:.1%}", f"{films:.0f} films, patients kept apart", "off")
        st.markdown(
            "Four classes, a clean split, and almost no mistakes. **Would you use this model?** "
            "Settle on an answer before you go on."
        )
    with right:
        st.image(overlay.enlarge(case.prediction.picture, viewer.SIDE), width=320)
        st.markdown(f"One of its test films. Truth: **{case.label}**. The model says **{case.prediction.label}**.")


def look(row: int) -> None:
    """Step 2: the same answer from two models, for different reasons."""
    show_maps(HOME, row, "shortcut maps")
    cheat, honest = (measured(model, "confounded", "gradcam_lung_share") for model in MODELS)
    st.markdown(
        "The same film before this model and before one that was trained fairly; green is where the finding truly is. "
        f"Over all test films, **{cheat:.0%}** of this model's evidence lies in the lungs; of the other one's, "
        f"**{honest:.0%}**."
    )


def read(row: int) -> None:
    """Step 3: the trust card notices without knowing the truth."""
    st.markdown("Each heatmap with its trust card. Which lines would have warned you?")
    for _, who, case in side_by_side(HOME, row):
        st.subheader(who, anchor=False)
        for line in resources.trust(case.model, case.film, map_of(case), case.lungs, case.truth).lines:
            st.markdown(f"{VERDICTS[line.verdict]} **{line.title}.** {line.sentence}")


def hide(row: int) -> None:
    """Step 4: an experiment: the corners hold no disease."""
    from core.explain.whatif import regions

    st.markdown("The letter lies in a corner, where no disease can be. Blur the corners, and ask both models again.")
    for _, who, case in side_by_side(HOME, row):
        shape = case.prediction.picture.shape
        corners = regions((shape[0], shape[1]))["corners"]
        answer = resources.what_if(case.model, case.film, corners, "blur", case.prediction.label, "gradcam", None)
        after = answer.after.probabilities[answer.class_name]
        st.metric(f"{who}: {answer.class_name}, corners hidden", f"{after:.2f}", f"{answer.change:+.2f}")
        st.image(overlay.enlarge(answer.after.picture, viewer.SIDE), width=260)
        bars = figures.before_after(answer.before.probabilities, answer.after.probabilities, "hidden")
        st.plotly_chart(bars, key=f"shortcut hidden {who}", config=BARS, alt=f"{who} before and after")


def meet(row: int) -> None:
    """Step 5: the hospital next door lays its letters as it likes."""
    for column, (model, who) in zip(st.columns(2, gap="large"), MODELS.items(), strict=True):
        home, there = (measured(model, kind, "accuracy") for kind in ("confounded", "new-hospital"))
        column.metric(f"{who}: accuracy in the new hospital", f"{there:.1%}", f"{100 * (there - home):+.1f} points")
    show_maps(ELSEWHERE, row, "shortcut elsewhere")
    label = resources.cohort(ELSEWHERE).samples["label"].iat[row]
    st.markdown(
        f"Truth: **{label}**. The diseases are the same; only the letter no longer follows the diagnosis. Nothing in "
        "the test of step 1 was done wrong, but its films carried the same clue as the training films."
    )


def chosen_film(spec: str) -> int:
    """A test film with a severe finding; the button takes the next one."""
    table = resources.cohort(spec).samples
    rows = np.flatnonzero((table["split"] == "test") & (table["band"] == "severe"))
    place = st.session_state.setdefault("shortcut film", 0)
    following = {"shortcut film": place + 1}
    st.button("Another film", icon=":material/skip_next:", on_click=st.session_state.update, args=(following,))
    return int(rows[place % len(rows)])


def page() -> None:
    """One step at a time."""
    shown = dict(zip(STEPS, (admire, look, read, hide, meet), strict=True))
    step = st.segmented_control(
        "Step", STEPS, default=STEPS[0], required=True, key="shortcut step", label_visibility="collapsed", wrap=True
    )
    shown[step](chosen_film(ELSEWHERE if step == STEPS[-1] else HOME))


widgets.heading(
    "Shortcut lab",
    "A model learned from drawn films on which, by design, the letter gives the class away. Five steps to catch it. "
    "The page brings its own two models and films, whatever the sidebar shows.",
)
page()
