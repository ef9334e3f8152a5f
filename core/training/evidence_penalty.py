"""Learning where to look, from films on which that is known: evidence outside a finding, or the lungs, costs.

A classifier that is told labels only may rest them on whatever comes with a finding: the healthy strip beside a patch,
a hospital's way of collimating. Its answers are right and its heatmaps are not. "Right for the right reasons" (Ross
2017) asks for both; here the evidence at each place of the last map is read off without a second derivative: from
``resnet_local``, which names it, or as class activation (Zhou 2016) where the head is pooling and one linear layer.
"""

import numpy as np
import torch
from torch import nn

from core.data.cohort import Cohort
from core.errors import CohortError, RecipeError
from core.networks.zoo import Network
from core.transform.preprocess import Preprocess

INSIDE = 0.25  # part of a place of the map that a finding must cover to count as its own


def read(cohort: Cohort, preprocess: Preprocess) -> torch.Tensor:
    """The cohort's "truth" masks as the network's pictures see them: uint8 (N, S, S), 255 inside, 0 without a finding.

    Raises:
        CohortError: the cohort knows no outlines.
    """
    if "truth" not in cohort.samples or not cohort.samples["truth"].astype(bool).any():
        raise CohortError(f"{cohort.name} does not say where its findings are", 'a column "truth" of mask files')
    found = np.zeros((len(cohort), preprocess.size, preprocess.size), np.uint8)
    for i in range(len(cohort)):
        mask = cohort.mask(i, "truth")
        if mask is not None:
            found[i] = 255 * (preprocess.to_picture(mask) > 0)
    return torch.from_numpy(found)


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
    return nn.functional.interpolate((masks[:, None] > 127).float(), map_.shape[-2:], mode="area")[:, 0]


def _mean_share(map_: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """The part of each map's sum (B, h, w) that is counted, weight (B, h, w), and of that the mean."""
    return ((map_ * counted).sum((1, 2)) / (map_.sum((1, 2)) + 1e-3)).mean()
