"""Is this heatmap evidence? One card for one map, class and film: each line a measurement, its verdict, one sentence.

Notable choices:
- Nothing here adds up to a score. The lines answer different questions, and one bad line is not outvoted by good ones.
- A line that could not be measured says so ("unknown"); it is never counted as good.
- A blank map has a card of one line: there is no evidence to judge.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from core.errors import ExplainError
from core.explain import deletion, stability, trust_lines
from core.explain.deletion import Curve
from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.explain.trust_lines import TrustLine, Verdict
from core.model.classifier import Classifier

__all__ = ["Trust", "TrustLine", "Verdict", "assess"]


@dataclass(frozen=True, eq=False)
class Trust:
    """The card: its lines in order, and the curves behind three of them (empty for a blank map)."""

    lines: tuple[TrustLine, ...]
    curves: Mapping[str, Curve] = field(default_factory=dict)

    def __getitem__(self, key: str) -> TrustLine:
        return next(line for line in self.lines if line.key == key)

    @property
    def headline(self) -> str:
        """How many checks speak for the map, and which speak against it."""
        known = [line for line in self.lines if line.verdict != "unknown"]
        good = sum(line.verdict == "good" for line in known)
        against = [line.title.lower() for line in known if line.verdict == "bad"]
        if not known:
            return self.lines[0].sentence
        return f"{good} of {len(known)} checks speak for this map" + (
            f"; against it: {', '.join(against)}." if against else "; none speaks against it."
        )


def assess(
    classifier: Classifier,
    picture: np.ndarray,
    heatmap: Heatmap,
    lungs: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    seed: int = 0,
) -> Trust:
    """The trust card of a heatmap.

    Args:
        picture: the film as the model saw it, uint8 ``(S, S)``.
        lungs: lung fields in the same frame, bool ``(S, S)``; None when they were not found.
        truth: where the finding is known to be, bool ``(S, S)``; its lines are left out without it.
        seed: of the random maps and the noise.

    Raises:
        ExplainError: a mask of another shape than the map, or an empty truth.
    """
    for name, mask in (("lung mask", lungs), ("truth", truth)):
        if mask is not None and mask.shape != heatmap.values.shape:
            raise ExplainError(f"the {name} is {mask.shape}", f"the map's frame, {heatmap.values.shape}")
    if not heatmap.values.max() > 0:
        sentence = f"There is no positive evidence for {heatmap.class_name}, so there is nothing to judge."
        return Trust((TrustLine("evidence", "Evidence", 0.0, None, "unknown", sentence),))
    curves = deletion.curves(classifier, picture, heatmap.values, heatmap.class_name, seed)
    lines = [
        trust_lines.lung_line(heatmap.values, lungs),
        *(trust_lines.curve_line(key, curve, heatmap.class_name) for key, curve in curves.items()),
        *_repeated(classifier, picture, heatmap),
        trust_lines.randomisation_line(classifier.card.randomisation, heatmap.method),
        *([] if truth is None else trust_lines.truth_lines(heatmap.values, truth)),
    ]
    return Trust(tuple(lines), curves)


def _repeated(classifier: Classifier, picture: np.ndarray, heatmap: Heatmap) -> Iterator[TrustLine]:
    """Stability and agreement; both ask for more maps, so slow methods are not measured."""
    if METHODS[heatmap.method].cost != "instant":
        sentence = f"Not measured: {METHODS[heatmap.method].title} is too slow to repeat on altered films."
        yield trust_lines.unknown("stability", "Stability", sentence)
    else:
        yield trust_lines.stability_line(stability.stability(classifier, picture, heatmap))
    yield trust_lines.agreement_line(stability.agreement(classifier, picture, heatmap))
