"""Is this a film that the model can judge at all? Asked before its prediction is shown.

Three questions, each with a warning and a refusal limit set on validation films (`core.training.domain.fit`):
- the file: is it blank, coloured like a photograph, a narrow strip, tagged as lateral?
- the view: does a linear model that learned from real films, and from films inverted, turned and taken apart, and drawn
  patterns, take it for an upright frontal chest film?
- the features: how far are the network's own features from those of its training films (Mahalanobis distance in their
  principal subspace plus the rest, i.e. probabilistic PCA)?
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch

from core.data.film.radiograph import Radiograph
from core.networks.network import Network

Status = Literal["in", "doubtful", "out"]
STAGES = 3  # the last stages of the network whose pooled maps make the signature
THUMBNAIL = 16  # side, pixels
GRID = 4  # cells along a side of the picture, of which a network that is only a function leaves mean and spread
FAR = 8.0  # standard deviations
KINDS = ("film", "inverted", "turned", "no chest film")  # what the view model tells apart

BLANK_SPREAD = 6.0  # standard deviation of grey levels below which a film shows nothing
COLOUR_WARN, COLOUR_REFUSE = 0.05, 0.15  # mean saturation; coloured stamps on a film stay below the first
NOT_FRONTAL = ("LL", "RL", "LAT", "LATERAL", "LLO", "RLO", "LPO", "RPO")  # DICOM view positions
STRIP_WARN, STRIP_REFUSE = 1.8, 3.0  # longer side over shorter

SENTENCES = {
    "inverted": "It looks inverted: black and white seem to be swapped. Invert it and ask again.",
    "turned": "It looks turned: upside down or on its side. Turn it upright and ask again.",
    "no chest film": "It does not look like a frontal chest film.",
    "features": "It differs from the films this model learned from.",
}
FINE = "It resembles the films this model learned from."
UNKNOWN = "This model was stored without an in-domain check, so nothing is known about how well it fits this film."


@dataclass(frozen=True)
class DomainVerdict:
    """Whether the model knows films like this one.

    Args:
        score: 0 for a typical training film, `limit` where films are refused; NaN when the model has no check.
        limit: the refusal limit, 1.
        status: "in", "doubtful" (shown with a warning) or "out" (refused).
        sentence: the reason, in plain words.
    """

    score: float
    limit: float
    status: Status
    sentence: str


@dataclass(frozen=True)
class Limits:
    """Of one measure, over validation films: its median, and where warning and refusal start."""

    centre: float
    warn: float
    refuse: float

    def score(self, value: float) -> tuple[float, Status]:
        """The value on a scale with 0 = centre and 1 = refuse, and what follows from it; NaN is refused."""
        status: Status = "in" if value <= self.warn else "doubtful" if value <= self.refuse else "out"
        return (value - self.centre) / (self.refuse - self.centre), status


@dataclass(frozen=True, eq=False)
class Gate:
    """The fitted check. Vectors are over D = signature plus thumbnail values, in that order.

    Args:
        tensors: mean, scale (D,); weight (4, D), bias (4,) of the view model; components (K, S), variances (K,) and
            noise (1,) of the S signature values. Empty: the checkpoint has no check.
        limits: of "view" (log-odds against a film) and "features" (mean squared distance).
    """

    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)

    @classmethod
    def from_card(cls, card: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> "Gate":
        """From what a checkpoint keeps: the card's `domain` and the tensors below "domain."."""
        limits = {name: Limits(**values) for name, values in card.get("limits", {}).items()}
        return cls({name: value.numpy().astype(np.float32) for name, value in tensors.items()}, limits)

    def judge(self, film: Radiograph, picture: np.ndarray, signature: np.ndarray) -> DomainVerdict:
        """A film, its picture uint8 (S, S) and its signature (D,) -> the verdict."""
        refused = _file(film, picture)
        if refused and refused.status == "out":
            return refused
        if not self.tensors:
            return refused or DomainVerdict(float("nan"), 1.0, "doubtful", UNKNOWN)
        values, kinds = self.measure(signature[None], thumbnails(picture[None]))
        found = {name: self.limits[name].score(float(value[0])) for name, value in values.items()}
        score = max(score for score, _ in found.values())
        status = max((status for _, status in found.values()), key=_SEVERITY.index)
        if status == "in":
            return refused or DomainVerdict(score, 1.0, status, FINE)
        # The view model names what is wrong; the features only know that something is.
        reason = KINDS[kinds[0]] if found["view"][1] != "in" else "features"
        return DomainVerdict(score, 1.0, status, SENTENCES[reason])

    def measure(self, signatures: np.ndarray, thumbs: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Signatures (N, S), thumbnails (N, T) -> both measures (N,), and the likeliest kind of non-film (N,)."""
        t = self.tensors
        x = standardised(np.hstack([signatures, thumbs]), t["mean"], t["scale"])  # (N, D)
        odds = x @ t["weight"].T + t["bias"]  # (N, 4)
        others = odds[:, 1:]
        top = others.max(axis=1)
        view = top + np.log(np.exp(others - top[:, None]).sum(axis=1)) - odds[:, 0]
        inner = x[:, : signatures.shape[1]]
        along = inner @ t["components"].T  # (N, K)
        rest = (inner**2).sum(axis=1) - (along**2).sum(axis=1)
        distance = ((along**2 / t["variances"]).sum(axis=1) + rest / t["noise"]) / inner.shape[1]
        return {"view": view, "features": distance}, 1 + others.argmax(axis=1)


_SEVERITY: tuple[Status, ...] = ("in", "doubtful", "out")


def signature(network: Network, images: torch.Tensor, bf16: Collection[str] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (B, K, S, S) -> logits (B, C), and float32 (B, D): mean and spread of each map of the last stages.

    Of a network that is only a function: of each cell of a grid on the picture itself.

    Args:
        bf16: stages that are computed in bfloat16 (`core.model.bulk.precision`); the others, and the head, never.
    """
    logits, signatures, _ = signature_and_map(network, images, bf16)
    return logits, signatures


def signature_and_map(
    network: Network, images: torch.Tensor, bf16: Collection[str] = ()
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
    """The same, and what the last stage made of the images; None of a network that is only a function."""
    if network.opaque:
        return network.head(images), _gridded(images[:, :1].float()), None
    first = len(network.features) - STAGES
    map_, found = images, []
    for number, (name, stage) in enumerate(network.features.named_children()):
        if name in bf16:
            with torch.autocast(images.device.type, torch.bfloat16):
                map_ = stage(map_)
        else:
            map_ = stage(map_.float())
        if number >= first:
            found.append(pooled(network.layout.map_of(map_)))
    return network.head(map_.float()), torch.cat(found, dim=1), map_


def pooled(map_: torch.Tensor) -> torch.Tensor:
    """A stage's map (B, K, h, w) -> float32 (B, 2 K): mean and spread over its places."""
    wide = map_.float()
    mean = wide.mean((2, 3))
    return torch.cat((mean, ((wide * wide).mean((2, 3)) - mean * mean).clamp_min(0).sqrt()), dim=1)


def _gridded(film: torch.Tensor) -> torch.Tensor:
    """One channel (B, 1, S, S) -> float32 (B, 2 x GRID x GRID)."""
    mean, square = (torch.nn.functional.adaptive_avg_pool2d(x, GRID).flatten(1) for x in (film, film * film))
    return torch.cat((mean, (square - mean * mean).clamp_min(0).sqrt()), dim=1)


def thumbnails(pictures: np.ndarray) -> np.ndarray:
    """uint8 (B, S, S) -> float32 (B, 256): 16 x 16 pixels, with mean 0 and spread 1 so that exposure is gone."""
    import cv2

    size = (THUMBNAIL, THUMBNAIL)
    small = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures])
    flat = small.reshape(len(small), -1).astype(np.float32)
    normalised: np.ndarray = (flat - flat.mean(axis=1, keepdims=True)) / np.maximum(
        flat.std(axis=1, keepdims=True), 4.0
    )
    return normalised


