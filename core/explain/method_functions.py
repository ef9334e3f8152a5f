"""What the rows of the table of methods run: each turns a request into raw maps and logits.

Menus and ``--help`` read the table, so nothing heavy is imported before a method is run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ExplainError

if TYPE_CHECKING:
    import torch

    from core.explain.heatmap.cam import Cut
    from core.explain.hide import Progress
    from core.model.classifier import Classifier

Maps = tuple[np.ndarray, "torch.Tensor"]
"""Raw maps, float (C, h, w) of a layer or (C, S, S) of the film, and the film's logits (n,)."""


@dataclass(frozen=True, eq=False)
class Request:
    """What a method is asked for.

    Attributes:
        classifier: whose answer is to be explained.
        picture: the film as the model sees it, uint8 (S, S).
        indices: the C classes asked for.
        settings: every option of the method's row.
        progress: called with the share done, 0 to 1; may raise to cancel.
        cut: the network opened at the layer in question; only methods that look at a layer may ask for it.
    """

    classifier: "Classifier"
    picture: np.ndarray
    indices: Sequence[int]
    settings: Mapping[str, Any]
    progress: "Progress | None"
    opened: "Cut | None" = None

    @property
    def cut(self) -> "Cut":
        """The opened network."""
        assert self.opened is not None, "a method that looks at a layer has a row with layered=False"
        return self.opened


Function = Callable[[Request], Maps]


def library(class_name: str) -> Function:
    """A gradient method of the `grad-cam` library, by the name of its class."""

    def run(asked: Request) -> Maps:
        from core.explain.heatmap.cam import library_cam

        return library_cam(asked.cut, class_name)

    return run


def finer(asked: Request) -> Maps:
    """FinerCAM, and with the option ``against`` the contrast map of two classes."""
    from core.explain.heatmap.cam import finer_cam

    name, classes = asked.settings["against"], asked.classifier.classes
    if name is not None and name not in classes:
        raise ExplainError(f"{asked.classifier.card.name} knows no class {name!r}", ", ".join(classes))
    return finer_cam(asked.cut, None if name is None else classes.index(name), asked.settings["strength"])


def eigen(weighted: bool) -> Function:
    """Eigen-CAM, or (``weighted``) EigenGrad-CAM."""

    def run(asked: Request) -> Maps:
        from core.explain.heatmap.cam import eigen_cam

        return eigen_cam(asked.cut, weighted)

    return run


def score(asked: Request) -> Maps:
    """Score-CAM."""
    from core.explain.heatmap.cam import score_cam

    return score_cam(asked.cut, asked.settings["channels"], asked.progress)


def ablation(asked: Request) -> Maps:
    """Ablation-CAM."""
    from core.explain.heatmap.cam import ablation_cam

    return ablation_cam(asked.cut, asked.progress)


def random(asked: Request) -> Maps:
    """Random CAM."""
    from core.explain.heatmap.cam import random_cam

    return random_cam(asked.cut, asked.settings["seed"])


def occlusion(asked: Request) -> Maps:
    """Occlusion by a sliding window."""
    import torch

    from core.explain.hide import sweep

    drops, logits = sweep(asked.classifier, asked.picture, progress=asked.progress, **asked.settings)
    return drops[list(asked.indices)], torch.from_numpy(logits)


def rise(asked: Request) -> Maps:
    """RISE."""
    import torch

    from core.explain.heatmap.masks import rise as run

    found, logits = run(asked.classifier, asked.picture, progress=asked.progress, **asked.settings)
    return found[list(asked.indices)], torch.from_numpy(logits)


def rollout(asked: Request) -> Maps:
    """Attention rollout."""
    from core.explain.heatmap.attention import rollout as run

    return run(asked.classifier.network, asked.classifier.tensor(asked.picture[None]), asked.indices)


def legrad(asked: Request) -> Maps:
    """LeGrad."""
    from core.explain.heatmap.attention import legrad as run

    return run(asked.classifier.network, asked.classifier.tensor(asked.picture[None]), asked.indices)


def integrated_gradients(asked: Request) -> Maps:
    """Integrated gradients, from the film filled as the option ``baseline`` says."""
    from core.explain.heatmap.path import integrated_gradients as run
    from core.explain.hide import hide

    empty = hide(asked.picture, np.ones(asked.picture.shape, bool), asked.settings["baseline"])
    film, baseline = asked.classifier.tensor(np.stack([asked.picture, empty])).split(1)
    return run(asked.classifier.network, film, baseline, asked.indices, asked.settings["steps"], asked.progress)
