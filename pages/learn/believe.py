"""The second half of Learn: what a probability is worth, what a set of answers promises, and how a model cheats."""

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluate.calibration import calibration_error, reliability
from core.model import conformal
from core.report import evaluation_figures
from pages.learn.film import CHEAT, CONFOUNDED, MODEL, case_of, draw, question
from pages.shared import evaluations, resources, state, widgets

MODELS = ("Model A", "Model B")


def calibration() -> None:
    """Step 5: a temperature makes probabilities come true, or not."""
    films = evaluations.own(MODEL)["test"]
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            "Of all films called with 0.8, about 80 % should be called rightly. A *temperature* makes a model surer "
            "(below 1) or less sure (above 1) without changing what it calls."
        )
        temperature = st.slider("Temperature", 0.25, 8.0, step=0.25, key="learn temperature")
    powered = np.maximum(films.probabilities.astype(np.float64), 1e-12) ** (1 / temperature)
    warmed = powered / powered.sum(axis=1, keepdims=True)
    sure, right_call = warmed.max(axis=1), warmed.argmax(axis=1) == films.labels
    error = float(calibration_error(sure, right_call, np.ones((len(sure), 1)))[0])
    with left:
        figure = evaluation_figures.reliability(reliability(sure, right_call))
        st.plotly_chart(figure, height=380, key="learn reliability", config=widgets.CHART, alt="Reliability diagram")
    with right:
        st.metric("Right calls", f"{right_call.mean():.1%}", help="The temperature does not change them.")
        st.metric("Mean gap between confidence and truth", f"{error:.3f}", help="ECE, over 15 bins.")
    question(
        "At a temperature of 8 the model is never sure, and calls the same. Is it a worse model?",
        "It ranks films as before, so AUROC and accuracy are the same. But its 0.4 means “nearly always right”, so "
        "whoever reads it as a probability is misled. Calibration is what makes the number mean what it says.",
    )


def sets() -> None:
    """Step 6: a set of answers that holds the truth as often as it promises."""
    parts = evaluations.own(MODEL)
    fitted, films = parts["validation"], parts["test"]
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            "Instead of one answer a model can give a **set** that holds the truth as often as it promises. The more "
            "it promises, the larger the sets."
        )
        level = st.slider("Promised, % of films", 50, 99, key="learn promise") / 100
    found = conformal.fit(fitted.probabilities, fitted.labels, level)
    inside = found.of(films.probabilities)
    sizes = np.bincount(inside.sum(axis=1), minlength=len(films.classes) + 1)
    held = float(inside[np.arange(len(films)), films.labels].mean())
    with left:
        words = [f"{size} answers" if size != 1 else "1 answer" for size in range(len(sizes))]
        st.bar_chart(
            pd.DataFrame({"films": sizes}, index=words), height=380, x_label="size of the set", y_label="test films"
        )
    with right:
        st.metric("Truth in the set", f"{held:.1%}", f"{100 * (held - level):+.1f} points against the promise", "off")
        st.metric("Mean size of a set", f"{inside.sum(axis=1).mean():.2f}")
    question(
        "The promise holds for films like those it was fitted on. What happens in another hospital?",
        "Nothing is promised there: the limits were drawn from other films. The sets may be too small without anybody "
        "noticing, which is why a film is first asked whether the model knows its kind.",
    )


def shortcuts() -> None:
    """Step 7: a right answer for a wrong reason."""
    cohort = resources.cohort(CONFOUNDED)
    chosen = (cohort.samples["split"] == "test") & (cohort.samples["band"] == "severe")
    row = int(np.flatnonzero(chosen)[0])
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            "Two models, one film, one answer. In the hospital where they learned, a letter in the corner stood for "
            "the disease."
        )
        state.choose("learn model", MODELS, lambda: MODELS[0])
        who = st.radio("Look at", MODELS, key="learn model")
    case = case_of(row, CONFOUNDED, CHEAT if who == MODELS[0] else MODEL)
    map_ = resources.heatmaps(case.model, case.film, "gradcam", None)[case.prediction.label]
    with left:
        draw(case, {f"{who}: {map_.class_name} {map_.probability:.2f}": map_.values})
    with right:
        st.metric("It says", case.prediction.label)
        st.metric("Known label", case.label)
    question(
        "Both are right. Which one would you take to another hospital, and what showed it: the figures or the map?",
        "Model B looks at the lung, model A at the letter. No accuracy measured at home tells them apart. The "
        "Shortcut lab, next in the menu, catches model A step by step.",
    )
    st.page_link("pages/teach/shortcut.py", label="Go on to the Shortcut lab", icon=":material/bug_report:")
