"""Copied code is whole: what a function of ours calls comes with it."""

import numpy as np
import torch

from core.transform import pixels
from core.transform.torchvision_code import script


def test_a_helper_is_copied_with_what_calls_it() -> None:
    scope: dict = {}
    exec(script(["v2.Lambda(lambda x: on_grey(brightness, x, factor=0.5)),"]), scope)  # it calls `_table`
    picture = np.arange(96 * 96, dtype=np.uint16).reshape(96, 96).astype(np.uint8)
    found = scope["augment"](torch.from_numpy(picture)[None].repeat(3, 1, 1))[0].numpy()
    np.testing.assert_array_equal(found, pixels.brightness(picture, 0.5))