def standardised(x: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """In units of the training films' spread, cut at +-FAR: values further out would only dominate the rest."""
    scaled: np.ndarray = np.clip((x - mean) / scale, -FAR, FAR)
    return scaled


def _file(film: Radiograph, picture: np.ndarray) -> DomainVerdict | None:
    """What can be said without a model; None when nothing speaks against the file."""
    if picture.std() < BLANK_SPREAD:
        return DomainVerdict(np.inf, 1.0, "out", "It is blank: nearly every pixel has the same grey.")
    if film.tags.get("view", "") in NOT_FRONTAL:
        return DomainVerdict(np.inf, 1.0, "out", "Its file says that it is a lateral or oblique film.")
    if part := film.tags.get("body part", ""):
        return DomainVerdict(np.inf, 1.0, "out", f"Its file says that it shows another part of the body ({part}).")
    ratio = max(film.shape) / min(film.shape)
    strip = f"It is a strip, {ratio:.1f} times as long as wide; chest films are nearly square."
    for value, warn, refuse, sentence in (
        (film.colour, COLOUR_WARN, COLOUR_REFUSE, "It is coloured like a photograph; radiographs are grey."),
        (ratio, STRIP_WARN, STRIP_REFUSE, strip),
    ):
        if value > warn:
            status: Status = "out" if value > refuse else "doubtful"
            return DomainVerdict(value / refuse, 1.0, status, sentence)
    return None
