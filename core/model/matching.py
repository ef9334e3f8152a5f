"""Which model fits which cohort, and which answers for a film that is of none.

Films of hospitals that no model learned from have a default, the model whose card says ``for_strangers``: `opacity`.
On 91 films of NIH as RSNA read them its maps hit a box on 0.94, those of `hilum` on 0.57, and it tells opacity from
none as well or better (AUROC 0.81 and 0.77).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from core.data.cohort import JOIN, Cohort

if TYPE_CHECKING:
    from core.model.card import Card  # torch takes its time to import
    from core.model.domain import Status

DRAWN = "phantom"  # layout of the drawn films
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


def for_strangers(cards: Mapping[str, "Card"]) -> str | None:
    """The name of the model that answers first for films from anywhere: the first whose card says so, the house's own
    before those from outside; None where there is none."""
    asked = [name for name, card in cards.items() if card.for_strangers]
    return min(asked, key=lambda name: bool(cards[name].origin), default=None)


def best(cards: Mapping[str, "Card"], cohort: Cohort, fingerprint: str) -> str:
    """The name of the model that fits a cohort best; of equal ones the one of more sources.

    Where none knows the cohort's classes, the one for strangers.
    """
    default = for_strangers(cards)

    def fit(name: str) -> tuple[int, bool, int]:
        near = kinship(cards[name], cohort, fingerprint)
        return near, near == ALIEN and name == default, breadth(cards[name])

    return max(cards, key=fit)


def for_upload(cards: Mapping[str, "Card"], status: Callable[[str], "Status"], current: str, by_hand: bool) -> str:
    """The name of the model that answers for an upload, whose hospital nobody knows.

    A model that the visitor chose stays where it knows the film, and so does one of drawn films: it takes hardly any
    real film for one of its own (`honest` 0 of 280). Otherwise the one for strangers answers, unless it refuses the
    film: that another model lets more films through does not make it the better one. Where it refuses, the model that
    is shown answers if it knows the film, else the one of most sources that does. What nobody knows is refused by the
    one for strangers, so that a photograph among films does not hand them all to the model of the drawn ones.

    Args:
        status: of a film before the model of this name, by its in-domain gate; "in" where it has none.
        current: the model that is shown.
        by_hand: the visitor chose it; else it is there because it fits the cohort.
    """
    default = for_strangers(cards)
    if (by_hand or cards[current].data.get("layout") == DRAWN) and status(current) == "in":
        return current
    if default and status(default) != "out":
        return default
    broadest = sorted(cards, key=lambda name: -breadth(cards[name]))
    refusing = current if by_hand else default or current
    return next((name for name in (current, *broadest) if status(name) == "in"), refusing)
