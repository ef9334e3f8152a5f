"""The lines against the known finding: drawn films and radiologists' boxes. Only these tell whether a map is right."""

import numpy as np

from core.explain import truth
from core.explain.trust.evidence import GOOD_SHARE
from core.explain.trust.lines import TrustLine, Verdict, graded

# What Saporta 2022 measured for Grad-CAM is 0.25 (lung opacity) to 0.41 (consolidation); radiologists reach about 0.5.
GOOD_MIOU, BAD_MIOU = 0.4, 0.1
THRESHOLDS = (0.25, 0.5, 0.75)  # parts of the map's maximum for precision and recall


def truth_lines(map_: np.ndarray, mask: np.ndarray) -> list[TrustLine]:
    """Hit, overlap, and mass inside (with precision and recall in its details)."""
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
        f"The map's maximum lies {where} the known finding.",
        f"The map's salient part {reach} with the known finding (IoU {overlap:.2f}).",
        f"{mass:.0%} of the evidence lies inside the known finding, which covers {area:.0%} of the picture.",
    )
    inside = {**rates, "area": area}
    return [
        TrustLine("hit", "Hit", hit, None, hit_verdict, sentences[0], {"area": area}, "truth"),
        TrustLine("miou", "Overlap", overlap, None, overlap_verdict, sentences[1], {}, "truth"),
        TrustLine("mass_inside", "Inside the finding", mass, None, mass_verdict, sentences[2], inside, "truth"),
    ]
