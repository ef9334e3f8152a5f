"""What several films cost less of together than each alone: the passes through networks, taken as batches.

Each part lies on its own film's shelf afterwards, under the key by which `Examined` asks for it.
"""

from collections.abc import Iterable, Iterator, Sequence

from core.examine.examined import Examined
from core.explain.confidence import left
from core.explain.heatmap import Heatmap
from core.explain.heatmap.cache import keep_together
from core.lungs import segment
from core.model.classifier import batches

BATCH = 16  # films that pass the network together


def examine_many(examined: Iterable[Examined], batch: int = BATCH, layer: str | None = None) -> Iterator[Examined]:
    """Films in order, each with its prediction made, ``batch`` at a time; ``layer`` as of `predict_together`."""
    for group in batches(examined, batch):
        predict_together(group, layer)
        yield from group


def predict_together(group: Sequence[Examined], layer: str | None = None) -> None:
    """Make the predictions that are missing among films before one model, as one batch.

    Args:
        layer: a stage of the network whose maps are kept as well, from the same pass where it is the last stage.
    """
    missing = [one for one in group if one.part("prediction") not in one.shelf]
    maps = None
    if missing:
        with missing[0].shelf.turn():
            found, maps = missing[0].classifier.predict_with_maps([(one.film, one.picture) for one in missing])
        for one, said in zip(missing, found, strict=True):
            one.shelf.put(one.part("prediction"), said)
    if layer is None or not group:
        return
    classifier = group[0].classifier
    lower, _ = classifier.network.cut(layer)
    if maps is not None and layer == classifier.network.layers[-1]:
        keep_together(classifier, [(one.shelf, one.picture) for one in missing], layer, lower, maps)
    with group[0].shelf.turn():
        keep_together(classifier, [(one.shelf, one.picture) for one in group], layer, lower)


def lungs_together(group: Sequence[Examined]) -> None:
    """Find the lungs of the films where nobody has looked for them yet, as one batch."""
    missing = [one for one in group if one.lungs_key not in one.shelf]
    if missing:
        with missing[0].shelf.turn():
            found = segment.default_finder().find_together([one.film for one in missing])
        for one, lungs in zip(missing, found, strict=True):
            one.shelf.put(one.lungs_key, lungs)


def left_together(asked: Sequence[tuple[Examined, Heatmap]]) -> None:
    """What is left of the answers when only what heatmaps mark is shown (`Examined.left`), as one batch."""
    missing = [
        (one, map_, key)
        for one, map_ in asked
        if map_.values.max() > 0 and (key := one.left_key(map_)) not in one.shelf
    ]
    if missing:
        shown = [(one.picture, map_.values) for one, map_, _ in missing]
        with missing[0][0].shelf.turn():
            found = left(missing[0][0].classifier, shown)
        for (one, _, key), rest in zip(missing, found, strict=True):
            one.shelf.put(key, rest)
