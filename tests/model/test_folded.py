"""A network laid out for inference says what it said; where folding would be wrong it is left alone."""

import numpy as np
import pytest
import torch
from torch import nn

from core.model.bulk import engine
from core.model.bulk.folded import folded
from core.model.domain import signature
from core.networks.from_scratch import named
from core.networks.network import Network
from core.networks.zoo import build
from core.transform.preprocess import Preprocess


def norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def lived_in(network: Network) -> Network:
    """As after a training: its norms are not the identity, and fit what comes through."""
    random = torch.Generator().manual_seed(0)
    for norm in norms(network):
        norm.momentum = None  # the mean of what was seen
        for tensor, shift in ((norm.weight, 0.5), (norm.bias, -0.5)):
            tensor.data.copy_(torch.rand(tensor.shape, generator=random) + shift)
    with torch.no_grad():
        network.train()(torch.randn(8, 3, 64, 64, generator=random))
    return network.eval()


class Twice(nn.Module):
    """A convolution whose output goes through a norm and round it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.relu = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        out: torch.Tensor = self.relu(self.norm(y)) + y
        return out


@pytest.mark.parametrize("name", ["resnet_small", "resnet18", "mobilenet_v2", "efficientnet_lite0", "densenet121"])
def test_a_folded_network_says_the_same_without_norms(name: str) -> None:
    torch.manual_seed(0)
    network = lived_in(build(name, 3))
    images = Preprocess(size=64).tensor(np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8))
    own = folded(network, images[:2])
    assert len(norms(own)) < len(norms(network))
    if name != "densenet121":  # whose norms stand before its convolutions
        assert not norms(own)
    with torch.no_grad():
        for was, is_ in zip(signature(network, images), signature(own, images), strict=True):
            assert torch.allclose(was, is_, atol=1e-4 * float(was.abs().max()))


def test_an_output_used_twice_is_not_folded() -> None:
    torch.manual_seed(0)
    head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    network = lived_in(Network(named(a=nn.Identity(), b=nn.Identity(), twice=Twice()), head))
    images = torch.randn(2, 3, 16, 16)
    own = folded(network, images)
    assert len(norms(own)) == 1
    with torch.no_grad():
        assert torch.equal(signature(own, images)[0], signature(network, images)[0])


def test_the_network_itself_stays_as_it_was() -> None:
    network = lived_in(build("resnet_small", 3))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    run = engine.torch_engine(network, Preprocess(size=32))
    run(np.zeros((1, 32, 32), np.uint8))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks or getattr(module, "inplace", False) for module in network.modules())


def test_many_pictures_are_shown_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The maps of a hundred at once leave the processor's cache, and take memory that grows with them."""
    sizes: list[int] = []
    real = engine.signature
    monkeypatch.setattr(engine, "signature", lambda network, x, low: sizes.append(len(x)) or real(network, x, low))
    network, pictures = (
        lived_in(build("resnet_small", 3)),
        np.random.default_rng(0).integers(0, 256, (9, 64, 64), np.uint8),
    )
    whole = engine.torch_engine(network, Preprocess(size=64))(pictures)[0]
    monkeypatch.setattr(engine, "AT_ONCE", 4 * 64**2)
    parts = engine.torch_engine(network, Preprocess(size=64))(pictures)[0]
    assert sizes == [9, 4, 4, 1]
    np.testing.assert_allclose(whole, parts, atol=1e-5)
