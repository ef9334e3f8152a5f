"""The narrow-view network: a place of its last map knows nothing of the film beyond its window."""

import torch

from core.networks.zoo import build


def test_a_place_of_the_last_map_sees_47_pixels() -> None:
    features = build("resnet_local", 4).eval().features
    film = torch.rand(1, 3, 128, 128, requires_grad=True)
    map_ = features(film)  # (1, 96, 16, 16)
    assert map_.shape == (1, 96, 16, 16)
    map_[0, :, 8, 8].sum().backward()
    assert film.grad is not None
    rows = film.grad.abs().sum((0, 1, 3)).nonzero().flatten()
    assert int(rows.max() - rows.min()) + 1 <= 47


def test_nobody_voting_means_the_first_class() -> None:
    head = build("resnet_local", 4).eval().head
    assert int(head(torch.zeros(1, 96, 16, 16)).argmax()) == 0


def test_every_place_only_adds_to_a_finding() -> None:
    head = build("resnet_local", 4).eval().head
    few, many = torch.zeros(2, 1, 96, 16, 16)
    few[..., 3, 3] = 1.0
    many[..., 3:9, 3:9] = 1.0
    difference = head(many) - head(few)
    assert (difference >= 0).all()
    assert difference.max() > 0
