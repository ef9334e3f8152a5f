"""The CAM family on ``head`` alone: feature map in, one coarse map per class out.

The arithmetic of the gradient methods is the `grad-cam` library's own. Its classes put hooks on a model and run it;
here they are built without one and given activations and gradients that were taken from the cached feature map, so
there is nothing to hook, to lock or to clean up. Five methods are computed here: Eigen-CAM and EigenGrad-CAM, as the
library's full SVD needs gigabytes at early layers (the thin SVD has the same first component); Score-CAM, for all
classes from the same passes; Ablation-CAM, where the library swaps layers of the shared network and, for networks
without a ReLU, replaces a channel by -10,000,000 instead of the paper's 0; Random CAM, to draw from a seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn

from core.errors import ExplainError
from core.explain.hide import Progress

CHANNELS_AT_ONCE = 64

Formula = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Cut:
    """A network opened at a layer, and what is asked of it.

    Attributes:
        tensor: uint8 (B, S, S) -> normalised float32 (B, 3, S, S).
        picture: the film as the model sees it, uint8 (S, S).
        network: normalised picture -> logits (B, n).
        upper: feature map -> logits (B, n).
        feature_map: float32 (1, K, h, w), without a graph, shared with other requests: never written to.
        indices: the C classes asked for.
    """

    tensor: Callable[[np.ndarray], torch.Tensor]
    picture: np.ndarray
    network: nn.Module
    upper: Callable[[torch.Tensor], torch.Tensor]
    feature_map: torch.Tensor
    indices: Sequence[int]


def gradients(cut: Cut) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of each class's logit by the feature map, (C, K, h, w), and the logits (n,).

    All classes go through the head as one batch. Only the map is differentiated: no parameter's ``grad`` is touched.
    """
    with torch.inference_mode(False), torch.enable_grad():
        maps = cut.feature_map.expand(len(cut.indices), -1, -1, -1).requires_grad_()
        logits = cut.upper(maps)
        chosen = logits[torch.arange(len(cut.indices)), cut.indices]
        (slopes,) = torch.autograd.grad(chosen.sum(), maps)
    return slopes, logits[0].detach()


def finer_cam(cut: Cut, against: int | None, strength: float) -> tuple[np.ndarray, torch.Tensor]:
    """Grad-CAM of what sets a class apart: its logit less ``strength`` times another's; (C, h, w) and the logits.

    Args:
        against: index of the other class; None, and for that class itself: the likeliest of the others.
        strength: 0 is Grad-CAM, 1 compares the two as equals.
    """
    with torch.inference_mode(False), torch.enable_grad():
        maps = cut.feature_map.expand(len(cut.indices), -1, -1, -1).requires_grad_()
        logits = cut.upper(maps)
        if logits.shape[1] < 2:
            raise ExplainError("this model has one output", "two or more, of which one is compared with another")
        own = torch.as_tensor(list(cut.indices), device=logits.device)
        rows = torch.arange(len(own), device=logits.device)
        others = logits.detach().clone()
        others[rows, own] = -torch.inf
        rivals = others.argmax(1)
        if against is not None:
            rivals = torch.where(own == against, rivals, against)
        gaps = logits[rows, own] - strength * logits[rows, rivals]
        (slopes,) = torch.autograd.grad(gaps.sum(), maps)
    activations = cut.feature_map.expand_as(slopes).numpy(force=True)
    return _formula("GradCAM")(activations, slopes.numpy(force=True)), logits[0].detach()


def library_cam(cut: Cut, class_name: str) -> tuple[np.ndarray, torch.Tensor]:
    """A gradient method by its class in the library: raw maps (C, h, w), before ReLU and min-max, and the logits."""
    slopes, logits = gradients(cut)
    activations = cut.feature_map.expand_as(slopes).numpy(force=True)
    return _formula(class_name)(activations, slopes.numpy(force=True)), logits


def eigen_cam(cut: Cut, weighted: bool) -> tuple[np.ndarray, torch.Tensor]:
    """First principal component of the map, or (``weighted``) of gradient times map; (C, h, w) and the logits."""
    if not weighted:
        component = _first_component(cut.feature_map[0].numpy(force=True))
        return np.repeat(component[None], len(cut.indices), axis=0), logits_of(cut)
    slopes, logits = gradients(cut)
    products = (slopes * cut.feature_map).numpy(force=True)  # (C, K, h, w)
    return np.stack([_first_component(product) for product in products]), logits


