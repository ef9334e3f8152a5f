"""The lines of a trust card: each turns one measurement into a verdict and one plain sentence.

The limits between the verdicts are named here, each with its reason. They are habits of reading, not laws: the value is
always shown beside the verdict.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.explain import truth, zones
from core.explain.deletion import Curve
from core.explain.methods import METHODS

Verdict = Literal["good", "caution", "bad", "unknown"]

# More than half of the evidence inside: the map is mainly about the lungs (or the finding). "Bad" needs no limit: an
# even grey map has as much inside as the part of the picture that they cover.
GOOD_SHARE = 0.5
# About one random map in forty does better by chance; below 0 the average random map does better.
GOOD_Z, BAD_Z = 2.0, 0.0
# Half of the rank variance kept (0.7 squared) under changes that nobody sees; below 0.4 a sixth is.
GOOD_STABILITY, BAD_STABILITY = 0.7, 0.4
# Two methods with half of their rank variance in common tell one story; with a twentieth, different ones.
GOOD_AGREEMENT, BAD_AGREEMENT = 0.7, 0.2
# After all weights are destroyed, no more than a tenth of the rank variance may be left; with half of it left, the map
# is drawn by the film and the architecture (edge detectors in Adebayo 2018 keep more than that).
GOOD_RANDOMISED, BAD_RANDOMISED = 0.3, 0.7
# What Saporta 2022 measured for Grad-CAM is 0.25 (lung opacity) to 0.41 (consolidation); radiologists reach about 0.5.
GOOD_MIOU, BAD_MIOU = 0.4, 0.1
THRESHOLDS = (0.25, 0.5, 0.75)  # parts of the map's maximum for precision and recall


@dataclass(frozen=True)
class TrustLine:
    """One measurement of one heatmap.

    Attributes:
        key: stable name ("lungs", "deletion", "insertion", "road", "stability", "agreement", "randomisation", "hit",
            "miou", "mass_inside"; "evidence" for a blank map).
        title: for people.
        value: the measurement, NaN when it could not be made; a share, probability or correlation.
        z: standard deviations above chance, where chance was measured.
        verdict: "good", "caution", "bad" or "unknown".
        sentence: the verdict in plain words.
        details: the parts behind the value, by name.
    """

    key: str
    title: str
    value: float
    z: float | None
    verdict: Verdict
    sentence: str
    details: Mapping[str, float] = field(default_factory=dict)


def lung_line(map_: np.ndarray, lungs: np.ndarray | None) -> TrustLine:
    """How much of the evidence lies in the lung fields, and where the rest went."""
    if lungs is None or not lungs.any():
        return unknown("lungs", "Inside the lungs", "No lungs were found, so the share inside is not known.")
    shares = zones.shares(map_, lungs)
    share, area = shares["lungs"], float(lungs.mean())
    zone, most = max(((name, part) for name, part in shares.items() if name != "lungs"), key=lambda item: item[1])
    rest = f"; most of the rest lies {_IN[zone]} ({most:.0%})" if most >= 0.05 else ""
    if share <= area:
        verdict: Verdict = "bad"
        sentence = (
            f"Only {share:.0%} of the evidence lies in the lungs, no more than their {area:.0%} of the picture{rest}."
        )
    else:
        verdict = "good" if share >= GOOD_SHARE else "caution"
        sentence = f"{share:.0%} of the evidence lies in the lungs, which cover {area:.0%} of the picture{rest}."
    return TrustLine("lungs", "Inside the lungs", share, None, verdict, sentence, {**shares, "area": area})


_IN = {
    "corner": "in the corners",
    "border": "along the border",
    "mediastinum": "in the mediastinum",
    "below the diaphragm": "below the diaphragm",
    "elsewhere": "elsewhere in the chest wall and shoulders",
}
_CURVES = {
    "deletion": ("Deletion", "Hiding what the map marks lowers the probability"),
    "insertion": ("Insertion", "Showing only what the map marks brings the probability back"),
    "road": ("ROAD", "Filling in what the map marks counts for the answer"),
}


def curve_line(key: str, curve: Curve, class_name: str) -> TrustLine:
    """One of the hiding curves against random maps."""
    title, effect = _CURVES[key]
    details = {"area": curve.area, "chance": curve.chance}
    if curve.z is None:
        sentence = f"The probability of {class_name} hardly depends on what is hidden, so this check tells nothing."
        return TrustLine(key, title, curve.area, None, "unknown", sentence, details)
    verdict = _graded(curve.z, GOOD_Z, BAD_Z)
    more = {"good": "clearly more", "caution": "somewhat more", "bad": "no more"}[verdict]
    sentence = f"{effect} {more} than random maps do (z = {curve.z:+.1f})."
    return TrustLine(key, title, curve.area, curve.z, verdict, sentence, details)


def stability_line(correlations: Mapping[str, float]) -> TrustLine:
    """The mean correlation with the maps of slightly changed films; a change that blanks the map counts as 0."""
    values = {name: 0.0 if math.isnan(value) else value for name, value in correlations.items()}
    mean = float(np.mean(list(values.values())))
    weakest = min(values, key=values.__getitem__)
    verdict = _graded(mean, GOOD_STABILITY, BAD_STABILITY)
    lead = {"good": "stays", "caution": "partly stays", "bad": "does not stay"}[verdict]
    sentence = (
        f"The map {lead} when the film is changed a little (correlation {mean:.2f}; "
        f"least when {weakest}, {values[weakest]:.2f})."
    )
    return TrustLine("stability", "Stability", mean, None, verdict, sentence, values)


def agreement_line(correlations: Mapping[str, float]) -> TrustLine:
    """The mean correlation with the other fast methods' maps; blank ones are left out."""
    values = {name: value for name, value in correlations.items() if not math.isnan(value)}
    if not values:
        return unknown("agreement", "Agreement", "Every other fast method gives a blank map.")
    mean = float(np.mean(list(values.values())))
    verdict = _graded(mean, GOOD_AGREEMENT, BAD_AGREEMENT)
    lead = {"good": "point to the same places", "caution": "agree in part", "bad": "point elsewhere"}[verdict]
    names = ", ".join(METHODS[name].title for name in values)
    return TrustLine(
        "agreement", "Agreement", mean, None, verdict, f"{names} {lead} (mean correlation {mean:.2f}).", values
    )


