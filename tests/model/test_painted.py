"""A rectangle painted over: only what it reaches is computed, and the answer is that of the whole picture."""

import numpy as np
import pytest
import torch
from torch import nn

from core.model.bulk import painted
from core.model.bulk.engine import laid_out
from core.model.bulk.painted import Box, PaintedEngine
from core.networks.from_scratch import named
from core.networks.network import Network
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
from tests.model.test_folded import lived_in

SIDE = 96
PICTURE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)
BOXES: list[Box] = [(0, 12, 0, 12), (84, 96, 84, 96), (31, 47, 5, 9), (0, 3, 60, 96), (50, 51, 50, 51), (40, 40, 2, 9)]


def asked(network: Network) -> tuple[PaintedEngine, np.ndarray]:
    """The engine of a network, and what whole passes say."""
    preprocess = Preprocess(size=SIDE)
    own = laid_out(network, preprocess, torch.device("cpu"))
    pictures = np.stack([PICTURE] * (1 + len(BOXES)))
    for one, (top, bottom, left, right) in zip(pictures[1:], BOXES, strict=True):
        one[top:bottom, left:right] = 30
    with torch.inference_mode():
        return PaintedEngine(own, preprocess), network(preprocess.tensor(pictures)).numpy()


class Squeezed(nn.Module):
    """A stage whose every place sees the whole picture, by a function and not by a module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.conv(x)
        return y * torch.sigmoid(20 * y.mean((2, 3), keepdim=True))


@pytest.mark.parametrize("name", ["resnet_small", "resnet18", "mobilenet_v2", "efficientnet_lite0", "densenet121"])
def test_painted_pictures_are_answered_as_whole_ones_are(name: str) -> None:
    torch.manual_seed(0)
    engine, wanted = asked(lived_in(build(name, 3)))
    assert engine.local
    found = engine(PICTURE, BOXES, 30)
    moved = np.abs(wanted - wanted[0]).max(axis=1)
    assert np.abs(found - wanted).max() < 1e-3 * moved.max()
    assert moved[1:-1].min() > 1e-6 * np.abs(wanted).max()  # painting changes something
    assert np.abs(found[-1] - found[0]).max() < 1e-3 * moved.max()  # an empty rectangle does not


def test_only_windows_pass_the_first_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    engine, _ = asked(lived_in(build("resnet_small", 3)))
    sides: list[int] = []
    first = engine.network.features[0]
    hook = first.register_forward_hook(lambda _, inputs, __: sides.append(inputs[0].shape[-1]))
    engine(PICTURE, BOXES[:1], 30)
    hook.remove()
    assert len(sides) == 2
    assert min(sides) < 24  # 12 pixels and what the stem sees round them
    assert max(sides) == SIDE  # the bare picture


def test_a_stage_that_sees_everything_is_computed_whole() -> None:
    """Its answer would be another one: that is seen when the engine is built, not when somebody believes it."""
    torch.manual_seed(0)
    layers = named(conv=nn.Conv2d(3, 8, 3, padding=1), squeezed=Squeezed(), last=nn.Conv2d(8, 8, 3, padding=1))
    head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), out=nn.Linear(8, 3))
    engine, wanted = asked(Network(layers, head).eval())
    assert not engine.local
    np.testing.assert_allclose(engine(PICTURE, BOXES, 30), wanted, atol=1e-5)


def test_an_understated_reach_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painted, "_number", lambda size: 1)
    torch.manual_seed(0)
    assert not asked(lived_in(build("resnet_small", 3)))[0].local
