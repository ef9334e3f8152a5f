"""Films, models and their answers, kept between runs; the modules beside this one keep what only they make.

Films, classifiers and heatmaps are shared by all visitors and never changed, so they are kept as resources (no copies).
Each cache is bounded; a film is known by the hash of its bytes, a classifier by its name and date. An uploaded film
is kept by its visitor's session alone; what is worked out from it is found again only by who has the same bytes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import streamlit as st

from core.data.cohort import JOIN, Cohort
from core.data.film.radiograph import Radiograph

if TYPE_CHECKING:
    from core.explain.deletion import Curve
    from core.explain.heatmap import Heatmap
    from core.explain.trust import Bank, Trust
    from core.explain.whatif import WhatIf
    from core.lungs.segment import Lungs
    from core.model.checkpoint import Card
    from core.model.classifier import Classifier, Prediction
    from core.transform.augment import Step
    from pages.shared.robustness import Sweep

K = TypeVar("K")
V = TypeVar("V")

HEATMAPS_KEPT = 256
MILD_COPIES = 16
IDENTITY: dict[str | type[Any], Callable[[Any], Any]] = {
    "core.transform.augment.Step": lambda step: str(step.to_dict()),
    "core.data.film.radiograph.Radiograph": lambda film: film.sha256,
    "core.model.classifier.Classifier": lambda model: (model.card.name, model.card.created),
    "core.explain.heatmap.Heatmap": lambda map_: (
        map_.film_sha256,
        map_.model,
        map_.method,
        map_.layer,
        map_.class_name,
        map_.values.tobytes(),
    ),
}


@st.cache_resource(max_entries=8, show_spinner="Opening the cohort")
def cohort(spec: str) -> Cohort:
    """A cohort by what the sidebar offers: "phantom:fair" and the like, or a path."""
    from core.data.readers import open_cohort

    return open_cohort(spec)


@st.cache_data(max_entries=32, show_spinner=False)
def fingerprint(spec: str) -> str:
    """The fingerprint of a cohort; it reads every row."""
    return cohort(spec).fingerprint


@st.cache_data(ttl=60, show_spinner=False)
def known_cohorts() -> dict[str, str]:
    """What can be opened without typing a path: spec -> title. Drawn cohorts first, then real ones on this machine."""
    from core.data.readers import cohorts_below, data_root

    drawn = {
        "phantom:fair": "Phantoms, fair",
        "phantom:confounded": "Phantoms, planted shortcut",
        "phantom:new-hospital": "Phantoms, new hospital",
    }
    return drawn | {str(folder): folder.name.replace("_", " ") for folder in cohorts_below(data_root())}


@st.cache_data(ttl=60, show_spinner=False)
def same_layout(layout: str) -> list[str]:
    """The known cohorts of a model's layouts; only those are worth opening to look for its own films."""
    from core.data.readers import is_drawn, layout_of

    layouts = {spec: "phantom" if is_drawn(spec) else layout_of(Path(spec)) for spec in known_cohorts()}
    return [spec for spec, own in layouts.items() if own in layout.split(JOIN)]


def cards() -> "dict[str, Card]":
    """Folder name -> card of every model that can be opened, by name."""
    return _catalogue_now()[0]


def refused_models() -> dict[str, str]:
    """Folder name -> why it cannot be opened, of every checkpoint whose card does not hold."""
    return _catalogue_now()[1]


def _catalogue_now() -> "tuple[dict[str, Card], dict[str, str]]":
    from core.identity import stamp
    from core.model.checkpoint import CARD, WEIGHTS, candidates

    return _catalogue(tuple((str(f), stamp(f / CARD), stamp(f / WEIGHTS)) for f in candidates()))


@st.cache_resource(max_entries=2, show_spinner=False)
def _catalogue(
    files: tuple[tuple[str, tuple[int, int], tuple[int, int]], ...],
) -> "tuple[dict[str, Card], dict[str, str]]":
    from core.model.checkpoint import catalogue

    return catalogue()


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def classifier(name: str) -> "Classifier":
    """The classifier of a checkpoint in weights/ or $HILUM_WEIGHTS."""
    from core.model.classifier import open_classifier

    return open_classifier(name)


@st.cache_resource(max_entries=256, show_spinner=False)
def film(spec: str, row: int) -> Radiograph:
    """One film of a cohort, decoded."""
    return cohort(spec).film(row)


@st.cache_resource(max_entries=256, show_spinner=False)
def mask(spec: str, row: int, column: str) -> np.ndarray | None:
    """A mask of one film of a cohort, bool (H, W); None where there is none."""
    return cohort(spec).mask(row, column)


@st.cache_data(max_entries=20_000, show_spinner=False)
def thumbnail(spec: str, row: int, side: int = 160) -> bytes:
    """One film of a cohort as a small PNG, squeezed to a square."""
    return small(cohort(spec).film(row).pixels, side)


def small(pixels: np.ndarray, side: int = 160) -> bytes:
    """A grey picture as a small square PNG."""
    import cv2

    from core.report.overlay import png

    return png(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA))


@st.cache_resource(max_entries=512, show_spinner="Asking the model", hash_funcs=IDENTITY)
def prediction(model: "Classifier", film: Radiograph) -> "Prediction":
    """What a classifier says of a film."""
    return model.predict(film)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=IDENTITY)
def lungs(film: Radiograph) -> "Lungs":
    """The lung fields of a film, in its own frame."""
    from core.lungs.segment import find

    return find(film)


