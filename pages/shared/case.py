"""The case on the table: which film, of which cohort, shown to which model. The sidebar decides, every page reads."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.errors import CheckpointError, FilmError
from core.lazy import cached_property
from core.model import matching
from pages.shared import resources, state

if TYPE_CHECKING:
    from core.examine.examined import Examined
    from core.model.card import Card
    from core.model.classifier import Classifier, Prediction


ABSENT = "_absent_upload"  # a link asked for an upload that is not here; until a film is chosen none is shown


@dataclass(frozen=True, eq=False)
class Case:
    """One film before one model; ``row`` and ``label`` are None and "" for an uploaded film."""

    spec: str  # of the cohort, see resources.cohort
    cohort: Cohort
    model: "Classifier"
    film: Radiograph
    row: int | None
    label: str

    @cached_property
    def examined(self) -> "Examined":
        """All that can be said of the film before the model; the rest of the case is read from it."""
        return resources.examined(self.model, self.film, self.label, self._marked)

    @property
    def prediction(self) -> "Prediction":
        return self.examined.prediction

    @property
    def truth(self) -> np.ndarray | None:
        """Where the finding is known to be, bool (S, S) on the model's picture; None where it is unknown."""
        return self.examined.truth

    @property
    def lungs(self) -> np.ndarray | None:
        """Lung fields, bool (S, S) on the model's picture, found alike on films of every source; None without lungs."""
        return self.examined.lungs

    def _marked(self) -> np.ndarray | None:
        """The known finding in the film's own frame, bool (H, W)."""
        if self.row is None:
            return None
        masks = (resources.mask(self.spec, self.row, column) for column in ("truth", "outlines", "boxes"))
        return next((mask for mask in masks if mask is not None and mask.any()), None)


def uploaded_films() -> list[Radiograph]:
    """The films this visitor uploaded: in the memory of this session, nowhere else."""
    return st.session_state.setdefault("uploads", [])


def current_cohort() -> Cohort:
    """The cohort the sidebar shows."""
    return resources.cohort(st.session_state["cohort"])


def current() -> Case:
    """The case the sidebar shows.

    Raises:
        FilmError: a link led here to a film that was uploaded elsewhere; no other film answers in its place.
    """
    if st.session_state.get(ABSENT):
        came = "The link shows an uploaded film, which stays in the session of who uploaded it"
        remedy = "Upload the film here, or choose a film of the cohort in the sidebar"
        raise FilmError(came, "a film of a cohort, or one uploaded here", remedy)
    spec, number, upload = (st.session_state[key] for key in ("cohort", "case", "upload"))
    cohort, model = resources.cohort(spec), resources.classifier(st.session_state["model"])
    if upload:
        return Case(spec, cohort, model, uploaded_films()[upload - 1], None, "")
    row = number - 1
    return Case(spec, cohort, model, resources.film(spec, row), row, str(cohort.samples["label"].iat[row]))


def take_cohort_film() -> None:
    """A film was chosen, whatever a link had asked for."""
    st.session_state.pop(ABSENT, None)


def first_case(cohort: Cohort) -> int:
    """A film worth opening first, counted from 1: a clear finding that no model learned from, if there is one."""
    rows = cohort.samples
    finding, unseen = rows["label"] != cohort.classes[0], rows["split"] == "test"
    covid = finding & unseen & (rows["label"] == "COVID-19")
    clear = rows["band"] == "moderate" if "band" in rows else covid
    for wanted in (covid & clear, covid, finding & unseen, finding):
        if wanted.any():
            return int(np.flatnonzero(wanted)[0]) + 1
    return 1


def kinship(card: "Card", spec: str) -> int:
    """How well a model fits a cohort: 3 learned from it, 2 from one of its layout, 1 knows its classes, 0 unrelated."""
    return matching.kinship(card, resources.cohort(spec), resources.fingerprint(spec))


def matching_model(spec: str) -> str:
    """The name of the model that fits a cohort best."""
    cards = resources.cards()
    if not cards:
        remedy = "Train one with python -m core train, or restore the folder weights/ of the repository"
        raise CheckpointError("there is no model in weights/", "a folder with model.safetensors and card.json", remedy)
    return matching.best(cards, resources.cohort(spec), resources.fingerprint(spec))


def home_cohort(card: "Card", spec: str) -> str:
    """The cohort a model learned from, if it is on this machine; else the given one."""
    if kinship(card, spec) == matching.OWN:
        return spec
    others = resources.same_layout(card.data.get("layout", ""))
    return next((other for other in others if kinship(card, other) == matching.OWN), spec)


def film_range() -> range:
    """The film numbers of the cohort, counted from 1."""
    return range(1, len(current_cohort()) + 1)


def choose_case() -> None:
    """Make model, film number and upload in the session fit the cohort and what there is."""
    session, cohort = st.session_state, current_cohort()
    state.choose("model", resources.cards(), lambda: matching_model(session["cohort"]))
    state.choose("case", film_range(), lambda: first_case(cohort))
    if session["upload"] is not None and session["upload"] > len(uploaded_films()):
        session.update({"upload": None, "model": matching_model(session["cohort"]), ABSENT: True})
    elif session["upload"]:
        take_cohort_film()
