"""One augmentation as a line of torchvision v2, for "copy as code".

Each function takes the values of a step, a fixed number or a (low, high) pair drawn uniformly, and writes a transform
for a uint8 image tensor (C, H, W). The lines need `HEADER` above them.
"""

from collections.abc import Mapping
from typing import Any

HEADER = """from random import uniform

import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F"""

BILINEAR = "interpolation=v2.InterpolationMode.BILINEAR"
Values = Mapping[str, Any]


def _number(value: float) -> str:
    return f"{value:.6g}"


def _draw(value: Any, scale: float = 1.0) -> str:
    """An expression that is the number, or draws it."""
    if isinstance(value, tuple):
        return f"uniform({_number(value[0] * scale)}, {_number(value[1] * scale)})"
    return _number(value * scale)


def _pair(value: Any) -> str:
    low, high = value if isinstance(value, tuple) else (value, value)
    return f"({_number(low)}, {_number(high)})"


def _function(call: str) -> str:
    return f"v2.Lambda(lambda x: {call})"


def _affine(translate: str = "[0, 0]", scale: str = "1", shear: str = "[0, 0]") -> str:
    return _function(f"F.affine(x, angle=0, translate={translate}, scale={scale}, shear={shear}, {BILINEAR})")


def rotate(v: Values) -> str:
    return f"v2.RandomRotation({_pair(v['angle'])}, {BILINEAR})"


def shift(v: Values) -> str:
    return _affine(translate=f"[{_draw(v['x'], 0.01)} * x.shape[-1], {_draw(v['y'], 0.01)} * x.shape[-2]]")


def zoom(v: Values) -> str:
    if v["aspect"] == 1:
        return _affine(scale=_draw(v["factor"]))
    factor, aspect = _draw(v["factor"]), _draw(v["aspect"])
    return _function(
        "(lambda s, r, f, a: F.resize(F.center_crop(x, [round(s / f * a**0.5), round(s / f / a**0.5)]), [s, r]))"
        f"(*x.shape[-2:], {factor}, {aspect})"
    )


def shear(v: Values) -> str:
    return _affine(shear=f"[{_draw(v['x'], -1)}, {_draw(v['y'], -1)}]")


def flip_horizontal(v: Values) -> str:
    return "v2.RandomHorizontalFlip(p=1)"


def flip_vertical(v: Values) -> str:
    return "v2.RandomVerticalFlip(p=1)"


def crop(v: Values) -> str:
    low, high = v["area"] if isinstance(v["area"], tuple) else (v["area"], v["area"])
    scale = f"({_number(low / 100)}, {_number(high / 100)})"
    return f"v2.Lambda(lambda x: v2.RandomResizedCrop(x.shape[-1], scale={scale}, ratio=(1, 1))(x))"


def brightness(v: Values) -> str:
    return f"v2.ColorJitter(brightness={_pair(v['factor'])})"


def contrast(v: Values) -> str:
    return f"v2.ColorJitter(contrast={_pair(v['factor'])})"


def gamma(v: Values) -> str:
    return _function(f"F.adjust_gamma(x, gamma={_draw(v['gamma'])})")


def equalise(v: Values) -> str:
    return "v2.RandomEqualize(p=1)"


def clahe(v: Values) -> str:
    call = f"cv2.createCLAHE({_draw(v['clip'])}, (round({_draw(v['tiles'])}),) * 2).apply(x[0].numpy())"
    return f"v2.Lambda(lambda x: torch.from_numpy({call}).expand_as(x))  # torchvision has no CLAHE"


def invert(v: Values) -> str:
    return "v2.RandomInvert(p=1)"


def noise(v: Values) -> str:
    return _function(f"(x + torch.randn(x.shape[-2:]) * {_draw(v['sigma'])}).round().clamp(0, 255).to(torch.uint8)")


def blur(v: Values) -> str:
    high = max(v["sigma"]) if isinstance(v["sigma"], tuple) else v["sigma"]
    return f"v2.GaussianBlur({2 * round(4 * high) + 1}, sigma={_pair(v['sigma'])})"


def sharpen(v: Values) -> str:
    return _function(f"F.adjust_sharpness(x, {_draw(v['factor'])})")


def jpeg(v: Values) -> str:
    low, high = v["quality"] if isinstance(v["quality"], tuple) else (v["quality"], v["quality"])
    return f"v2.JPEG(({round(low)}, {round(high)}))"


def low_resolution(v: Values) -> str:
    return _function(f"F.resize(F.resize(x, [round(x.shape[-1] / {_draw(v['factor'])})] * 2), list(x.shape[-2:]))")


def erase(v: Values) -> str:
    return _function(
        "(lambda s, i, j, h: F.erase(x, i - h, j - h, 2 * h, 2 * h, torch.tensor("
        f"{_draw(v['grey'])}).to(x)))(x.shape[-1], round(x.shape[-2] * {_draw(v['y'], 0.01)}), "
        f"round(x.shape[-1] * {_draw(v['x'], 0.01)}), round(x.shape[-1] * {_draw(v['side'], 0.005)}))"
    )


def marker(v: Values) -> str:
    return "v2.Identity()  # torchvision cannot write on a film: use PIL.ImageDraw"


def elastic(v: Values) -> str:
    # torchvision blurs white noise, which shrinks it by the blur's width; alpha undoes that.
    sigma = f"{_draw(v['smoothness'], 0.005)} * x.shape[-1]"
    return (
        f"v2.Lambda(lambda x: (lambda s: v2.ElasticTransform({_draw(v['amplitude'], 0.09)} * x.shape[-1] * s, s)(x))"
        f"({sigma}))"
    )
