"""Which model fits which cohort."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.data.cohort import JOIN, Cohort

if TYPE_CHECKING:
    from core.model.card import Card  # torch takes its time to import

# On films of a hospital that neither had learned from (91 of NIH as RSNA read them) its maps hit a box on 0.89, those
# of `hilum` on 0.57, and it tells opacity from none as well or better (AUROC 0.81 and 0.77).
FOR_STRANGERS = "opacity"
OWN, LAYOUT, CLASSES, ALIEN = 3, 2, 1, 0  # how well a model fits a cohort, see ``kinship``


def kinship(card: "Card", cohort: Cohort, fingerprint: str) -> int:
    """How well a model fits a cohort: 3 learned from it, 2 from one of its layout, 1 knows its classes, 0 unrelated.

    Args:
        fingerprint: the cohort's, which the caller may have kept.
    """
    data = card.data
    if cohort.name in data.get("name", "").split(JOIN) or data.get("fingerprint") == fingerprint:
        return OWN
    if cohort.layout in data.get("layout", "").split(JOIN):
        return LAYOUT
    return CLASSES if set(cohort.classes) <= set(card.classes) else ALIEN


def breadth(card: "Card") -> int:
    """How many sources a model learned from: the more, the better it copes with films from a hospital it never saw."""
    return len(card.data.get("sources", {}))


def best(cards: Mapping[str, "Card"], cohort: Cohort, fingerprint: str) -> str:
    """The name of the model that fits a cohort best; of equal ones the one of more sources.

    Where none knows the cohort's classes, `FOR_STRANGERS`.
    """

    def fit(name: str) -> tuple[int, bool, int]:
        near = kinship(cards[name], cohort, fingerprint)
        return near, near == ALIEN and name == FOR_STRANGERS, breadth(cards[name])

    return max(cards, key=fit)
