"""Where the network looked: every class's heatmap from one pass through the network.

A network is ``features | head``. The feature map is computed once without gradients and kept for a while; all classes
then go through the head as one batch. Nothing here hooks, changes or locks the shared network, so any number of threads
may ask at once.

Values keep their true scale (for most methods gradient times activation, so logits per place of the feature map): maps
of different classes and films share one colour bar. ``Heatmap.normalised`` is the min-max view and equals the output of
the `grad-cam` library hooked on the whole network. For DenseNet the feature map is the one after the last ReLU: hooked
on ``norm5`` the library records neither side, because torchvision's in-place ReLU rewrites the tensor under its hook.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from core.errors import ExplainError
from core.explain.heatmap.cache import feature_map
from core.explain.heatmap.cam import Cut
from core.explain.hide import Progress
from core.explain.method_functions import Request
from core.explain.methods import Method, borne
from core.model.classifier import Classifier
from core.networks.network import Layout

Fuse = Literal["mean", "product"]
ROUNDING = 1e-6  # positive evidence below this part of the largest magnitude is float32 rounding, not evidence


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Evidence for one class at each pixel of the picture the model saw.

    Attributes:
        values: float32 (S, S), read-only, at true scale; >= 0 unless ``signed``, and always finite.
        class_name, method, layer, model: what was asked. ``layer`` is "film" for methods that look at no layer,
            "layer2 + layer4" for a fused map.
        film_sha256: hash of the film's file, as the caller gave it; "" if not given.
        probability: the class's calibrated probability for this film.
        seconds: wall-clock time of the whole request, all its classes together.
        blank: there is no positive evidence (signed: none at all) and ``values`` is zero everywhere.
        signed: negative values are evidence against the class.
        options: of the method, as far as they were given: the seed of a Random CAM, the window of an occlusion.
    """

    values: np.ndarray
    class_name: str
    method: str
    layer: str
    model: str
    film_sha256: str
    probability: float
    seconds: float
    blank: bool
    signed: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def top(self) -> float:
        """The largest magnitude: the value of the last colour wherever the map is drawn by itself; 0 if blank."""
        return float(np.abs(self.values).max())

    def normalised(self) -> np.ndarray:
        """The map without its scale, float32 (S, S): min-max to [0, 1]. A blank or constant map gives zeros.

        A signed map is divided by its largest magnitude: it lies in [-1, 1] and zero stays zero.
        """
        low = 0.0 if self.signed else float(self.values.min())
        span = self.top if self.signed else float(self.values.max()) - low
        return (self.values - low) / span if span > 0 else np.zeros_like(self.values)


def heatmaps(
    classifier: Classifier,
    picture: np.ndarray,
    method: str = "",
    classes: Sequence[str] | None = None,
    layer: str | Sequence[str] | None = None,
    *,
    fuse: Fuse = "mean",
    signed: bool | None = None,
    film_sha256: str = "",
    progress: Progress | None = None,
    **options: Any,
) -> dict[str, Heatmap]:
    """The heatmap of every class, or of ``classes``, for one film.

    Args:
        picture: the film as the model sees it, uint8 (S, S).
        method: a key of ``METHODS``, whose row lists the ``options`` it takes; "": the network's usual one.
        layer: a stage of the network, ``Network.usual_layer`` unless given; several stages are fused. Methods that look
            at the film itself ignore it.
        fuse: how maps of several layers become one. Each is brought to [0, 1]; "mean" averages them (as the library
            does), "product" takes their geometric mean (evidence on which all layers agree). The result gets the mean
            of the peaks as its scale.
        signed: keep evidence against the class, where the method has it; the method's own habit unless given.
        progress: called with the share done, 0 to 1, by the methods that take seconds. May raise to cancel.

    Raises:
        ExplainError: unknown method, class, layer or option; a picture of the wrong shape; a layer whose map has no
            places; a network that does not answer with finite numbers.
    """
    started = time.perf_counter()
    row = borne(method, classifier.network)
    names = _known_classes(classifier, classes)
    settings = _settings(row, options)
    if picture.ndim != 2 or picture.dtype != np.uint8:
        raise ExplainError(f"the picture is {picture.dtype} {picture.shape}", "uint8 (S, S)")
    indices = [classifier.classes.index(name) for name in names]
    asked = Request(classifier, picture, indices, settings, progress)
    if row.layered:
        stages = _known_layers(classifier, layer)
        found = [row.function(replace(asked, opened=opened(asked, stage))) for stage in stages]
    else:
        stages = ("film",)
        found = [row.function(asked)]
    raw, logits = [maps for maps, _ in found], found[-1][1]
    if not torch.isfinite(logits).all():
        raise ExplainError(
            f"{classifier.card.name} answers this film with a number that is not finite",
            "finite logits",
            "The checkpoint is probably damaged: train it again or load another copy",
        )
    keep_sign = row.signed if signed is None else signed
    values = _fused([_evidence(maps, keep_sign) for maps in raw], picture.shape, fuse)
    values.flags.writeable = False
    probabilities = classifier.probabilities(logits.numpy(force=True)).tolist()
    seconds = time.perf_counter() - started
    return {
        name: Heatmap(
            values=value,
            class_name=name,
            method=row.name,
            layer=" + ".join(stages),
            model=classifier.card.name,
            film_sha256=film_sha256,
            probability=probabilities[index],
            seconds=seconds,
            blank=not value.any(),
            signed=keep_sign,
            options=dict(options),
        )
        for name, index, value in zip(names, indices, values, strict=True)
    }


