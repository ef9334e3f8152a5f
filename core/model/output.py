"""What a network's logits mean: exclusive classes (softmax), or findings that occur together (sigmoid).

One value knows for each kind how logits become probabilities, what training minimises, how it is calibrated, what is
called, and whose heatmap comes first. Nothing else in the house compares the kind's name: it asks the value.
What is explained is always the logit, which no calibration changes.

Truth comes as ``targets``: of exclusive classes int64 (N,), the index of each film's class; of findings float (N, C),
1 present, 0 absent, NaN unknown. Unknown is not absent: it takes no part in loss, calibration or operating points.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from core.data import findings
from core.errors import CheckpointError
from core.model.calibration import even_weights, fit_platt, fit_softmax, log_odds, operating_point
from core.model.calls import by_operating_points

if TYPE_CHECKING:
    from core.model.card import Card

LOWEST = 1e-6  # of an operating point: probabilities are divided by it
RAREST = 1e-3  # lowest operating point that is fitted to a finding; many are present in one film of a hundred
HEAVIEST = 20.0  # weight of a present finding against an absent one, at most
JOIN = "|"  # between findings, as NIH's table writes them
NOTHING = "none"  # the answer where no finding is called


@dataclass(frozen=True)
class Output(ABC):
    """C outputs with their operating points; calibration is each kind's own."""

    classes: tuple[str, ...]
    """In the order of the logits."""
    operating_points: tuple[float, ...]
    """The operating point of each, a probability above 0."""

    kind: ClassVar[str]
    """What a card says."""
    exclusive: ClassVar[bool]
    """Whether just one of them is true of a film, so that probabilities sum to 1."""

    @classmethod
    def of(cls, classes: Sequence[str], operating_points: Mapping[str, float] | None = None) -> "Output":
        """As training begins: uncalibrated, at the given operating points or those that need no films."""
        known, usual = operating_points or {}, cls.usual_point(len(classes))
        return cls(tuple(classes), tuple(max(known.get(name, usual), LOWEST) for name in classes))

    @staticmethod
    @abstractmethod
    def usual_point(n: int) -> float:
        """The operating point of n classes where none was fitted on films."""

    @abstractmethod
    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Calibrated, of logits (..., C); float32 (..., C)."""

    @abstractmethod
    def called(self, probabilities: np.ndarray) -> np.ndarray:
        """Bool (..., C): the one meaning of "called" in the house, at the operating points."""

    @abstractmethod
    def first(self, probabilities: np.ndarray) -> np.ndarray:
        """Index (...,) of the output whose evidence is shown first: the class called, or what comes nearest to it."""

    @abstractmethod
    def targets(self, table: pd.DataFrame) -> np.ndarray:
        """The truth of a table of films, as the module says it; a label or finding columns under the own names."""

    @abstractmethod
    def fitted(
        self, logits: np.ndarray, targets: np.ndarray, sources: np.ndarray | None = None, offsets: bool = False
    ) -> "Output":
        """Calibration and operating points from labelled films that the weights did not learn from.

        Args:
            logits: (N, C).
            targets: see the module.
            sources: (N,), where films come from: each class of each source weighs the same. None: each film does.
            offsets: exclusive classes get an offset each beside the temperature; findings always have theirs.
        """

    @abstractmethod
    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[torch.Tensor, int]:
        """The cross-entropy summed over what is known, and over how many labels that is: films, or known findings.

        Args:
            weights: (C,), see ``weights``.
            smoothing: share of each label spread over the others, 0 to 1.
        """

    @abstractmethod
    def right(self, logits: torch.Tensor, targets: torch.Tensor) -> int:
        """How many of the labels that ``loss`` counts are the likeliest answer."""

    @abstractmethod
    def weights(self, targets: torch.Tensor) -> torch.Tensor:
        """Float (C,), which compensates for rarity: of a class's films, or of a finding where it is present."""

    @abstractmethod
    def calibrated(self, card: "Card") -> "Output":
        """The same with the calibration that a card keeps."""

    @abstractmethod
    def to_card(self) -> dict[str, Any]:
        """The card's fields that say all of this."""

    def answer(self, probabilities: np.ndarray) -> str:
        """What is called of one film (C,), as tables write it: "Effusion|Edema", or ``NOTHING``."""
        called = self.called(probabilities)
        return JOIN.join(name for name, yes in zip(self.classes, called, strict=True) if yes) or NOTHING


