"""What every step of Learn shares: its drawn films and models, how a film is drawn, and the question at its end."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from core.report import overlay
from pages.shared import resources, viewer
from pages.shared.case import Case

MODEL, CHEAT = "honest", "cheat"
FAIR, CONFOUNDED = "phantom:fair", "phantom:confounded"
ALONE = 340  # pixels of one picture's side, so that the question stands beside it on a projector
FILM, NORMAL = 143, 1  # rows: a lung opacity in one place, called rightly; 1 stands for the first normal test film


def case_of(row: int, spec: str = FAIR, model: str = MODEL) -> Case:
    """A drawn film before one of the shipped models; of ``NORMAL`` on, the first normal test film."""
    cohort = resources.cohort(spec)
    if row == NORMAL:
        rows = cohort.samples
        row = int(np.flatnonzero((rows["label"] == "Normal") & (rows["split"] == "test"))[0])
    label = str(cohort.samples["label"].iat[row])
    return Case(spec, cohort, resources.classifier(model), resources.film(spec, row), row, label)


def draw(case: Case, maps: Mapping[str, np.ndarray | None], pictures: Sequence[np.ndarray] = ()) -> None:
    """Pictures side by side, each with its map in colour and its title.

    Args:
        maps: float (S, S) by title; None for a picture without one.
        pictures: uint8 (S, S) in the order of the maps; the case's own film where none are given.
    """
    places = st.columns(len(maps))
    shown = list(pictures) or [case.prediction.picture] * len(maps)
    for place, (title, map_), picture in zip(places, maps.items(), shown, strict=True):
        large = overlay.enlarge(picture, viewer.SIDE)
        image = (
            large if map_ is None else overlay.overlay(large, overlay.enlarge(map_, viewer.SIDE), overlay.Style(0.6))
        )
        place.image(image, width="stretch" if len(maps) > 1 else ALONE, alt=f"The film: {title}")
        place.caption(title)


def question(asked: str, answer: str) -> None:
    """What to think about before going on, and what can be said to it."""
    st.markdown(f"**{asked}**")
    with st.expander("An answer"):
        st.markdown(answer)
