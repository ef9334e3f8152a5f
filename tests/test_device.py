"""The device is the one named, or the best there is; what the machine lacks is refused."""

import pytest
import torch

from core import device
from core.errors import RecipeError


def test_the_named_device_or_the_best() -> None:
    assert device.pick("cpu") == torch.device("cpu")
    assert device.pick() in (torch.device("cpu"), torch.device("cuda"), torch.device("mps"))
    with pytest.raises(RecipeError, match="abacus"):
        device.pick("abacus")


def test_mixed_precision_only_where_it_pays() -> None:
    cpu = torch.device("cpu")
    with device.autocast(cpu):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert (product.dtype == torch.bfloat16) == device.has_bf16(cpu)
