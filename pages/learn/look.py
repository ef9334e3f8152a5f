"""The first half of Learn: what a heatmap is, what it cannot say, what hiding and destroyed weights tell of it."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from pages.learn.film import FILM, NORMAL, case_of, draw, question
from pages.shared import resources, state

if TYPE_CHECKING:
    from core.explain.by_hand import Parts

CHANNELS = 3  # that can be mixed


def build() -> None:
    """Step 1: Grad-CAM from the channels of one layer."""
    from core.explain.by_hand import parts

    case = case_of(FILM)
    name = case.prediction.label
    taken = parts(case.model, case.prediction.picture, name)
    few = taken.strongest(CHANNELS)
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            f"The last layer of the network answers with **{len(taken.weights)} channels**: small maps, each of which "
            f"lights up for something it has learned. A heatmap is their sum, weighted by how much each moves the "
            f"answer *{name}*. Mix three of them yourself."
        )
        scale = float(np.abs(taken.weights).max())
        mixed = np.zeros_like(taken.weights)
        for number, channel in enumerate(few, start=1):
            key = f"learn channel {number}"
            mixed[channel] = scale * st.slider(f"Channel {channel}", -1.0, 1.0, step=0.05, key=key)
        own = {f"learn channel {n}": _in_steps(taken, c, scale) for n, c in enumerate(few, start=1)}
        st.button("Take Grad-CAM's own weights", on_click=st.session_state.update, args=(own,))
    yours, whole = taken.map_of(mixed), taken.map_of(taken.weights)
    alike = np.corrcoef(yours.ravel(), whole.ravel())[0, 1] if yours.any() else 0.0
    with left:
        draw(case, {"yours, three channels": yours, f"Grad-CAM, all {len(taken.weights)}": whole})
    with right:
        st.metric("Your map is like Grad-CAM's", f"{alike:.2f}", help="Correlation of the two maps: 1 is the same.")
    question(
        "Turn one channel negative. Why does part of your map vanish instead of turning blue?",
        "Grad-CAM keeps only what speaks for the class: what is negative after adding up is cut off. A place without "
        "colour may hold no evidence, or evidence against the class that something else outweighs.",
    )


def cannot_say() -> None:
    """Step 2: a map of a class that the model does not call."""
    case = case_of(NORMAL)
    maps = resources.heatmaps(case.model, case.film, "gradcam", None)
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            f"This film is **{case.label}**. Each class has its own map: it shows where evidence *for that class* "
            "would lie, not whether the class is there."
        )
        others = [name for name in maps if name != case.prediction.label]
        state.choose("learn class", maps, lambda: max(others, key=lambda name: maps[name].top))  # one that glows
        name = st.radio("Map of", list(maps), key="learn class")
        map_ = maps[str(name)]
        st.metric(f"Probability of {name}", f"{map_.probability:.3f}")
        st.caption("Blank: nothing speaks for it." if map_.blank else "Each map has its own scale of colour.")
    with left:
        draw(case, {f"{name} {map_.probability:.2f}": map_.values})
    question(
        "A map glows in a lung, and the probability is close to 0. Is there disease?",
        "The map says nothing about that. It divides up the little evidence there is, and colour is relative to the "
        "map's own largest value. Read the probability first, then the map, and neither without the other.",
    )


def hiding() -> None:
    """Step 3: an experiment on the film instead of a picture of the network."""
    from core.explain.whatif import ask

    case = case_of(FILM)
    name = case.prediction.label
    map_ = resources.heatmaps(case.model, case.film, "gradcam", None)[name]
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            "If the bright places are the reason for the answer, hiding them must cost more than hiding others."
        )
        share = st.slider("Hidden, % of the film", 1, 30, key="learn hidden")
    order = np.argsort(map_.values, axis=None, kind="stable")
    many = max(1, round(share / 100 * order.size))
    bright = np.zeros(map_.values.shape, bool)
    bright.flat[order[-many:]] = True
    elsewhere = _elsewhere(bright, many)
    answers = {words: ask(case.model, case.prediction.picture, mask, "inpaint", name) for words, mask in
               (("brightest", bright), ("elsewhere", elsewhere))}  # fmt: skip
    with left:
        draw(case, {f"{words} hidden: {a.after.probabilities[name]:.2f}": None for words, a in answers.items()},
             [a.after.picture for a in answers.values()])  # fmt: skip
    with right:
        for words, answer in answers.items():
            after, change = answer.after.probabilities[name], answer.change
            st.metric(f"{name}, {words} hidden", f"{after:.2f}", f"{change:+.2f}")
    question(
        "Which drop would you expect of a map that was drawn at random?",
        "About the same for both. On some films other places give the answer as well, and neither drop is large. Only "
        "the difference between the brightest places and others of the same size speaks for a map; the trust card on "
        "Heatmaps makes this test against many random maps.",
    )


def destroyed() -> None:
    """Step 4: a map that survives the loss of all that was learned never came from it."""
    from core.explain.heatmap import heatmaps
    from core.explain.randomisation import destroyed as destroy

    case = case_of(FILM)
    left, right = st.columns([3, 2], gap="large")
    with right:
        st.markdown(
            "Shuffle the network's weights: it has the same parts and knows nothing. A heatmap that looks the same "
            "afterwards shows the film, not what the network learned (Adebayo 2018)."
        )
        seed = st.slider("Shuffle", 1, 8, key="learn shuffle")
    twin = destroy(case.model, int(seed))
    name = case.prediction.label
    before = resources.heatmaps(case.model, case.film, "gradcam", None)[name].values
    after = heatmaps(twin, case.prediction.picture, "gradcam", classes=[name])[name].values
    alike = abs(float(np.corrcoef(before.ravel(), after.ravel())[0, 1])) if after.any() and before.any() else 0.0
    with left:
        draw(case, {"as it learned": before, "after the shuffle" + ": blank" * (not after.any()): after})
    with right:
        st.metric("Similarity of the two maps", f"{alike:.2f}", help="Correlation without its sign: 0 is unlike.")
    question(
        "Some shuffles still give a map in the lungs. Has the method failed?",
        "Not by that: coarse maps resemble each other by luck. That is why the check takes several, and says "
        "how alike maps about nothing are.",
    )


def _in_steps(taken: "Parts", channel: int, scale: float) -> float:
    return float(np.clip(round(float(taken.weights[channel]) / scale / 0.05) * 0.05, -1, 1))


def _elsewhere(bright: np.ndarray, many: int) -> np.ndarray:
    """A disc of as many pixels as far from the bright ones as the film allows, bool (S, S)."""
    import cv2

    far = cv2.distanceTransform((~bright).astype(np.uint8), cv2.DIST_L2, 5)
    inner = np.zeros_like(bright)
    edge = round(0.2 * bright.shape[0])
    inner[edge:-edge, edge:-edge] = True
    row, column = np.unravel_index(int(np.argmax(np.where(inner, far, -1))), bright.shape)
    rows, columns = np.ogrid[: bright.shape[0], : bright.shape[1]]
    distance = np.where(bright, np.inf, (rows - row) ** 2 + (columns - column) ** 2)
    found = np.zeros_like(bright)
    found.flat[np.argsort(distance, axis=None, kind="stable")[:many]] = True
    return found
