"""A running mean of the weights, judged and kept in place of the last ones: what single steps shake is averaged out.

Polyak 1992; for deep networks Tarvainen 2017. The moments of batch norms are averaged with the weights.
"""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from core.networks.network import Network


class RunningMean:
    """The mean of a network's weights over its steps, later ones weighing more.

    Args:
        network: what learns.
        decay: part of the mean that a step leaves, above 0 and below 1.
        earlier: the mean as an earlier epoch left it; empty: it starts from the weights after the first step.
    """

    def __init__(self, network: Network, decay: float, earlier: dict[str, torch.Tensor]) -> None:
        self._mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        if earlier:
            self._mean.module.load_state_dict(earlier)
            self._mean.n_averaged.fill_(1)  # else the next step would begin it anew

    @property
    def network(self) -> Network:
        """The network with the mean weights."""
        found = self._mean.module
        assert isinstance(found, Network)
        return found

    def follow(self, network: nn.Module) -> None:
        """Take in the weights after a step."""
        self._mean.update_parameters(network)
