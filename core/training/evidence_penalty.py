"""Learning where to look, from films on which that is known: evidence outside a finding, or the lungs, costs.

A classifier that is told labels only may rest them on whatever comes with a finding: the healthy strip beside a patch,
a hospital's way of collimating. Its answers are right and its heatmaps are not. "Right for the right reasons" (Ross
2017) asks for both; here the evidence at each place of the last map is read off without a second derivative, from any
network that tells each place's part in a logit: as class activation (Zhou 2016) where the head is pooling and one
linear layer, or as the votes that its head counts or adds.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.data.cohort import Cohort
from core.errors import CohortError, RecipeError
from core.networks.efficientnet_lite import REST, Odds
from core.networks.from_scratch import Votes
from core.networks.network import Network
from core.training.settings import TrainingConfig
from core.transform.preprocess import Preprocess

INSIDE = 0.25  # part of a place of the map that a finding must cover to count as its own
OVERLAP = 0.5  # weight of the Dice loss beside the cross-entropy of the places


def misplaced(
    network: Network, map_: torch.Tensor, labels: torch.Tensor, masks: Sequence[torch.Tensor], config: TrainingConfig
) -> torch.Tensor:
    """The weighted price of evidence in the last map (B, K, h, w) outside the masks: outlines, then lungs, as asked."""
    inside, cost = iter(masks), map_.new_zeros(())
    votes = next((m for m in network.head.modules() if isinstance(m, Votes)), None)
    if config.outlines and votes is not None:
        cost = cost + config.outlines * stray(network.head.get_submodule("evidence")(map_), labels, next(inside))
    elif config.outlines:
        cost = cost + config.outlines * delineation(places(network, map_), labels, next(inside))
    if config.lungs and has_odds(network):
        cost = cost + config.lungs * outside_lungs(places(network, map_), labels, next(inside))
    elif config.lungs:
        cost = cost + config.lungs * outside(activations(network, map_), next(inside))
    return cost


def known_by(cohort: Cohort) -> list[str]:
    """The columns that say where findings are: "truth" (masks), "boxes", or both; CohortError where none does."""
    columns = [c for c in ("truth", "boxes") if c in cohort.samples and cohort.samples[c].astype(bool).any()]
    if not columns:
        came = f"{cohort.name} does not say where its findings are"
        raise CohortError(came, 'a column "truth" of mask files, or "boxes"')
    return columns


def read(cohort: Cohort, preprocess: Preprocess) -> torch.Tensor:
    """The cohort's findings, masks ("truth") or boxes, as the network's pictures see them.

    Returns:
        uint8 (N, S, S), 255 inside; 0 everywhere on a film without a finding, or whose finding nobody outlined.

    Raises:
        CohortError: the cohort knows no outlines.
    """
    columns = known_by(cohort)
    found = np.zeros((len(cohort), preprocess.size, preprocess.size), np.uint8)
    for i in range(len(cohort)):
        mask = next((m for m in (cohort.mask(i, c) for c in columns) if m is not None and m.any()), None)
        if mask is not None:
            found[i] = np.round(255 * preprocess.to_picture(mask.astype(np.float32)))
    return torch.from_numpy(found)


def has_odds(network: Network) -> bool:
    """Whether the head adds the odds of its places."""
    return any(isinstance(module, Odds) for module in network.head.modules())


def places(network: Network, map_: torch.Tensor) -> torch.Tensor:
    """Each place's log-odds of each class but the first (B, C - 1, h, w), from the last map (B, K, h, w).

    Where the head is pooling and one linear layer, what a place adds to the class's logit less that of the first class:
    their mean over places is the difference of the two logits.

    Raises:
        RecipeError: as `activations`.
    """
    if has_odds(network):
        evidence: torch.Tensor = network.head.get_submodule("evidence")(map_) - REST
        return evidence
    bias = next(m.bias for m in network.head.modules() if isinstance(m, nn.Linear))
    every = activations(network, map_) + bias[:, None, None]
    return every[:, 1:] - every[:, :1]


def delineation(log_odds: torch.Tensor, labels: torch.Tensor, outlines: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each place against the part of it that its own finding covers, plus half a Dice loss (Milletari
    2016) of the outlined films.

    Args:
        log_odds: (B, C - 1, h, w) of every class but the first, "no finding".
        labels: int64 (B,). A film without a finding has no evidence anywhere. Of one that is taught (-1) the outlines
            are the teachers' probability of the one finding at each place, and it has no share in the Dice loss.
        outlines: uint8 (B, S, S). A film with a finding that nobody outlined takes no part.
    """
    taught = labels < 0
    outlined = (labels > 0) & (outlines > 127).flatten(1).any(1)
    known = outlined | (labels == 0) | taught
    labels = labels.where(~taught, 1)
    if not known.any():
        return log_odds.new_zeros(())
    own = functional.one_hot(labels, log_odds.shape[1] + 1)[:, 1:, None, None]  # (B, C - 1, 1, 1)
    covered = own * _cover(outlines, log_odds[:, 0])[:, None]
    cost = functional.binary_cross_entropy_with_logits(log_odds[known], covered[known])
    if outlined.any():
        p = (log_odds.sigmoid() * own)[outlined].sum(1)
        target = covered[outlined].sum(1)
        both = (p * target).sum((1, 2))
        dice = (2 * both + 1) / (p.sum((1, 2)) + target.sum((1, 2)) + 1)
        cost = cost + OVERLAP * (1 - dice).mean()
    return cost


