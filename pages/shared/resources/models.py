"""Models as their files are now: the cards of all, and the classifier of one."""

from dataclasses import replace
from typing import TYPE_CHECKING

from core import identity
from pages.shared.resources.shelves import kept, told_apart

if TYPE_CHECKING:
    from core.model.card import Card
    from core.model.classifier import Classifier


def cards() -> "dict[str, Card]":
    """Folder name -> card of every model that can be opened, by name; no two have one title."""
    return _catalogue()[0]


def refused_models() -> dict[str, str]:
    """Folder name -> why it cannot be opened, of every checkpoint whose card does not hold."""
    return _catalogue()[1]


def _catalogue() -> "tuple[dict[str, Card], dict[str, str]]":
    from core.model.checkpoint import CARD, WEIGHTS, catalogue, folders

    files = [(str(f), identity.stamp(f / CARD), identity.stamp(f / WEIGHTS)) for f in folders()]

    def read() -> "tuple[dict[str, Card], dict[str, str]]":
        found, refused = catalogue()
        return _titled(found), refused

    return kept(identity.key("catalogue", files=files), read)


def _titled(found: "dict[str, Card]") -> "dict[str, Card]":
    titles = told_apart({name: card.title for name, card in found.items()})
    return {name: replace(card, title=titles[name]) for name, card in found.items()}


def classifier(name: str) -> "Classifier":
    """The classifier of a checkpoint in weights/ or $HILUM_WEIGHTS, as its files are now, titled as in `cards`."""
    from core.model.checkpoint import CARD, WEIGHTS, find, load
    from core.model.classifier import Classifier

    folder, card = find(name), cards().get(name)

    def opened() -> Classifier:
        stored = load(folder)
        return Classifier(replace(stored, card=replace(stored.card, title=card.title)) if card else stored)

    files = [identity.stamp(folder / CARD), identity.stamp(folder / WEIGHTS)]
    title = card.title if card else ""
    return kept(identity.key("opened", folder=str(folder), files=files, title=title), opened, "Loading the model")
