"""Class activation as the network itself votes: each place's exact part, from networks that tell it.

No gradient and no approximation. Where places vote by odds the map is the probability with which each place is held to
show the finding, 0 to 1; where they are counted, the votes; where the head is pooling and one linear layer, the class
activation of Zhou 2016, which averages to the logit.
"""

import torch
from torch import nn

from core.errors import ExplainError
from core.networks.efficientnet_lite import REST, Odds
from core.networks.from_scratch import Votes


def votes(head: nn.Sequential, map_: torch.Tensor) -> torch.Tensor:
    """The last map (B, K, h, w) -> evidence for each class at each place (B, C, h, w); negative ones count against it.

    The first class of a network that votes for findings is "nothing found", which no place shows: its map is 0.

    Raises:
        ExplainError: the head is something else, in which no place has a part of its own.
    """
    kinds = [type(module) for module in head.modules()]
    with torch.no_grad():
        if Odds in kinds:
            return nn.functional.pad((head.get_submodule("evidence")(map_) - REST).sigmoid(), (0, 0, 0, 0, 1, 0))
        if Votes in kinds:
            return nn.functional.pad(head.get_submodule("evidence")(map_).relu(), (0, 0, 0, 0, 1, 0))
        layers = [m for m in head.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        if len(layers) == 1 and isinstance(layers[0], nn.Linear) and layers[0].in_features == map_.shape[1]:
            return torch.einsum("bkhw,ck->bchw", map_, layers[0].weight)
    expected = "pooling and one linear layer, or places that vote"
    raise ExplainError("this network's head is more than that", expected, "Choose Grad-CAM or HiRes-CAM instead")
