"""The lines that are facts of model and method and say nothing of one map: stability and randomised weights.

They stand apart on the card because they cannot tell a right map from a wrong one: every fixed mix of channels is
stable, and destroyed networks give stable maps, too.
"""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import numpy as np

from core.explain.chance import skill
from core.explain.methods import METHODS
from core.explain.stability import Stability
from core.explain.trust.lines import TrustLine, Verdict, graded, unknown

# Half of the rank variance kept (0.7 squared) under changes that nobody sees; below 0.4 a sixth is.
GOOD_STABILITY, BAD_STABILITY = 0.7, 0.4
# From chance to perfect agreement with the trained map: half of the way is too much for destroyed weights.
BAD_LEFT = 0.5
MOST_BLANK = 0.5  # with more blank maps than this the rest is not a sample


def stability_line(found: Stability) -> TrustLine:
    """The mean correlation with the maps of slightly changed films; a change that blanks the map counts as 0."""
    values = {name: 0.0 if math.isnan(value) else value for name, value in found.correlations.items()}
    mean = float(np.mean(list(values.values())))
    weakest = min(values, key=values.__getitem__)
    verdict = graded(mean, GOOD_STABILITY, BAD_STABILITY)
    lead = {"good": "stays", "caution": "partly stays", "bad": "does not stay"}[verdict]
    by_chance = "" if math.isnan(found.chance) else f"; random mixes of the same channels keep {found.chance:.2f}"
    sentence = (
        f"The map {lead} when the film is changed a little (correlation {mean:.2f}; "
        f"least when {weakest}, {values[weakest]:.2f}{by_chance})."
    )
    return TrustLine(
        "stability", "Stability", mean, None, verdict, sentence, {**values, "chance": found.chance}, "fact"
    )


def randomisation_line(card: Mapping[str, Mapping[str, Any]], method: str) -> TrustLine:
    """What the checkpoint's card says of this method's randomisation check."""
    title, measured = "Randomised weights", card.get(method)
    if not _by_todays_rule(measured):
        older = " by today's rule" if measured else ""
        sentence = f"Not measured{older} for this checkpoint and {METHODS[method].title}."
        return unknown("randomisation", title, sentence, "fact")
    blank, left, chance, limit = (measured[key] for key in ("final_blank", "final", "chance", "chance_95"))
    details = {"blank": float(blank), "chance": float(chance), "chance_95": float(limit)}
    if left is None or blank > MOST_BLANK:
        sentence = f"With destroyed weights {blank:.0%} of the maps are blank, too many to compare the rest."
        return TrustLine("randomisation", title, math.nan, None, "unknown", sentence, details, "fact")
    kept = skill(left, chance)
    verdict: Verdict = "good" if left <= limit else "bad" if kept >= BAD_LEFT else "caution"
    lead = {
        "good": "The method passes: with destroyed weights its maps are no more like the trained ones than chance",
        "caution": "With destroyed weights the maps still are more like the trained ones than chance",
        "bad": "The method fails: its maps hardly change when the weights are destroyed",
    }[verdict]
    sentence = f"{lead} (correlation left {left:.2f}, chance {chance:.2f}, {measured['seeds']} seeds)."
    return TrustLine("randomisation", title, float(left), None, verdict, sentence, details, "fact")


def _by_todays_rule(measured: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a card's entry has what the line reads: cards come from anybody, and older ones from another rule."""
    if not isinstance(measured, Mapping):
        return False
    numbers = [measured.get(key) for key in ("final_blank", "chance", "chance_95", "seeds")]
    left = measured.get("final")
    return all(_is_number(number) for number in numbers) and (left is None or _is_number(left))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
