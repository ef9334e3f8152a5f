"""From probabilities to one called class: the operating points.

- the model's own operating points (`of_card`), by which every page and command calls a film unless a reader asks
  otherwise;
- most likely class (``ARGMAX``), which is the same where a card has no operating points;
- an operating point for one class: called whenever its probability reaches it, else the most likely of the others;
- costs: what it costs to miss each class; the call with the lowest expected cost, i.e. the highest cost x probability.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import EvaluationError
from core.model.calls import by_operating_points

if TYPE_CHECKING:
    from core.model.card import Card


LIKELIEST = "the most likely class"


@dataclass(frozen=True)
class OperatingPoint:
    """How a class is called; hashable, so that pages may cache by it."""

    target: str = ""  # the class that has an operating point; "" = none
    probability: float = 0.5  # probability from which `target` is called, 0 .. 1
    costs: tuple[tuple[str, float], ...] = field(default=())  # (class, cost of missing it); classes not named cost 1
    own: tuple[tuple[str, float], ...] = field(default=())  # (class, its own operating point), in the place of costs
    alone: bool = False  # the target is a finding: called or not, whatever else is

    def decide(self, probabilities: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
        """Index of the called class, int (N,), of probabilities (N, C)."""
        if self.own:
            own = dict(self.own)
            if missing := [name for name in classes if name not in own]:
                raise EvaluationError(
                    f"there is no operating point for {missing[0]!r}", f"one for each of {', '.join(classes)}"
                )
            return by_operating_points(probabilities, np.array([own[name] for name in classes]))
        if not self.target:
            costs = dict(self.costs)
            called_by_cost: np.ndarray = (probabilities * np.array([costs.get(c, 1.0) for c in classes])).argmax(axis=1)
            return called_by_cost
        if self.target not in classes:
            raise EvaluationError(f"there is no class {self.target!r}", f"one of {', '.join(classes)}")
        index = classes.index(self.target)
        others = np.where(np.arange(len(classes)) == index, -1.0, probabilities)
        return np.where(probabilities[:, index] >= self.probability, index, np.argmax(others, axis=1))

    @property
    def title(self) -> str:
        """The rule in a few words, to stand beside a figure: "accuracy 0.87 by the model's own operating points"."""
        if self.target:
            return f"{self.target} from {exact(self.probability)}"
        return "the model's own operating points" if self.own else "lowest expected cost" if self.costs else LIKELIEST

    @property
    def sentence(self) -> str:
        """The rule with its numbers."""
        if self.target:
            from_ = f"{self.target} from a probability of {exact(self.probability)}"
            return from_ if self.alone else f"{from_}, else the most likely other class"
        if self.own:
            own = ", ".join(f"{name} {exact(value)}" for name, value in self.own)
            return f"the class whose probability exceeds its own operating point by the largest factor ({own})"
        if self.costs:
            return "lowest expected cost, missing " + ", ".join(f"{c} costs {v:g}" for c, v in self.costs)
        return LIKELIEST


ARGMAX = OperatingPoint()


def exact(probability: float) -> str:
    """An operating point for people: three decimals, or as many more as tell it from its end of the scale."""
    near = min(probability, 1 - probability)
    if not 0 < near < 0.05:
        return f"{probability:.3f}"
    digits = 2 - math.floor(math.log10(near))
    return f"{probability:.{min(digits, 9)}f}"


def at_points(points: Mapping[str, float]) -> OperatingPoint:
    """The highest probability relative to its class's threshold (each above 0)."""
    if any(value <= 0 for value in points.values()):
        raise EvaluationError("a threshold is 0 or less", "thresholds above 0")
    return OperatingPoint(own=tuple(points.items()))


def of_card(card: "Card") -> OperatingPoint:
    """How a model of exclusive classes calls a film: by its card's operating points, else as the most likely class."""
    if not card.thresholds:
        return ARGMAX
    from core.model import output as outputs

    output = outputs.of_card(card)
    return at_points(dict(zip(output.classes, output.operating_points, strict=True)))


def point_for_sensitivity(probability: np.ndarray, positive: np.ndarray, sensitivity: float) -> float:
    """The highest operating point that finds at least this share of the positive films.

    Args:
        probability: float (N,), of the class.
        positive: bool (N,); best from validation films, so that the test films stay unseen.
        sensitivity: wished share, 0 .. 1.
    """
    found = np.sort(probability[positive])[::-1]
    if not len(found):
        raise EvaluationError("no film of the class to choose an operating point on", "at least one")
    needed = int(np.ceil(np.clip(sensitivity, 0, 1) * len(found) - 1e-9))
    return float(found[max(needed, 1) - 1])


def point_for_costs(miss: float, false_alarm: float) -> float:
    """The operating point of lowest expected cost for calibrated probabilities: false_alarm / (false_alarm + miss)."""
    if miss < 0 or false_alarm < 0 or miss + false_alarm == 0:
        raise EvaluationError(f"costs of {miss:g} and {false_alarm:g}", "two costs of 0 or more, not both 0")
    return false_alarm / (false_alarm + miss)
