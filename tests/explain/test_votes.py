"""Votes are the network's own: they add up to its logits."""

import pytest
import torch

from core.errors import ExplainError
from core.explain.heatmap.votes import votes
from core.networks.efficientnet_lite import REST
from core.networks.zoo import build


def test_the_votes_of_each_kind_of_network_add_up_to_its_logits() -> None:
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        pooled = build("resnet_small", 3).eval()
        map_ = pooled.features(pictures)
        expected = pooled.head(map_) - pooled.head.classifier.bias
        assert torch.allclose(votes(pooled.head, map_).mean((2, 3)), expected, atol=1e-5)

        counting = build("resnet_local", 3).eval()
        map_ = counting.features(pictures)
        rule = counting.head.votes
        total = votes(counting.head, map_)[:, 1:].sum((2, 3))
        assert torch.allclose(rule.weight * total.log1p() - rule.threshold, counting.head(map_)[:, 1:], atol=1e-5)

        adding = build("efficientnet_lite0_pyramid", 3).eval()
        map_ = adding.features(pictures)
        p = votes(adding.head, map_)
        assert (p[:, 0] == 0).all()
        assert 0 < float(p[:, 1:].min()) <= float(p.max()) < 1
        odds = (p / (1 - p))[:, 1:].mean((2, 3))
        rule = adding.head.odds
        assert torch.allclose(rule.power * odds.log() + rule.offset, adding.head(map_)[:, 1:], atol=1e-4)
        assert REST > 0


def test_a_network_whose_places_have_no_part_of_their_own_is_refused() -> None:
    with pytest.raises(ExplainError, match="more than that"):
        votes(build("compact_cnn", 3).head, torch.rand(1, 32, 14, 14))
