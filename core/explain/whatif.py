"""What if this part of the film were not there? Prediction and heatmaps before and after hiding it."""

from dataclasses import dataclass

import numpy as np

from core.errors import ExplainError
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.hide import FILLS, hide, regions
from core.model.classifier import Classifier

__all__ = ["FILLS", "Answer", "WhatIf", "ask", "rectangle", "regions"]


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model says of one picture.

    Attributes:
        picture: uint8 (S, S).
        probabilities: calibrated, by class, adding up to 1.
        heatmaps: one for each class.
    """

    picture: np.ndarray
    probabilities: dict[str, float]
    heatmaps: dict[str, Heatmap]


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A film before and after a region was hidden.

    Attributes:
        before, after: the model's answers.
        mask: the hidden region, bool (S, S).
        fill: what it was filled with, a key of ``FILLS``.
        class_name: the class in question.
    """

    before: Answer
    after: Answer
    mask: np.ndarray
    fill: str
    class_name: str

    @property
    def change(self) -> float:
        """How far the class's probability moved, in [-1, 1]; negative when hiding the region lowered it."""
        return self.after.probabilities[self.class_name] - self.before.probabilities[self.class_name]


def ask(
    classifier: Classifier,
    picture: np.ndarray,
    mask: np.ndarray,
    fill: str = "blur",
    class_name: str | None = None,
    method: str = "",
    layer: str | None = None,
) -> WhatIf:
    """Hide ``mask``, bool (S, S), on ``picture``, uint8 (S, S), and ask again.

    Args:
        class_name: the class in question; the one called before hiding unless given.
        method, layer: of the heatmaps; "" and None: the network's usual ones.

    Raises:
        ExplainError: nothing is hidden, or an unknown fill, class, method or layer.
    """
    if not mask.any():
        raise ExplainError("the hidden region is empty", "at least one pixel of the film", "Draw a box on the film")
    before = _answer(classifier, picture, method, layer)
    if class_name is not None and class_name not in before.probabilities:
        raise ExplainError(f"{classifier.card.name} knows no class {class_name!r}", ", ".join(before.probabilities))
    after = _answer(classifier, hide(picture, mask, fill), method, layer)
    first = classifier.output.first(np.array(list(before.probabilities.values())))
    chosen = class_name or classifier.classes[int(first)]
    return WhatIf(before, after, mask, fill, chosen)


def rectangle(shape: tuple[int, int], left: float, top: float, width: float, height: float) -> np.ndarray:
    """A mask, bool (S, S), of a box given in pixels, as drawn on the film; parts outside the picture are cut off."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    mask: np.ndarray = (rows >= top) & (rows < top + height) & (columns >= left) & (columns < left + width)
    return mask


def _answer(classifier: Classifier, picture: np.ndarray, method: str, layer: str | None) -> Answer:
    maps = heatmaps(classifier, picture, method, layer=layer)
    return Answer(picture, {name: map_.probability for name, map_ in maps.items()}, maps)