def opened(asked: Request, stage: str) -> Cut:
    """The network opened at a stage, with this film's feature map."""
    network = asked.classifier.network
    lower, upper = network.cut(stage)
    native = feature_map(asked.classifier, asked.picture, stage, lower)
    found = network.layout.map_of(native)
    if not _has_places(found):
        raise ExplainError(
            f"the map at {stage} is {tuple(found.shape)} for a picture of {asked.picture.shape}",
            "a map (1, K, h, w) of several places",
            "Choose an earlier layer",
        )
    whole = partial(_rest, network.layout, upper, native)
    return Cut(asked.classifier.tensor, asked.picture, network, whole, found, asked.indices)


def _rest(layout: Layout, upper: nn.Module, native: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Maps (B, K, h, w) in the place of this film's -> logits (B, n); its prefix tokens stay as they are."""
    logits: torch.Tensor = upper(layout.native_of(maps, native))
    return logits


def _evidence(raw: np.ndarray, signed: bool) -> np.ndarray:
    """Raw maps (C, h, w) -> float32, finite, rectified unless signed, and exactly zero where only rounding is left.

    Where a method's arithmetic has no finite answer (0 / 0 in a dead channel) there is no evidence: zero.
    """
    finite = np.nan_to_num(raw.astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
    kept = finite if signed else np.maximum(finite, 0)
    noise = ROUNDING * np.abs(finite).max(axis=(1, 2), keepdims=True)
    cleaned: np.ndarray = kept * (np.abs(kept).max(axis=(1, 2), keepdims=True) > noise)
    return cleaned


def _fused(layers: list[np.ndarray], shape: tuple[int, ...], fuse: Fuse) -> np.ndarray:
    """Maps (C, h, w) of one or several layers -> one (C, S, S); see ``heatmaps``."""
    if len(layers) == 1:
        return resized(layers[0], shape)
    units, peaks = [], []
    for maps in layers:
        low, peak = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
        unit = np.divide(maps - low, peak - low, out=np.zeros_like(maps), where=peak > low)
        units.append(resized(unit, shape))
        peaks.append(peak)
    together = np.mean(units, axis=0) if fuse == "mean" else np.prod(units, axis=0) ** (1 / len(units))
    joined: np.ndarray = together * np.mean(peaks, axis=0)
    return joined


def resized(maps: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(C, h, w) -> (C, S, S), bilinear between the centres of the cells, as OpenCV and the library do."""
    if maps.shape[1:] == tuple(shape):
        return maps
    return torch.nn.functional.interpolate(torch.from_numpy(maps)[None], tuple(shape), mode="bilinear")[0].numpy()


def _has_places(maps: torch.Tensor) -> bool:
    return maps.ndim == 4 and maps.shape[-2:].numel() > 1


def _known_classes(classifier: Classifier, classes: Sequence[str] | None) -> tuple[str, ...]:
    names = classifier.classes if classes is None else tuple(classes)
    if unknown := [name for name in names if name not in classifier.classes]:
        raise ExplainError(f"{classifier.card.name} knows no class {unknown[0]!r}", ", ".join(classifier.classes))
    return names


def _known_layers(classifier: Classifier, layer: str | Sequence[str] | None) -> tuple[str, ...]:
    known = classifier.network.layers
    stages = (classifier.network.usual_layer,) if not layer else (layer,) if isinstance(layer, str) else tuple(layer)
    if unknown := [stage for stage in stages if stage not in known]:
        raise ExplainError(f"{classifier.card.network} has no layer {unknown[0]!r}", f"one of {', '.join(known)}")
    return stages


def _settings(row: Method, options: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(options) - set(row.options)):
        taken = ", ".join(row.options) or "no options"
        raise ExplainError(f"{row.title} has no option {unknown[0]!r}", taken)
    return {**row.options, **options}
