"""Where feature maps are kept, so that another class, method or null map of the same film costs no pass.

That is the caller's to say: within ``kept_on(shelf)`` maps lie on that shelf and go with it, an upload's with its
visitor's session; elsewhere none is kept. A map is known by classifier, layer and picture. Visitors never change
weights, but the randomisation check does so to its own copy; PyTorch counts every in-place change of a tensor, and that
count is part of the key.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain

import numpy as np
import torch
from torch import nn

from core import identity
from core.model.classifier import Classifier
from core.shelf import Shelf

_shelf: ContextVar[Shelf | None] = ContextVar("shelf of feature maps", default=None)


@contextmanager
def kept_on(shelf: Shelf) -> Iterator[None]:
    """Feature maps asked for within, by this thread, lie on a shelf."""
    token = _shelf.set(shelf)
    try:
        yield
    finally:
        _shelf.reset(token)


def feature_map(classifier: Classifier, picture: np.ndarray, layer: str, lower: nn.Module) -> torch.Tensor:
    """The map (1, K, h, w) of a picture, uint8 (S, S), at a layer; may be shared, so never to be written to.

    Args:
        lower: the part of the network below ``layer``, from ``Network.cut``.
    """

    def made() -> torch.Tensor:
        # A map made in inference mode could never take gradients.
        with torch.inference_mode(False), torch.no_grad():
            found: torch.Tensor = lower(classifier.tensor(picture[None]))
            return found

    if (shelf := _shelf.get()) is None:
        return made()
    # Shelves are bounded by this machine's memory, not by a card's.
    found: torch.Tensor = shelf.keep(_key(classifier, picture, layer, _changes(lower)), lambda: made().cpu())
    return found.to(classifier.device)


def keep_together(
    classifier: Classifier,
    films: Sequence[tuple[Shelf, np.ndarray]],
    layer: str,
    lower: nn.Module,
    maps: torch.Tensor | None = None,
) -> None:
    """Put the maps of several films at a layer on their shelves, made in one pass.

    Args:
        films: shelf and picture, uint8 (S, S), of each of the B.
        maps: the maps (B, K, h, w), for who has them already.
    """
    changes = _changes(lower)
    missing = [
        (place, key)
        for place, (shelf, picture) in enumerate(films)
        if (key := _key(classifier, picture, layer, changes)) not in shelf
    ]
    if not missing:
        return
    if maps is None:
        with torch.inference_mode(False), torch.no_grad():
            found = lower(classifier.tensor(np.stack([films[place][1] for place, _ in missing])))
    else:
        found = maps[[place for place, _ in missing]]
    for number, (place, key) in enumerate(missing):
        films[place][0].put(key, found[number : number + 1].cpu())


def _changes(lower: nn.Module) -> int:
    return sum(weight._version for weight in chain(lower.parameters(), lower.buffers()))


def _key(classifier: Classifier, picture: np.ndarray, layer: str, changes: int) -> str:
    return identity.key("feature map", classifier=classifier.key, layer=layer, changes=changes, picture=picture)
