"""How large the evidence is on the film, where the film says how large its pixels are."""

import numpy as np

from core.examine.examined import Examined
from core.explain.heatmap import Heatmap

SHARE = 0.5  # of the map's maximum, from which a place counts


def area(examined: Examined, map_: Heatmap) -> float | None:
    """Square centimetres of the film with at least half of the map's largest positive evidence.

    0 for a blank map; None where the film's spacing is unknown or not believed. Where the lengths are meant is said by
    ``examined.film.spacing``.
    """
    spacing = examined.film.spacing
    if spacing is None:
        return None
    if map_.blank:
        return 0.0
    evidence = np.maximum(examined.on_film(map_.values), 0)
    top = float(evidence.max())
    return spacing.area(int((evidence >= SHARE * top).sum())) if top > 0 else 0.0


def area_in_words(examined: Examined, map_: Heatmap) -> str:
    """A sentence on the area; "" where it is unknown or there is none."""
    found, spacing = area(examined, map_), examined.film.spacing
    if not found or spacing is None:
        return ""
    return f"Evidence of half the map's maximum and more covers {found:.3g} cm². {spacing.sentence}"
