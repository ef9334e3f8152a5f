"""A checkpoint at work: films in, calibrated predictions out.

Thread-safe by construction: after `__init__` nothing is ever written to the network, no hook is registered, no mode is
switched, and no gradient reaches a weight. One film at a time is scored in float32, so that every page agrees to the
last bit; many films go through the bulk engine (`core.model.bulk.engine`), which is as exact to 0.002.
"""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch

from core import device as devices
from core import identity
from core.data.film.radiograph import Radiograph
from core.errors import CheckpointError
from core.lazy import cached_property
from core.model import output as outputs
from core.model.bulk.engine import Engine, place_of
from core.model.bulk.engines import Engines
from core.model.bulk.painted import Box
from core.model.checkpoint import Checkpoint, load
from core.model.conformal import PredictionSet, Sets
from core.model.domain import DomainVerdict, Gate, signature_and_map
from core.model.output import Output
from core.networks.network import Network

Backend = Literal["auto", "torch", "openvino"]
T = TypeVar("T")
CODE = ("model", "networks", "transform", "data/film", "device.py")  # rooms whose code decides a prediction


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the model says about one film.

    Args:
        name: the film's file name.
        output: what the model's logits mean: its C classes or findings, and their operating points.
        probabilities: float32 (C,), calibrated; of exclusive classes they sum to 1.
        logits: float32 (C,), before calibration.
        picture: uint8 (S, S), the film as the model saw it.
        domain: whether the film is one the model can judge at all.
        prediction_set: the labels of its conformal set; None where the model has no such sets.
    """

    name: str
    output: Output
    probabilities: np.ndarray
    logits: np.ndarray
    picture: np.ndarray
    domain: DomainVerdict
    prediction_set: PredictionSet | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the model's outputs."""
        return self.output.classes

    @property
    def index(self) -> int:
        """The class whose evidence is shown first: the one called, of findings what comes nearest to it."""
        return int(self.output.first(self.probabilities))

    @property
    def label(self) -> str:
        """Name of the class at `index`. What is called is `called`, or `answer` in a word."""
        return self.classes[self.index]

    @property
    def called(self) -> tuple[str, ...]:
        """The one class called, or every finding called: none, one or several."""
        flags = self.output.called(self.probabilities)
        return tuple(name for name, yes in zip(self.classes, flags, strict=True) if yes)

    @property
    def answer(self) -> str:
        """What is called, as tables write it: "COVID-19", "Effusion|Edema", "none"."""
        return self.output.answer(self.probabilities)

    @property
    def by_class(self) -> dict[str, float]:
        """The calibrated probability of each class."""
        return dict(zip(self.classes, map(float, self.probabilities), strict=True))

    @property
    def refused(self) -> bool:
        """Whether the in-domain gate refuses the film: there is no answer then, and no number that looks like one."""
        return self.domain.status == "out"

    @property
    def told(self) -> dict[str, float]:
        """The probability of each class as tables of many films tell it: NaN where the film is refused."""
        return dict.fromkeys(self.classes, float("nan")) if self.refused else self.by_class

    @property
    def operating_points(self) -> dict[str, float]:
        """The operating point of each class."""
        return dict(zip(self.classes, self.output.operating_points, strict=True))

    @property
    def positive(self) -> tuple[str, ...]:
        """Every class at or above its operating point; none or several mean that the model is not sure."""
        pairs = zip(self.probabilities, self.output.operating_points, strict=True)
        return tuple(name for name, (p, point) in zip(self.classes, pairs, strict=True) if p >= point)