@dataclass(frozen=True)
class Softmax(Output):
    """Exclusive classes: softmax of logits divided by one temperature (Guo 2017), plus offsets of the classes."""

    temperature: float = 1.0
    offsets: tuple[float, ...] = ()
    """Of each class, after the temperature; none: 0."""

    kind: ClassVar[str] = "softmax"
    exclusive: ClassVar[bool] = True

    @staticmethod
    def usual_point(n: int) -> float:
        return 1 / n

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        scaled = logits.astype(np.float64) / self.temperature + np.array(self.offsets or (0.0,))
        powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        shares: np.ndarray = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
        return shares

    def called(self, probabilities: np.ndarray) -> np.ndarray:
        called: np.ndarray = np.arange(len(self.classes)) == self.first(probabilities)[..., None]
        return called

    def first(self, probabilities: np.ndarray) -> np.ndarray:
        """The class whose probability is the largest multiple of its operating point; of equal ones the first."""
        return by_operating_points(probabilities, np.asarray(self.operating_points))

    def targets(self, table: pd.DataFrame) -> np.ndarray:
        return table["label"].map({name: c for c, name in enumerate(self.classes)}).to_numpy(np.int64)

    def fitted(
        self, logits: np.ndarray, targets: np.ndarray, sources: np.ndarray | None = None, offsets: bool = False
    ) -> "Softmax":
        weights = None if sources is None else even_weights(sources, targets)
        temperature, shifts = fit_softmax(logits, targets, weights, offsets)
        cooled = replace(self, temperature=temperature, offsets=shifts)
        p = cooled.probabilities(logits)
        return replace(
            cooled, operating_points=tuple(operating_point(p[:, c], targets == c) for c in range(p.shape[1]))
        )

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[torch.Tensor, int]:
        """Each film by the weight of its class, over all films.

        Torch's own mean divides by the batch's weights instead, so that a rare class counts less than its weight in the
        batches that hold it: 18 % in place of a third.
        """
        each = functional.cross_entropy(logits, targets, weights, reduction="none", label_smoothing=smoothing)
        return each.sum(), len(targets)

    def right(self, logits: torch.Tensor, targets: torch.Tensor) -> int:
        return int((logits.argmax(1) == targets).sum())

    def weights(self, targets: torch.Tensor) -> torch.Tensor:
        """Inverse class frequencies with mean 1 over the films."""
        counts = torch.bincount(targets)
        return len(targets) / (len(counts) * counts)

    def calibrated(self, card: "Card") -> "Softmax":
        shifts = tuple(float(card.offsets.get(name, 0.0)) for name in self.classes) if card.offsets else ()
        return replace(self, temperature=card.temperature, offsets=shifts)

    def to_card(self) -> dict[str, Any]:
        points = dict(zip(self.classes, self.operating_points, strict=True))
        shifts = dict(zip(self.classes, self.offsets, strict=False))
        return {"output": self.kind, "temperature": self.temperature, "offsets": shifts, "thresholds": points}


@dataclass(frozen=True)
class Sigmoid(Output):
    """Findings that occur together: sigmoid of slope x logit + offset, each finding by its own (Platt 1999)."""

    platt: tuple[tuple[float, float], ...] = ()
    """Slope and offset of each finding; none: 1 and 0."""

    kind: ClassVar[str] = "sigmoid"
    exclusive: ClassVar[bool] = False

    @staticmethod
    def usual_point(n: int) -> float:
        return 0.5

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        from scipy.special import expit

        slopes, offsets = np.array(self.platt or [(1.0, 0.0)] * len(self.classes)).T
        found: np.ndarray = expit(logits.astype(np.float64) * slopes + offsets).astype(np.float32)
        return found

    def called(self, probabilities: np.ndarray) -> np.ndarray:
        return probabilities >= np.asarray(self.operating_points, np.float32)

    def first(self, probabilities: np.ndarray) -> np.ndarray:
        """The finding whose log-odds lie highest above those of its operating point; of equal ones the first."""
        return np.asarray(np.argmax(log_odds(probabilities) - log_odds(np.asarray(self.operating_points)), axis=-1))

    def targets(self, table: pd.DataFrame) -> np.ndarray:
        return findings.values(table, self.classes)

    def fitted(
        self, logits: np.ndarray, targets: np.ndarray, sources: np.ndarray | None = None, offsets: bool = False
    ) -> "Sigmoid":
        """A finding that no film, or every film, shows keeps slope 1, offset 0 and its operating point."""
        known = [~np.isnan(column) for column in targets.T]
        sides = [(z[k], y[k] > 0.5) for z, y, k in zip(logits.T, targets.T, known, strict=True)]
        weights = [
            None if sources is None else even_weights(sources[k], y) for k, (_, y) in zip(known, sides, strict=True)
        ]
        cooled = replace(self, platt=tuple(fit_platt(z, y, w) for (z, y), w in zip(sides, weights, strict=True)))
        p = cooled.probabilities(logits)
        points = [
            operating_point(p[k, c], y, RAREST) if y.any() and not y.all() else self.operating_points[c]
            for c, (k, (_, y)) in enumerate(zip(known, sides, strict=True))
        ]
        return replace(cooled, operating_points=tuple(points))

    def loss(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor | None = None,
        smoothing: float = 0.0,
    ) -> tuple[torch.Tensor, int]:
        known = ~targets.isnan()
        wanted = torch.where(known, targets, 0.0) * (1 - smoothing) + smoothing / 2
        each = functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none", pos_weight=weights)
        return (each * known).sum(), int(known.sum())

    def right(self, logits: torch.Tensor, targets: torch.Tensor) -> int:
        return int((((logits > 0) == (targets > 0.5)) & ~targets.isnan()).sum())

    def weights(self, targets: torch.Tensor) -> torch.Tensor:
        """Absent over present films of each finding, 1 to ``HEAVIEST``."""
        present, absent = (targets > 0.5).sum(0), (targets <= 0.5).sum(0)
        return (absent / present.clamp(min=1)).clamp(1.0, HEAVIEST)

    def calibrated(self, card: "Card") -> "Sigmoid":
        pairs = (card.platt.get(name, (1.0, 0.0)) for name in self.classes)
        return replace(self, platt=tuple((float(slope), float(offset)) for slope, offset in pairs))

    def to_card(self) -> dict[str, Any]:
        points = dict(zip(self.classes, self.operating_points, strict=True))
        platt = {name: list(pair) for name, pair in zip(self.classes, self.platt, strict=False)}
        return {"output": self.kind, "platt": platt, "thresholds": points}


KINDS: dict[str, type[Output]] = {kind.kind: kind for kind in (Softmax, Sigmoid)}


def new(kind: str, classes: Sequence[str]) -> Output:
    """An output as training begins.

    Raises:
        CheckpointError: no such kind.
    """
    if kind not in KINDS:
        raise CheckpointError(f"there is no output {kind!r}", f"one of {', '.join(KINDS)}")
    return KINDS[kind].of(classes)


def of_card(card: "Card") -> Output:
    """What a card says of its model's logits."""
    return KINDS[card.output].of(card.classes, card.thresholds).calibrated(card)
