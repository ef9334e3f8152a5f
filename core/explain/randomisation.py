"""Adebayo's sanity check: a map that stays when the network's weights are destroyed does not come from the network.

Done once per checkpoint and method, on a handful of films, and kept in the checkpoint's card. Weights are destroyed
from the top down, stage by stage, by shuffling the numbers inside each weight tensor: they keep their scale, so that no
activation dies or explodes, and lose all they have learned (Adebayo 2018, arXiv:1810.03292).

Notable choices:
- One shuffle is one network. Several seeds are taken, because a single one can pass or fail by luck.
- A map that goes blank has changed, but it has no correlation: its share is reported separately, not averaged in as 0.
- Chance is measured: phase surrogates of the same maps, as smooth as they are and about nothing. Coarse maps resemble
  each other by luck (|rho| of 0.2 to 0.45), so that a fixed limit flips with the seed.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.atomic import write_whole
from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from core.explain.heatmap.cache import kept_on
from core.explain.methods import borne
from core.explain.nulls import phase_surrogates
from core.explain.stability import SIDE, rank_correlation, rank_correlations
from core.model.checkpoint import CARD
from core.model.classifier import Classifier
from core.shelf import Shelf

SEEDS = 4
SURROGATES = 40  # for each film
Maps = list[dict[str, np.ndarray]]


def randomisation(
    classifier: Classifier, pictures: Sequence[np.ndarray], methods: Sequence[str], seeds: int = SEEDS
) -> dict[str, dict[str, Any]]:
    """Mean rank correlation of the original maps with those after each further stage from the top was destroyed.

    Args:
        pictures: uint8 ``(S, S)``, a dozen or so; for each the map of the class it is called is taken.
        methods: a feature map is computed once for all of them.
        seeds: how many times the weights are destroyed.

    Returns:
        For the card, by method: "stages" (top down, "head" first); for each of them "correlation" (the mean |rho| over
        films and seeds, cumulative, 0 to 1, of maps that are not blank; None where all are) and "blank" (the share of
        maps gone blank); the last of both as "final" and "final_blank"; "chance" and "chance_95" (the mean of |rho|
        over as many maps about nothing, and what one in twenty such means exceeds); "films" (with a map to compare)
        and "seeds".

    Raises:
        ExplainError: the network is only a function, or does not bear a method.
    """
    for method in methods:
        borne(method, classifier.network)
    if classifier.network.opaque:
        raise ExplainError(f"{classifier.card.name} is only a function", "a network whose weights can be destroyed")
    probabilities = classifier.predict_pictures(np.stack(pictures))[1]
    names = [classifier.classes[index] for index in classifier.output.first(probabilities)]
    original = _maps(classifier, pictures, names, methods)
    runs = [
        [(stage, _maps(twin, pictures, names, methods)) for stage, twin in _cascade(classifier, seed)]
        for seed in range(seeds)
    ]
    return {method: _result(method, original, runs) for method in methods}


def _result(method: str, original: Maps, runs: list[list[tuple[str, Maps]]]) -> dict[str, Any]:
    kept = [number for number, maps in enumerate(original) if np.ptp(maps[method]) > 0]
    stages = [stage for stage, _ in runs[0]]
    correlations: list[float | None] = []
    blanks: list[float] = []
    for position in range(len(stages)):
        left = np.array(
            [
                rank_correlation(original[number][method], run[position][1][number][method])
                for run in runs
                for number in kept
            ]
        )
        known = np.abs(left[~np.isnan(left)])
        correlations.append(round(float(known.mean()), 4) if len(known) else None)
        blanks.append(round(1 - len(known) / len(left), 4) if len(left) else 1.0)
    chance, limit = _chance([original[number][method] for number in kept])
    return {
        "stages": stages,
        "correlation": correlations,
        "blank": blanks,
        "final": correlations[-1],
        "final_blank": blanks[-1],
        "chance": chance,
        "chance_95": limit,
        "films": len(kept),
        "seeds": len(runs),
    }


def _chance(maps: Sequence[np.ndarray]) -> tuple[float, float]:
    """|rho| of each map with others as smooth, about nothing: its mean over films, and 95 % point of that mean."""
    import cv2

    if not maps:
        return 0.0, 0.0
    rng = np.random.default_rng(0)
    found = np.zeros((len(maps), SURROGATES))
    for row, map_ in zip(found, maps, strict=True):
        small = cv2.resize(map_, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        row[:] = np.abs(rank_correlations([small] * SURROGATES, list(phase_surrogates(small, SURROGATES, rng))))
    found = np.nan_to_num(found)
    drawn = np.take_along_axis(found, rng.integers(SURROGATES, size=(len(maps), 1000)), axis=1).mean(axis=0)
    return round(float(found.mean()), 4), round(float(np.quantile(drawn, 0.95)), 4)


def record(folder: Path, results: Mapping[str, dict[str, Any]], field: str = "randomisation") -> None:
    """Keep results, by method, in the card of the checkpoint in this folder, beside those of other methods.

    Args:
        field: of the card, "randomisation" or "power".
    """
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    card[field] = {**card.get(field, {}), **results}
    write_whole(folder / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def _cascade(classifier: Classifier, seed: int) -> Iterator[tuple[str, Classifier]]:
    """The stage destroyed last, and a copy of the classifier in which it and all above it are."""
    generator = torch.Generator().manual_seed(seed)
    network = copy.deepcopy(classifier.network)
    for stage, module in network.parts():
        _shuffle(module, generator)
        yield stage, classifier.with_network(network)


def destroyed(classifier: Classifier, seed: int = 0) -> Classifier:
    """A copy of a classifier in which all weights are destroyed."""
    *_, (_, twin) = _cascade(classifier, seed)
    return twin


@torch.no_grad()
def _shuffle(module: torch.nn.Module, generator: torch.Generator) -> None:
    """Permute the numbers of every weight and kernel; norms and biases, one number per channel, stay."""
    for parameter in module.parameters():
        if parameter.ndim > 1:
            order = torch.randperm(parameter.numel(), generator=generator)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))


def _maps(classifier: Classifier, pictures: Sequence[np.ndarray], names: Sequence[str], methods: Sequence[str]) -> Maps:
    """Of each picture, by method."""
    found = []
    for picture, name in zip(pictures, names, strict=True):
        with kept_on(Shelf()):  # of its own: a copy with other weights bears the same key
            found.append({method: heatmaps(classifier, picture, method, [name])[name].values for method in methods})
    return found
