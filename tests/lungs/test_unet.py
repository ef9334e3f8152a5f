"""The lung finder's network is MONAI's, layer by layer, and needs nothing of MONAI."""

import pytest
import torch
from monai.networks.nets.unet import UNet as MonaiUNet

from core.lungs.segment import CHANNELS, LungFinder
from core.lungs.unet import UNet


@pytest.mark.parametrize("channels", [CHANNELS, (4, 8)], ids=["shipped", "two levels"])
def test_it_answers_to_the_bit_as_monai_s(channels: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    theirs = MonaiUNet(2, 1, 3, channels, (2,) * (len(channels) - 1), num_res_units=1).eval()
    ours = UNet(1, 3, channels).eval()
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    pictures = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours(pictures), theirs(pictures))
        ours.model[2][1].conv.unit0.conv.bias += 1  # another network answers otherwise
        assert not torch.equal(ours(pictures), theirs(pictures))


def test_the_shipped_weights_give_monai_s_network_the_same_answers() -> None:
    finder = LungFinder()
    theirs = MonaiUNet(2, 1, 3, CHANNELS, (2,) * (len(CHANNELS) - 1), num_res_units=1).eval()
    theirs.load_state_dict(finder.network.state_dict())
    pictures = torch.randn(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(finder.network(pictures), theirs(pictures))
