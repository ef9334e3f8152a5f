"""Grad-CAM taken apart, so that it can be built by hand: a layer's channels, and the weight of each for one class."""

from dataclasses import dataclass

import numpy as np

from core.explain.heatmap import opened, resized
from core.explain.heatmap.cam import gradients
from core.explain.method_functions import Request
from core.model.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Parts:
    """What Grad-CAM adds up (Selvaraju 2017, arXiv:1610.02391).

    Attributes:
        channels: float32 (K, h, w), what each channel of the layer answers at each place.
        weights: float32 (K,), the mean slope of the class's logit along each channel.
        shape: (S, S) of the picture.
    """

    channels: np.ndarray
    weights: np.ndarray
    shape: tuple[int, int]

    def map_of(self, weights: np.ndarray) -> np.ndarray:
        """The positive part of the channels' sum under weights (K,), float32 (S, S)."""
        total = np.tensordot(weights.astype(np.float32), self.channels, axes=1)
        found: np.ndarray = resized(np.maximum(total, 0)[None].astype(np.float32), self.shape)[0]
        return found

    def strongest(self, most: int) -> np.ndarray:
        """The channels that Grad-CAM's own map rests on most, int (most,): by the positive evidence each brings."""
        brings = np.maximum(self.weights[:, None, None] * self.channels, 0).sum(axis=(1, 2))
        found: np.ndarray = np.argsort(-brings, kind="stable")[:most]
        return found


def parts(classifier: Classifier, picture: np.ndarray, class_name: str, layer: str | None = None) -> Parts:
    """Take the layer apart for one class and one film, uint8 (S, S); the layer is the usual one unless given.

    Raises:
        ExplainError: an unknown class, or a layer without places.
    """
    from core.errors import ExplainError

    if class_name not in classifier.classes:
        raise ExplainError(f"{classifier.card.name} knows no class {class_name!r}", ", ".join(classifier.classes))
    asked = Request(classifier, picture, [classifier.classes.index(class_name)], {}, None)
    cut = opened(asked, layer or classifier.network.usual_layer)
    slopes, _ = gradients(cut)
    weights = slopes[0].mean(dim=(1, 2)).numpy(force=True).astype(np.float32)
    channels = cut.feature_map[0].numpy(force=True).astype(np.float32)
    return Parts(channels, weights, (picture.shape[0], picture.shape[1]))
