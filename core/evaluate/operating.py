"""From probabilities to one called class: the operating points.

- most likely class (``ARGMAX``);
- a cut-off for one class: called whenever its probability reaches it, else the most likely of the others;
- costs: what it costs to miss each class; the call with the lowest expected cost, i.e. the highest cost x probability.
  Dividing by thresholds is the same rule, so a checkpoint's threshold per class is a cost of 1 / threshold.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from core.errors import EvaluationError


@dataclass(frozen=True)
class OperatingPoint:
    """How a class is called; hashable, so that pages may cache by it."""

    target: str = ""  # the class that has a cut-off; "" = none
    cut_off: float = 0.5  # probability from which `target` is called, 0 .. 1
    costs: tuple[tuple[str, float], ...] = field(default=())  # (class, cost of missing it); classes not named cost 1
    thresholds: tuple[tuple[str, float], ...] = field(default=())  # (class, its own cut-off), in the place of costs
    alone: bool = False  # the target is a finding: called or not, whatever else is

    def decide(self, probabilities: np.ndarray, classes: tuple[str, ...]) -> np.ndarray:
        """Index of the called class, int (N,), of probabilities (N, C)."""
        costs = dict(self.costs) | {name: 1 / value for name, value in self.thresholds}
        called_by_cost: np.ndarray = np.argmax(probabilities * np.array([costs.get(c, 1.0) for c in classes]), axis=1)
        if not self.target:
            return called_by_cost
        if self.target not in classes:
            raise EvaluationError(f"there is no class {self.target!r}", f"one of {', '.join(classes)}")
        index = classes.index(self.target)
        others = np.where(np.arange(len(classes)) == index, -1.0, probabilities)
        return np.where(probabilities[:, index] >= self.cut_off, index, np.argmax(others, axis=1))

    @property
    def sentence(self) -> str:
        if self.target:
            from_ = f"{self.target} from a probability of {exact(self.cut_off)}"
            return from_ if self.alone else f"{from_}, else the most likely other class"
        if self.thresholds:
            own = ", ".join(f"{name} {exact(value)}" for name, value in self.thresholds)
            return f"highest probability relative to the class's own cut-off ({own})"
        if self.costs:
            return "lowest expected cost, missing " + ", ".join(f"{c} costs {v:g}" for c, v in self.costs)
        return "most likely class"


ARGMAX = OperatingPoint()


def exact(cut_off: float) -> str:
    """A cut-off for people: three decimals, or as many more as tell it from its end of the scale."""
    near = min(cut_off, 1 - cut_off)
    if not 0 < near < 0.05:
        return f"{cut_off:.3f}"
    digits = 2 - math.floor(math.log10(near))
    return f"{cut_off:.{min(digits, 9)}f}"


def at_thresholds(thresholds: Mapping[str, float]) -> OperatingPoint:
    """The highest probability relative to its class's threshold (each above 0)."""
    if any(value <= 0 for value in thresholds.values()):
        raise EvaluationError("a threshold is 0 or less", "thresholds above 0")
    return OperatingPoint(thresholds=tuple(thresholds.items()))


def cut_off_for_sensitivity(probability: np.ndarray, positive: np.ndarray, sensitivity: float) -> float:
    """The highest cut-off that finds at least this share of the positive films.

    Args:
        probability: float (N,), of the class.
        positive: bool (N,); best from validation films, so that the test films stay unseen.
        sensitivity: wished share, 0 .. 1.
    """
    found = np.sort(probability[positive])[::-1]
    if not len(found):
        raise EvaluationError("no film of the class to choose a cut-off on", "at least one")
    needed = int(np.ceil(np.clip(sensitivity, 0, 1) * len(found) - 1e-9))
    return float(found[max(needed, 1) - 1])


def cut_off_for_costs(miss: float, false_alarm: float) -> float:
    """The cut-off with the lowest expected cost for calibrated probabilities: false_alarm / (false_alarm + miss)."""
    if miss < 0 or false_alarm < 0 or miss + false_alarm == 0:
        raise EvaluationError(f"costs of {miss:g} and {false_alarm:g}", "two costs of 0 or more, not both 0")
    return false_alarm / (false_alarm + miss)
