"""The lines against the known finding: drawn films and radiologists' boxes. Only these tell whether a map is right."""

from collections.abc import Mapping

import numpy as np

from core.explain import truth
from core.explain.chance import BASELINES, Chance
from core.explain.trust.evidence import GOOD_SHARE
from core.explain.trust.lines import TrustLine, Verdict, graded

# What Saporta 2022 measured for Grad-CAM is 0.25 (lung opacity) to 0.41 (consolidation); radiologists reach about 0.5.
GOOD_MIOU, BAD_MIOU = 0.4, 0.1
THRESHOLDS = (0.25, 0.5, 0.75)  # parts of the map's maximum for precision and recall


def truth_lines(map_: np.ndarray, mask: np.ndarray, by_chance: Mapping[str, Chance] | None = None) -> list[TrustLine]:
    """Hit, overlap, and mass inside (with precision and recall in its details).

    Args:
        by_chance: of "hit", "iou" and "mass_inside"; the strongest that knows nothing then stands beside each.
    """
    chance = by_chance or {}
    area = float(mask.mean())
    hit, overlap, mass = truth.hit(map_, mask), truth.miou(map_, mask), truth.mass_inside(map_, mask)
    precision, recall = truth.precision_recall(map_, mask, THRESHOLDS)
    rates = {f"precision at {t}": float(p) for t, p in zip(THRESHOLDS, precision, strict=True)}
    rates |= {f"recall at {t}": float(r) for t, r in zip(THRESHOLDS, recall, strict=True)}
    where = "inside" if hit >= 0.5 else "outside"
    hit_verdict: Verdict = "good" if hit >= 0.5 else "bad"
    overlap_verdict = graded(overlap, GOOD_MIOU, BAD_MIOU)
    reach = {"good": "overlaps well", "caution": "overlaps in part", "bad": "hardly overlaps"}[overlap_verdict]
    mass_verdict: Verdict = "bad" if mass <= area else "good" if mass >= GOOD_SHARE else "caution"
    sentences = (
        f"The map's maximum lies {where} the known finding{_told(chance.get('hit'), '.0%')}.",
        f"The map's salient part {reach} with the known finding (IoU {overlap:.2f}{_told(chance.get('iou'), '.2f')}).",
        f"{mass:.0%} of the evidence lies inside the known finding, which covers {area:.0%} of the picture"
        f"{_told(chance.get('mass_inside'), '.0%')}.",
    )
    pointed = {"area": area, **_parts(chance.get("hit"))}
    inside = {**rates, "area": area, **_parts(chance.get("mass_inside"))}
    return [
        TrustLine("hit", "Hit", hit, None, hit_verdict, sentences[0], pointed, "truth"),
        TrustLine("miou", "Overlap", overlap, None, overlap_verdict, sentences[1], _parts(chance.get("iou")), "truth"),
        TrustLine("mass_inside", "Inside the finding", mass, None, mass_verdict, sentences[2], inside, "truth"),
    ]


def _told(by_chance: Chance | None, form: str) -> str:
    """``; by chance 37% (evenly lit lungs)``"""
    if by_chance is None:
        return ""
    name, value = by_chance.strongest
    return f"; by chance {value:{form}} ({name})"


def _parts(by_chance: Chance | None) -> dict[str, float]:
    if by_chance is None:
        return {}
    return {f"by chance: {name}": getattr(by_chance, key) for key, name in BASELINES.items()}
