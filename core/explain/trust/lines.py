"""One line of a trust card: a measurement, its verdict in a word, and one plain sentence."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["good", "caution", "bad", "unknown"]
Group = Literal["domain", "evidence", "truth", "fact"]

WORDS: dict[Group, dict[Verdict, str]] = {
    "domain": {"good": "fits", "caution": "caution", "bad": "outside", "unknown": "not checked"},
    "evidence": {"good": "speaks for", "caution": "caution", "bad": "against", "unknown": "cannot tell"},
    "truth": {"good": "right", "caution": "partly right", "bad": "wrong", "unknown": "not known"},
    "fact": {"good": "passes", "caution": "in part", "bad": "fails", "unknown": "not measured"},
}


@dataclass(frozen=True)
class TrustLine:
    """One measurement of one heatmap.

    Attributes:
        key: stable name: "domain"; "lungs", "occlusion", "response" (evidence; "evidence" alone for a blank map);
            "hit", "miou", "mass_inside" (known truth); "stability", "randomisation" (facts of model and method).
        title: for people.
        value: the measurement, NaN when it could not be made; a share, correlation or spread, see ``details``.
        p: the share of maps that know nothing and do as well, where that was measured.
        verdict: "good", "caution", "bad" or "unknown"; ``word`` is what a reader sees.
        sentence: the verdict in plain words.
        details: the parts behind the value, by name.
        group: what the line speaks of; only "evidence" is counted by the card's headline.
    """

    key: str
    title: str
    value: float
    p: float | None
    verdict: Verdict
    sentence: str
    details: Mapping[str, float] = field(default_factory=dict)
    group: Group = "evidence"

    @property
    def word(self) -> str:
        """The verdict as a word."""
        return WORDS[self.group][self.verdict]


def graded(value: float, good: float, bad: float) -> Verdict:
    """ "good" from ``good`` on, "bad" up to ``bad``, "caution" between."""
    return "good" if value >= good else "bad" if value <= bad else "caution"


def unknown(key: str, title: str, sentence: str, group: Group = "evidence") -> TrustLine:
    """A line that could not be measured, and why."""
    return TrustLine(key, title, math.nan, None, "unknown", sentence, group=group)
