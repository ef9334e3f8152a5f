"""What a model says of a film: every part kept where the film's results lie."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from core.data.film.radiograph import Radiograph
from pages.shared.resources.shelves import shelf_of

if TYPE_CHECKING:
    from core.examine.examined import Examined
    from core.explain.heatmap import Heatmap
    from core.explain.robustness import MildCopies, Sweep
    from core.model.classifier import Classifier, Prediction
    from core.transform.augment import Step


def examined(
    model: "Classifier", film: Radiograph, label: str = "", marked: Callable[[], np.ndarray | None] | None = None
) -> "Examined":
    """One film before one model, its parts shared with everybody who may see the film."""
    from core.examine.examined import Examined, nowhere

    return Examined(model, film, label, marked or nowhere, shelf_of(film))


def prediction(model: "Classifier", film: Radiograph) -> "Prediction":
    """What a classifier says of a film."""
    return examined(model, film).prediction


def heatmaps(
    model: "Classifier",
    film: Radiograph,
    method: str = "",
    layer: str | None = None,
    progress: Callable[[float], None] | None = None,
    **options: Any,
) -> "dict[str, Heatmap]":
    """Every class's heatmap of a film, by the model's usual method unless told.

    Args:
        progress: called while they are made; may raise to cancel.
        options: of the method.
    """
    return examined(model, film).heatmaps(method, None, layer, progress, **options)


def has_heatmaps(model: "Classifier", film: Radiograph, method: str, layer: str | None, **options: Any) -> bool:
    """Whether `heatmaps` would answer at once."""
    return examined(model, film).has_heatmaps(method, None, layer, **options)


def mild_copies(case_of: "Examined") -> "MildCopies":
    """What the model says of copies of the film that differ as mildly as films do anyway."""
    with st.spinner("Predicting mildly changed copies"):
        return case_of.mild_copies


def map_of_picture(case_of: "Examined", picture: np.ndarray, class_name: str) -> "Heatmap":
    """One class's usual heatmap of a changed copy of the film, uint8 (S, S)."""
    from core.explain.heatmap import heatmaps as explain
    from core.explain.methods import usual_often

    method, options = usual_often(case_of.classifier.network, picture.shape[0])

    def made() -> "Heatmap":
        return explain(case_of.classifier, picture, method, [class_name], **options)[class_name]

    return case_of.keep("map of copy", made, picture=picture, class_name=class_name)


def probabilities(case_of: "Examined", picture: np.ndarray) -> dict[str, float]:
    """Calibrated probabilities of a changed copy of the film, uint8 (S, S)."""
    model = case_of.classifier

    def made() -> dict[str, float]:
        return dict(zip(model.classes, map(float, model.predict_pictures(picture[None])[1][0]), strict=True))

    return case_of.keep("probabilities of copy", made, picture=picture)


def sweep(case_of: "Examined", step: "Step", parameter: str, limits: tuple[float, float], class_name: str) -> "Sweep":
    """The robustness of a film to one setting of an augmentation."""
    from core.explain import robustness

    def made() -> "Sweep":
        return robustness.sweep(case_of.classifier, case_of.picture, step, parameter, limits, class_name)

    made_of = {"step": step.to_dict(), "parameter": parameter, "limits": limits, "class_name": class_name}
    with st.spinner("Computing the curve"):
        return case_of.keep("sweep", made, **made_of)