def ablation_cam(cut: Cut, progress: Progress | None) -> tuple[np.ndarray, torch.Tensor]:
    """Channels weighted by the drop of the logit when the channel is zero; (C, h, w) and the logits.

    The paper divides each drop by the logit. That is a constant for a class and only flips the map of a class whose
    logit is negative, so the drop is kept as it is, in logits.
    """
    channels = cut.feature_map.shape[1]
    logits, drops = logits_of(cut), []
    with torch.no_grad():
        for start in range(0, channels, CHANNELS_AT_ONCE):
            stop = min(start + CHANNELS_AT_ONCE, channels)
            ablated = cut.feature_map.repeat(stop - start, 1, 1, 1)
            ablated[torch.arange(stop - start), torch.arange(start, stop)] = 0
            drops.append((logits - cut.upper(ablated))[:, cut.indices])
            if progress:
                progress(stop / channels)
    return _weighted(cut, torch.cat(drops).T), logits


def random_cam(cut: Cut, seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """Channels weighted by uniform draws from [-1, 1), the same for a class whichever others are asked for."""
    logits = logits_of(cut)
    drawn = np.random.default_rng(seed).uniform(-1, 1, (len(logits), cut.feature_map.shape[1])).astype(np.float32)
    return _weighted(cut, torch.from_numpy(drawn[list(cut.indices)]).to(cut.feature_map)), logits


def score_cam(cut: Cut, channels: int | None, progress: Progress | None) -> tuple[np.ndarray, torch.Tensor]:
    """Channels weighted by the softmax, over channels, of the logit of the film seen through each; (C, h, w), logits.

    ``channels`` keeps only the most varied ones ("Faster Score-CAM"); None keeps all, as published.
    """
    maps = cut.feature_map[0]
    if channels is not None:
        if channels < 1:
            raise ExplainError(f"Score-CAM was given {channels} channels", "1 or more, or none for all")
        maps = maps[maps.std(dim=(1, 2)).argsort(descending=True)[:channels]]
    film, scores = cut.tensor(cut.picture[None]), []
    with torch.no_grad():
        for start in range(0, len(maps), 16):
            part = maps[start : start + 16, None]  # (b, 1, h, w)
            masks = torch.nn.functional.interpolate(part, film.shape[-2:], mode="bilinear", align_corners=True)
            low, high = masks.amin((2, 3), keepdim=True), masks.amax((2, 3), keepdim=True)
            seen = film * (masks - low) / (high - low + 1e-8)
            scores.append(cut.network(seen)[:, cut.indices])
            if progress:
                progress(min(1.0, (start + 16) / len(maps)))
    weights = torch.cat(scores).softmax(dim=0).T  # (C, K)
    return torch.einsum("ck,khw->chw", weights, maps).numpy(force=True), logits_of(cut)


def logits_of(cut: Cut) -> torch.Tensor:
    """The logits (n,) of the film."""
    with torch.no_grad():
        logits: torch.Tensor = cut.upper(cut.feature_map)[0]
        return logits


def _weighted(cut: Cut, weights: torch.Tensor) -> np.ndarray:
    """Channel weights (C, K) times the feature map -> (C, h, w)."""
    return torch.einsum("ck,khw->chw", weights, cut.feature_map[0]).numpy(force=True)


def _first_component(maps: np.ndarray) -> np.ndarray:
    """(K, h, w) -> (h, w): the projection on the first principal component over places, centred as in the library."""
    points = np.nan_to_num(maps.reshape(maps.shape[0], -1).T, nan=0.0, posinf=0.0, neginf=0.0)
    points = points - points.mean(axis=0)
    _, _, components = np.linalg.svd(points, full_matrices=False)
    projection: np.ndarray = (points @ components[0]).reshape(maps.shape[1:])
    return projection


@cache
def _formula(class_name: str) -> Formula:
    """(activations, gradients), each (C, K, h, w) -> raw maps (C, h, w), by the library's class without its hooks."""
    import pytorch_grad_cam

    parent = getattr(pytorch_grad_cam, class_name)
    bare = type(parent.__name__, (parent,), {"__init__": lambda self: None, "__del__": lambda self: None})()
    return lambda activations, slopes: bare.get_cam_image(None, None, None, activations, slopes, False)
