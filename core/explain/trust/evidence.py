"""The lines that speak for or against one map: lungs, the occlusion test, response. The headline counts these three.

The limits between the verdicts are named here, each with the measurement behind it (docs/methods.md has the tables).
"""

import math

import numpy as np

from core.explain import places, zones
from core.explain.chance import Chance
from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.explain.trust.faithfulness import Faithfulness
from core.explain.trust.lines import TrustLine, Verdict, graded, unknown
from core.explain.trust.power import Power

KEYS = ("lungs", "occlusion", "response")  # the headline's denominator, whatever could be measured

# More than half of the evidence inside: the map is mainly about the lungs.
GOOD_SHARE = 0.5
# An evenly grey map has as much evidence in the lungs as their share of the picture. The planted shortcut's maps reach
# 1.02 times that at most, the fair phantom model's 2.42 times at least, hilum's 2.15 times.
LEAST_RATIO = 1.25
# A Random CAM is one of the maps it is tested against, so it passes on one film in twenty-five at most.
ALPHA = 0.04
# Standard deviation of the logit's drops: at most 0.011 on 95 % of films with destroyed weights, at least 0.105 to 0.18
# on 95 % with trained ones.
GOOD_RESPONSE, BAD_RESPONSE = 0.1, 0.05
# A test that so few right calls of a model pass says nothing against the map that does not.
LEAST_POWER = 0.5


def lung_line(map_: np.ndarray, lungs: np.ndarray | None, by_chance: Chance | None = None) -> TrustLine:
    """How much of the evidence lies in the lung fields, and where the rest went.

    Args:
        by_chance: of the lung share; what Random CAMs of the same network have is then told, and judges nothing: on a
            picture cut to the lungs any map has much of its evidence in them.
    """
    title = "Inside the lungs"
    if lungs is None or not lungs.any():
        return unknown("lungs", title, "No lungs were found, so the share inside is not known.")
    shares = zones.shares(map_, lungs)
    share, area = shares["lungs"], float(lungs.mean())
    zone, most = max(((name, part) for name, part in shares.items() if name != "lungs"), key=lambda item: item[1])
    luck = math.nan if by_chance is None else by_chance.random_cam
    told = "" if math.isnan(luck) else f"; Random CAMs have {luck:.0%} of theirs there"
    rest = f"; most of the rest lies {places.OUTSIDE[zone]} ({most:.0%})" if most >= 0.05 else ""
    if share <= LEAST_RATIO * area:
        verdict: Verdict = "bad"
        sentence = (
            f"Only {share:.0%} of the evidence lies in the lungs, hardly more than chance: they cover {area:.0%} of "
            f"the picture{told}{rest}."
        )
    else:
        verdict = "good" if share >= GOOD_SHARE else "caution"
        sentence = f"{share:.0%} of the evidence lies in the lungs, which cover {area:.0%} of the picture{told}{rest}."
    return TrustLine("lungs", title, share, None, verdict, sentence, {**shares, "area": area, "Random CAM": luck})


def occlusion_line(heatmap: Heatmap, found: Faithfulness, power: Power | None) -> TrustLine:
    """Whether hiding what the map marks moves the answer more than maps that know nothing would have it.

    Args:
        power: what was measured for this model and method, from its card; None if nothing was.
    """
    title = "Occlusion test"
    if not METHODS[heatmap.method].needs:
        sentence = f"{METHODS[heatmap.method].title} is made like this test, which would only agree with itself."
        return unknown("occlusion", title, sentence)
    details = {
        "correlation": found.correlation,
        "p against Random CAM": found.random_cam,
        "p against surrogates": found.surrogate,
    }
    beaten = f"the map does better than {1 - found.p:.0%} of maps that know nothing"
    if found.p <= ALPHA:
        verdict: Verdict = "good"
        sentence = f"Hiding what the map marks lowers the score of {heatmap.class_name} most: {beaten}."
    elif power is not None and power.share < LEAST_POWER:
        verdict = "unknown"
        sentence = f"Within chance ({beaten}), but this test has little power for this model: {power.sentence}."
    else:
        verdict = "bad"
        sentence = f"Within chance: hiding what it marks moves the answer no more than it would by luck; {beaten}."
    return TrustLine("occlusion", title, found.correlation, found.p, verdict, sentence, details)


def response_line(heatmap: Heatmap, found: Faithfulness) -> TrustLine:
    """Whether the answer depends on the film at all."""
    verdict = graded(found.response, GOOD_RESPONSE, BAD_RESPONSE)
    lead = {"good": "depends", "caution": "depends little", "bad": "hardly depends"}[verdict]
    sentence = (
        f"The score of {heatmap.class_name} {lead} on the film: hiding a part of it moves the logit by "
        f"{found.response:.2f} (standard deviation over the parts)."
    )
    return TrustLine("response", "Response", found.response, None, verdict, sentence)
