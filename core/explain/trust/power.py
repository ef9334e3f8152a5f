"""The power of the occlusion test for a model: measured once for each checkpoint and method, kept on its card.

A test that passes half of a model's right calls, or none, cannot judge a single map of that model. So its power (the
share of right calls' maps that pass) stands beside every headline, with the share of Random CAMs that pass on the same
films.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.intervals import wilson


@dataclass(frozen=True)
class Power:
    """The occlusion test on right calls of one model.

    Attributes:
        cohort: the films' cohort, for people.
        films: how many right calls with a map that is not blank.
        passed: how many of their maps pass.
        random: on how many of the same films a Random CAM passes, seeded per film.
    """

    cohort: str
    films: int
    passed: int
    random: int

    @property
    def share(self) -> float:
        """The power, 0 to 1."""
        return self.passed / self.films

    @property
    def sentence(self) -> str:
        """Power with its Wilson interval, and what chance gives."""
        low, high = wilson(self.passed, self.films)
        return (
            f"{self.share:.0%} [{low:.0%}, {high:.0%}] of {self.films} right calls pass on {self.cohort}, "
            f"{self.random / self.films:.0%} of Random CAMs"
        )


def of_card(power: Mapping[str, Any], method: str) -> Power | None:
    """What a card says of a method; None where nothing, or nothing usable, was measured."""
    try:
        found = Power(**power[method])
        whole = all(type(n) is int for n in (found.films, found.passed, found.random))
        sound = whole and found.films > 0 and min(found.passed, found.random) >= 0
        sound = sound and max(found.passed, found.random) <= found.films
    except (KeyError, TypeError):
        return None
    return found if sound and isinstance(found.cohort, str) else None


def to_card(power: Power) -> dict[str, Any]:
    """JSON-ready; the inverse of ``of_card`` for one method."""
    return asdict(power)