def randomisation_line(card: Mapping[str, Mapping], method: str) -> TrustLine:
    """What the checkpoint's card says of this method's randomisation check."""
    title, measured = "Randomised weights", card.get(method, {}).get("final")
    if measured is None:
        return unknown("randomisation", title, f"Not measured for this checkpoint and {METHODS[method].title}.")
    verdict = _graded(-measured, -GOOD_RANDOMISED, -BAD_RANDOMISED)
    lead = {
        "good": "The method passes: its maps change",
        "caution": "The maps change only in part",
        "bad": "The method fails: its maps hardly change",
    }[verdict]
    sentence = f"{lead} when the network's weights are destroyed (correlation left: {measured:.2f})."
    return TrustLine("randomisation", title, float(measured), None, verdict, sentence)


def truth_lines(map_: np.ndarray, mask: np.ndarray) -> list[TrustLine]:
    """Against the known finding: hit, overlap, mass inside (with precision and recall in its details)."""
    area = float(mask.mean())
    hit, overlap, mass = truth.hit(map_, mask), truth.miou(map_, mask), truth.mass_inside(map_, mask)
    precision, recall = truth.precision_recall(map_, mask, THRESHOLDS)
    rates = {f"precision at {t}": float(p) for t, p in zip(THRESHOLDS, precision, strict=True)}
    rates |= {f"recall at {t}": float(r) for t, r in zip(THRESHOLDS, recall, strict=True)}
    where = "inside" if hit >= 0.5 else "outside"
    hit_verdict: Verdict = "good" if hit >= 0.5 else "bad"
    overlap_verdict = _graded(overlap, GOOD_MIOU, BAD_MIOU)
    reach = {"good": "overlaps well", "caution": "overlaps in part", "bad": "hardly overlaps"}[overlap_verdict]
    mass_verdict: Verdict = "bad" if mass <= area else "good" if mass >= GOOD_SHARE else "caution"
    sentences = (
        f"The map's maximum lies {where} the known finding.",
        f"The map's salient part {reach} with the known finding (IoU {overlap:.2f}).",
        f"{mass:.0%} of the evidence lies inside the known finding, which covers {area:.0%} of the picture.",
    )
    return [
        TrustLine("hit", "Hit", hit, None, hit_verdict, sentences[0]),
        TrustLine("miou", "Overlap", overlap, None, overlap_verdict, sentences[1]),
        TrustLine("mass_inside", "Inside the finding", mass, None, mass_verdict, sentences[2], {**rates, "area": area}),
    ]


def _graded(value: float, good: float, bad: float) -> Verdict:
    return "good" if value >= good else "bad" if value <= bad else "caution"


def unknown(key: str, title: str, sentence: str) -> TrustLine:
    """A line that could not be measured, and why."""
    return TrustLine(key, title, math.nan, None, "unknown", sentence)
