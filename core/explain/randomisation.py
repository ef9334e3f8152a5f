"""Adebayo's sanity check: a map that stays when the network's weights are destroyed does not come from the network.

Done once per checkpoint and method, on a handful of films, and kept in the checkpoint's card. Weights are destroyed
from the top down, stage by stage, by shuffling the numbers inside each weight tensor: they keep their scale, so that no
activation dies or explodes, and lose all they have learned.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.atomic import replacing
from core.explain.heatmap import heatmaps
from core.explain.stability import rank_correlation
from core.model.checkpoint import CARD
from core.model.classifier import Classifier


def randomisation(classifier: Classifier, pictures: Sequence[np.ndarray], method: str, seed: int = 0) -> dict[str, Any]:
    """Mean rank correlation of the original maps with those after each further stage from the top was destroyed.

    Args:
        pictures: uint8 ``(S, S)``, a dozen or so; for each the map of the class it is called is taken.

    Returns:
        For the card: "stages" (top down, "head" first), "correlation" (one for each stage, cumulative, 0 to 1; a map
        that goes blank has changed and counts as 0), "films" (how many: those with a blank original are left out), and
        "final" (the last correlation; None, as all of them, where every original is blank).
    """
    probabilities = classifier.predict_pictures(np.stack(pictures))[1]
    names = [classifier.classes[index] for index in classifier.decide(probabilities)]
    original = _maps(classifier, pictures, names, method)
    kept = [number for number, map_ in enumerate(original) if np.ptp(map_) > 0]
    stages, correlations = [], []
    for stage, twin in _cascade(classifier, seed):
        destroyed = _maps(twin, [pictures[n] for n in kept], [names[n] for n in kept], method)
        left = [abs(rank_correlation(original[n], map_)) for n, map_ in zip(kept, destroyed, strict=True)]
        stages.append(stage)
        correlations.append(round(float(np.nan_to_num(left).mean()), 4) if kept else None)
    return {"stages": stages, "correlation": correlations, "films": len(kept), "final": correlations[-1]}


def record(folder: Path, results: Mapping[str, dict[str, Any]]) -> None:
    """Keep results, by method, in the card of the checkpoint in this folder, beside those of other methods."""
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card["randomisation"] = {**card.get("randomisation", {}), **results}
    with replacing(folder / CARD) as temporary:
        temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _cascade(classifier: Classifier, seed: int) -> Iterator[tuple[str, Classifier]]:
    """The stage destroyed last, and a copy of the classifier in which it and all above it are."""
    generator = torch.Generator().manual_seed(seed)
    twin = copy.copy(classifier)
    twin.network = copy.deepcopy(classifier.network)
    top_down = [("head", twin.network.head), *reversed(list(twin.network.features.named_children()))]
    for stage, module in top_down:
        _shuffle(module, generator)
        yield stage, twin


@torch.no_grad()
def _shuffle(module: torch.nn.Module, generator: torch.Generator) -> None:
    """Permute the numbers of every weight and kernel; norms and biases, one number a channel, stay."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))


def _maps(
    classifier: Classifier, pictures: Sequence[np.ndarray], names: Sequence[str], method: str
) -> list[np.ndarray]:
    return [
        heatmaps(classifier, picture, method, [name])[name].values
        for picture, name in zip(pictures, names, strict=True)
    ]