class Classifier:
    """A trained network with its own preprocessing, calibration, operating points and in-domain gate.

    Its network lies on `core.device.serving`, and so does what `tensor` makes. Whoever cuts or differentiates the
    network stays there; arrays come back with ``numpy(force=True)``.
    """

    def __init__(self, checkpoint: Checkpoint, backend: Backend = "auto") -> None:
        self.checkpoint = checkpoint
        self.card = checkpoint.card
        self.classes = self.card.classes
        self.preprocess = self.card.preprocess
        where = devices.serving()
        devices.exact(where)
        # In evaluation mode, without gradients; shared between threads, never changed.
        self.network = checkpoint.network().to(where)
        self.gate = Gate.from_card(self.card.domain, checkpoint.domain)
        self.output = outputs.of_card(self.card)
        self.sets = Sets.from_card(self.card.conformal, self.classes)
        self.backend = backend

    @cached_property
    def key(self) -> str:
        """What this classifier's answers are known by, see `core.identity`: weights, preprocessing and calibration.

        Not its name, title or figures: two names for one network share their answers, one name for two does not.
        """
        card = self.card
        return identity.key(
            "classifier",
            code=CODE,
            weights=self.checkpoint.weights,
            network=card.network,
            config=card.network_config,
            classes=self.classes,
            preprocess=self.preprocess.to_dict(),
            output=self.output.to_card(),
            domain=card.domain,
            conformal=card.conformal,
            backend=self.backend,
        )

    def with_network(self, network: Network) -> "Classifier":
        """A copy that answers by other weights, by engines of its own: this one's would say what the old ones say."""
        twin = copy.copy(self)
        twin.network = network
        for made in ("engine", "_engines"):
            vars(twin).pop(made, None)
        return twin

    @property
    def nbytes(self) -> int:
        """Bytes of the weights in memory."""
        return sum(value.nbytes for value in self.checkpoint.state.values())

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return place_of(self.network)

    def lungs(self, film: Radiograph) -> np.ndarray | None:
        """Bool lung mask (H, W) where the preprocessing crops to the lungs and finds them; else None."""
        if self.preprocess.region != "lungs":
            return None
        from core.lungs import segment

        return segment.mask(film)

    def picture(self, film: Radiograph) -> np.ndarray:
        """The film as the model sees it: uint8 (S, S)."""
        return self.preprocess.picture(film, self.lungs(film))

    def tensor(self, pictures: np.ndarray | torch.Tensor) -> torch.Tensor:
        """uint8 (B, S, S) -> float32 (B, 3, S, S), normalised, where the network lies."""
        return self.preprocess.tensor(torch.as_tensor(pictures).to(self.device))

    @torch.no_grad()
    def features(self, tensor: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, S, S) -> last feature map (B, K, h, w)."""
        map_: torch.Tensor = self.network.features(tensor)
        return map_

    @torch.no_grad()
    def head(self, map_: torch.Tensor) -> torch.Tensor:
        """Last feature map (B, K, h, w) -> logits (B, C)."""
        logits: torch.Tensor = self.network.head(map_.to(self.device))
        return logits

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated, of logits (..., C); float32 (..., C)."""
        return self.output.probabilities(logits)

    def predict(self, film: Radiograph) -> Prediction:
        """One film, in float32."""
        return self.predict_exactly([(film, self.picture(film))])[0]

    def predict_exactly(self, seen: Sequence[tuple[Radiograph, np.ndarray]]) -> list[Prediction]:
        """Films with their pictures uint8 (S, S), already made, as one batch in float32: what ``predict`` says of each.

        Sums of a batch may come in another order than those of one film: equal to the sixth digit.
        """
        return self.predict_with_maps(seen)[0] if seen else []

    def predict_with_maps(
        self, seen: Sequence[tuple[Radiograph, np.ndarray]]
    ) -> tuple[list[Prediction], torch.Tensor | None]:
        """The same for one film at least, with what the network's last stage made of them (B, ...), see
        `core.networks.network.Layout`; None of a network that is only a function."""
        with torch.inference_mode(False), torch.no_grad():  # a map made in inference mode could never take gradients
            images = self.tensor(np.stack([picture for _, picture in seen]))
            logits, signatures, maps = signature_and_map(self.network, images)
        outputs = zip(seen, logits.numpy(force=True), signatures.numpy(force=True), strict=True)
        return [self._prediction(*pair, *found) for pair, *found in outputs], maps

    def predict_pictures(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (B, S, S) -> logits and probabilities, each float32 (B, C), in float32; no in-domain verdict."""
        logits = self._engines.exact(pictures)[0] if len(pictures) else np.zeros((0, len(self.classes)), np.float32)
        return logits, self.probabilities(logits)

    def predict_many(self, films: Iterable[Radiograph], batch: int = 32) -> Iterator[Prediction]:
        """Many films, in order, through the bulk engine."""
        for group in batches(films, batch):
            yield from self.predict_seen([(film, self.picture(film)) for film in group])

    def predict_seen(self, seen: list[tuple[Radiograph, np.ndarray]]) -> list[Prediction]:
        """Films with their pictures uint8 (S, S), already made, through the bulk engine."""
        logits, signatures = self.engine(np.stack([picture for _, picture in seen]))
        return [self._prediction(*pair, *outputs) for pair, *outputs in zip(seen, logits, signatures, strict=True)]

    def predict_painted(self, picture: np.ndarray, boxes: Sequence[Box], grey: int) -> np.ndarray:
        """Logits float32 (1 + N, C) of a picture uint8 (S, S), and of it with each of N rectangles painted over.

        Args:
            boxes: top, bottom, left and right edge of each, pixels; those at the bottom and right are outside.
        """
        return self._engines.painted(picture, boxes, grey)

    @cached_property
    def engine(self) -> Engine:
        """The bulk engine, built on first use."""
        return self._engines.bulk

    @cached_property
    def _engines(self) -> Engines:
        return Engines(self.network, self.preprocess, self.backend, self.card.precision.get("bf16", ()))

    def _prediction(
        self, film: Radiograph, picture: np.ndarray, logits: np.ndarray, signatures: np.ndarray
    ) -> Prediction:
        if not np.isfinite(logits).all():
            came = f"{self.card.name} answers {film.name} with a number that is not finite"
            raise CheckpointError(came, "finite logits", "The checkpoint is damaged: train it again or copy it again")
        verdict = self.gate.judge(film, picture, signatures)
        p = self.probabilities(logits)
        return Prediction(film.name, self.output, p, logits, picture, verdict, self._prediction_set(p, film))

    def _prediction_set(self, probabilities: np.ndarray, film: Radiograph) -> PredictionSet | None:
        if self.sets is None:
            return None
        held = self.sets.of_film(probabilities, film.sha256)
        return PredictionSet(tuple(np.array(self.classes)[held].tolist()), self.sets.level)


def open_classifier(name_or_path: str | Path, backend: Backend = "auto") -> Classifier:
    """The classifier of a checkpoint folder, or of a name in weights/ or $HILUM_WEIGHTS; CheckpointError if missing.

    Args:
        backend: what the bulk engine runs on: "torch", "openvino" (CheckpointError where it is not installed), or
            "auto": OpenVINO where it is installed, else torch.
    """
    return Classifier(load(name_or_path), backend)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of `size` items, the last one shorter."""
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group