def outside_lungs(log_odds: torch.Tensor, labels: torch.Tensor, lungs: torch.Tensor) -> torch.Tensor:
    """The mean part of the places' probabilities (B, C - 1, h, w) of findings that lies outside the lungs, 0 to 1.

    Films without a finding (label 0) have no evidence whose place could be wrong.
    """
    finding = labels > 0
    if not finding.any():
        return log_odds.new_zeros(())
    told = log_odds[finding].sigmoid().sum(1)
    return _mean_share(told, 1 - _cover(lungs[finding], told))


def activations(network: Network, map_: torch.Tensor) -> torch.Tensor:
    """Each class's evidence at each place of the last map (B, K, h, w), as (B, C, h, w); their mean is the logit.

    Raises:
        RecipeError: the network's head is more than pooling and one linear layer; a recipe that would need it to be is
            refused before (``zoo.NetworkSpec.evidence``).
    """
    weights = [m for m in network.head.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    if len(weights) != 1 or not isinstance(weights[0], nn.Linear) or weights[0].in_features != map_.shape[1]:
        raise RecipeError("the network's head is more than pooling and one linear layer", "one with class activations")
    return torch.einsum("bkhw,ck->bchw", map_, weights[0].weight)


def outside(evidence: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """The mean part of what tells the classes apart that lies outside a mask, 0 to 1.

    Args:
        evidence: (B, C, h, w); what all classes share at a place decides nothing and does not count.
        inside: uint8 (B, S, S), 255 inside.
    """
    telling = (evidence - evidence.mean(1, keepdim=True)).abs().sum(1)  # (B, h, w)
    return _mean_share(telling, 1 - _cover(inside, telling))


def stray(evidence: torch.Tensor, labels: torch.Tensor, outlines: torch.Tensor) -> torch.Tensor:
    """The mean part of the evidence for a film's own finding that lies outside its outline, 0 to 1.

    Args:
        evidence: (B, C - 1, H, W) for every class but the first, "no finding"; only what is positive counts.
        labels: int64 (B,).
        outlines: uint8 (B, S, S). Films without an outline do not count.
    """
    known = (labels > 0) & (outlines > 127).flatten(1).any(1)
    if not known.any():
        return evidence.new_zeros(())
    own = evidence[known, labels[known] - 1].relu()  # (K, H, W)
    return _mean_share(own, _cover(outlines[known], own) <= INSIDE)


def _cover(masks: torch.Tensor, map_: torch.Tensor) -> torch.Tensor:
    """The part of each place of the map (B, h, w) that lies inside a mask uint8 (B, S, S), 0 to 1."""
    return functional.interpolate(masks[:, None].float() / 255, map_.shape[-2:], mode="area")[:, 0]


def _mean_share(map_: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """The part of each map's sum (B, h, w) that is counted, weight (B, h, w), and of that the mean."""
    return ((map_ * counted).sum((1, 2)) / (map_.sum((1, 2)) + 1e-3)).mean()
