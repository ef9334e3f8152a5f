"""Is this heatmap evidence? One card for one map, class and film: each line a measurement, its verdict, one sentence.

Notable choices:
- Whether the film is one the model knows comes first, and vetoes: of a film outside its domain nothing else is asked.
- Evidence on this map (lungs, occlusion test, response) is what the headline counts, always out of three: a check that
  could not be made does not speak for the map. Facts of model and method (stability, randomised weights) and known
  truth stand apart: the first cannot tell maps apart, the second is unavailable where it matters.
- Hiding curves carry no verdict: by trial they pass 9 to 43 % of perfect maps and too many random ones. They are
  pictures, drawn by `core.explain.deletion` for those who ask.
- A blank map has a card of one line: there is no evidence to judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.data.film.radiograph import Radiograph
from core.errors import ExplainError
from core.explain.chance import Chance
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.methods import METHODS, usual_often
from core.explain.nulls import of_map
from core.explain.stability import stability
from core.explain.trust import evidence, facts, faithfulness
from core.explain.trust.bank import Bank, occlude
from core.explain.trust.known_truth import truth_lines
from core.explain.trust.lines import Group, TrustLine, Verdict, unknown
from core.explain.trust.power import Power, of_card
from core.model.classifier import Classifier
from core.model.domain import DomainVerdict, Status


@dataclass(frozen=True, eq=False)
class Trust:
    """The card.

    Attributes:
        lines: in the order to read them.
        power: of the occlusion test for this model and method; None where it was not measured.
    """

    lines: tuple[TrustLine, ...]
    power: Power | None = None

    def __getitem__(self, key: str) -> TrustLine:
        return next(line for line in self.lines if line.key == key)

    def group(self, name: Group) -> tuple[TrustLine, ...]:
        """The lines that speak of one thing: "domain", "evidence", "truth" or "fact"."""
        return tuple(line for line in self.lines if line.group == name)

    @property
    def vetoed(self) -> bool:
        """The film is outside what the model knows, so nothing on it is evidence."""
        return any(line.verdict == "bad" for line in self.group("domain"))

    @property
    def supported(self) -> bool:
        """The occlusion test speaks for the map, and nothing speaks against it."""
        found = {line.key: line.verdict for line in self.group("evidence")}
        return not self.vetoed and found.get("occlusion") == "good" and "bad" not in found.values()

    @property
    def power_unsaid(self) -> str:
        """The power in a sentence, where a test was made and its line does not say it already; else ""."""
        if self.power is None or not (lines := self.group("evidence")):
            return ""
        return "" if any(self.power.sentence in line.sentence for line in lines) else self.power.sentence

    @property
    def headline(self) -> str:
        """How many of the three checks speak for the map, and which speak against it."""
        lines = self.group("evidence")
        if self.vetoed:
            return f"Nothing on this film is evidence. {self.group('domain')[0].sentence}"
        if len(lines) < len(evidence.KEYS):
            return lines[0].sentence
        good = sum(line.verdict == "good" for line in lines)
        against = [line.title.lower() for line in lines if line.verdict == "bad"]
        end = f"against it: {', '.join(against)}." if against else "none speaks against it."
        return f"{good} of {len(evidence.KEYS)} checks speak for this map; {end}"


def assess(
    classifier: Classifier,
    picture: np.ndarray,
    heatmap: Heatmap,
    lungs: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    seed: int = 0,
    *,
    domain: DomainVerdict | None = None,
    film: Radiograph | None = None,
    bank: Callable[[], Bank] | None = None,
    by_chance: Callable[[], Mapping[str, Chance]] | None = None,
) -> Trust:
    """The trust card of a heatmap.

    Args:
        picture: the film as the model saw it, uint8 ``(S, S)``.
        lungs: lung fields in the same frame, bool ``(S, S)``; None when they were not found.
        truth: where the finding is known to be, bool ``(S, S)``; its lines are left out without it.
        seed: of the maps that know nothing and of the noise.
        domain: whether the model knows films like this one; no line without it.
        film: the film that the picture was made from: stability then changes it before it is cut to the lungs.
        bank: the occlusions of this picture, where they are kept for other maps of it; made anew unless given.
        by_chance: what `core.explain.chance.of_map` gives of this map, where it is kept; made anew unless given.

    Raises:
        ExplainError: a mask of another shape than the map, or an empty truth.
    """
    for name, mask in (("lung mask", lungs), ("truth", truth)):
        if mask is not None and mask.shape != heatmap.values.shape:
            raise ExplainError(f"the {name} is {mask.shape}", f"the map's frame, {heatmap.values.shape}")
    first = () if domain is None else (domain_line(domain),)
    if any(line.verdict == "bad" for line in first):
        return Trust(first)
    if not heatmap.values.max() > 0:
        sentence = f"There is no positive evidence for {heatmap.class_name}, so there is nothing to judge."
        return Trust((*first, unknown("evidence", "Evidence", sentence)))
    kept = bank() if bank else occlude(classifier, picture)
    found = faithfulness.against_chance(classifier, picture, heatmap, kept, seed)
    power = of_card(classifier.card.power, heatmap.method)
    luck = by_chance() if by_chance else of_map(classifier, picture, heatmap, lungs, truth)
    lines = (
        *first,
        evidence.lung_line(heatmap.values, lungs, luck.get("lung_share")),
        evidence.occlusion_line(heatmap, found, power),
        evidence.response_line(heatmap, found),
        *(() if truth is None else truth_lines(heatmap.values, truth, luck)),
        _stability(classifier, picture, heatmap, film, seed),
        facts.randomisation_line(classifier.card.randomisation, heatmap.method),
    )
    return Trust(lines, power)


def domain_line(verdict: DomainVerdict) -> TrustLine:
    """Whether the film is one the model can judge at all."""
    said = _SAID[verdict.status]
    return TrustLine("domain", "Known kind of film", verdict.score, None, said, verdict.sentence, group="domain")


_SAID: dict[Status, Verdict] = {"in": "good", "doubtful": "caution", "out": "bad"}


def _stability(
    classifier: Classifier, picture: np.ndarray, heatmap: Heatmap, film: Radiograph | None, seed: int
) -> TrustLine:
    """It asks for more maps, so slow methods are not measured; where no other is borne, Occlusion takes large steps."""
    often, options = usual_often(classifier.network, picture.shape[0])
    if METHODS[often].cost != "instant" and heatmap.method == often:
        heatmap = heatmaps(classifier, picture, often, [heatmap.class_name], **options)[heatmap.class_name]
    elif METHODS[heatmap.method].cost != "instant":
        sentence = f"{METHODS[heatmap.method].title} is too slow to repeat on altered films."
        return unknown("stability", "Stability", sentence, "fact")
    return facts.stability_line(stability(classifier, picture, heatmap, film, seed))