def heatmaps(
    model: "Classifier",
    film: Radiograph,
    method: str,
    layer: str | None,
    progress: Callable[[float], None] | None = None,
) -> "dict[str, Heatmap]":
    """Every class's heatmap of a film; ``progress`` (which may raise to cancel) is called while they are made."""
    from core.explain.heatmap import heatmaps as explain

    shelf, key = _heatmap_shelf(), _heatmap_key(model, film, method, layer)
    if key not in shelf:
        picture = prediction(model, film).picture
        made = explain(model, picture, method, layer=layer, film_sha256=film.sha256, progress=progress)
        shelve(shelf, key, made, HEATMAPS_KEPT)
    return shelf[key]


def shelve(shelf: dict[K, V], key: K, made: V, most: int) -> None:
    """Put what was made on a shelf, a dictionary that holds at most so many, and drop the oldest."""
    shelf[key] = made
    while len(shelf) > most:
        shelf.pop(next(iter(shelf)), None)


def has_heatmaps(model: "Classifier", film: Radiograph, method: str, layer: str | None) -> bool:
    """Whether `heatmaps` would answer at once."""
    return _heatmap_key(model, film, method, layer) in _heatmap_shelf()


def _heatmap_key(model: "Classifier", film: Radiograph, method: str, layer: str | None) -> tuple:
    return model.card.name, model.card.created, film.sha256, method, layer


@st.cache_resource(show_spinner=False)
def _heatmap_shelf() -> "dict[tuple, dict[str, Heatmap]]":
    """A plain dictionary, oldest first: a cached function may not draw on a progress bar made outside it."""
    return {}


@st.cache_resource(max_entries=128, show_spinner="Testing whether the heatmap is evidence", hash_funcs=IDENTITY)
def trust(
    model: "Classifier", film: Radiograph, heatmap: "Heatmap", fields: np.ndarray | None, truth: np.ndarray | None
) -> "Trust":
    """The trust card of one heatmap; lung fields and truth, bool (S, S), as far as they are known."""
    from core.explain.trust import assess

    said = prediction(model, film)
    return assess(
        model, said.picture, heatmap, fields, truth, domain=said.domain, film=film, bank=lambda: bank(model, film)
    )


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=IDENTITY)
def bank(model: "Classifier", film: Radiograph) -> "Bank":
    """What hiding each part of a film does to the answer: shared by the trust cards of all its heatmaps."""
    from core.explain.trust import occlude

    return occlude(model, prediction(model, film).picture)


@st.cache_resource(max_entries=32, show_spinner="Hiding more and more", hash_funcs=IDENTITY)
def hiding_curves(model: "Classifier", film: Radiograph, heatmap: "Heatmap") -> "dict[str, Curve]":
    """Deletion, insertion and ROAD of one heatmap, to look at."""
    from core.explain.deletion import curves

    return curves(model, prediction(model, film).picture, heatmap.values, heatmap.class_name)


def lungs_on_picture(model: "Classifier", film: Radiograph) -> np.ndarray | None:
    """The lung fields in the frame of the model's picture, bool (S, S); None where none were found."""
    found = lungs(film)
    return model.preprocess.to_picture(found.mask, model.lungs(film)) if found.found else None


@st.cache_resource(max_entries=512, show_spinner="Asking about mild changes", hash_funcs=IDENTITY)
def spread(model: "Classifier", film: Radiograph) -> dict[str, tuple[float, float]]:
    """Lowest and highest probability of each class over copies of the film that differ as mildly as films do anyway."""
    import torch

    from core.transform.augment import Augment, Step

    mild = Augment(
        [
            Step("rotate", {"angle": (-4.0, 4.0)}),
            Step("shift", {"x": (-3.0, 3.0), "y": (-3.0, 3.0)}),
            Step("brightness", {"factor": (0.9, 1.1)}),
            Step("contrast", {"factor": (0.9, 1.1)}),
        ]
    )
    picture = prediction(model, film).picture
    copies = mild(torch.from_numpy(picture.copy()).repeat(MILD_COPIES, 1, 1), torch.Generator().manual_seed(0))
    _, found = model.predict_pictures(copies.numpy())
    return {name: (float(p.min()), float(p.max())) for name, p in zip(model.classes, found.T, strict=True)}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=IDENTITY)
def what_if(
    model: "Classifier", film: Radiograph, mask: np.ndarray, fill: str, class_name: str, method: str, layer: str | None
) -> "WhatIf":
    """The model's answer and heatmaps with a part of its picture hidden; ``mask`` is bool (S, S)."""
    from core.explain.whatif import ask

    return ask(model, prediction(model, film).picture, mask, fill, class_name, method, layer)


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=IDENTITY)
def map_of_picture(model: "Classifier", picture: np.ndarray, class_name: str, method: str = "gradcam") -> "Heatmap":
    """One class's heatmap of a picture that is no film of its own (a changed copy), uint8 (S, S)."""
    from core.explain.heatmap import heatmaps as explain

    return explain(model, picture, method, [class_name])[class_name]


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=IDENTITY)
def probabilities(model: "Classifier", picture: np.ndarray) -> dict[str, float]:
    """Calibrated probabilities of a picture, uint8 (S, S)."""
    _, found = model.predict_pictures(picture[None])
    return dict(zip(model.classes, map(float, found[0]), strict=True))


@st.cache_resource(max_entries=64, show_spinner="Moving through the range", hash_funcs=IDENTITY)
def sweep(
    model: "Classifier", film: Radiograph, step: "Step", parameter: str, limits: tuple[float, float], class_name: str
) -> "Sweep":
    """The robustness of a film to one setting of an augmentation."""
    from pages.shared import robustness

    picture = prediction(model, film).picture
    return robustness.sweep(model, picture, step, parameter, limits, class_name)
