"""The ways in which networks are usually shown a picture, by the ranges their pixels are brought to.

The three channels of a film are equal, so the order red, green, blue or the other way round is only the order of means
and spreads.
"""

from core.errors import RecipeError
from core.transform.preprocess import Preprocess

_BGR = (103.939 / 255, 116.779 / 255, 123.68 / 255)  # Caffe's and Keras' means, in BGR order; the channels are all grey

RANGES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {  # name -> mean and std, in units of white = 1
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "unit": ((0.0,) * 3, (1.0,) * 3),  # 0 to 1
    "symmetric": ((0.5,) * 3, (0.5,) * 3),  # -1 to 1
    "bytes": ((0.0,) * 3, (1 / 255,) * 3),  # 0 to 255
    "caffe": (_BGR, (1 / 255,) * 3),  # 0 to 255, less the means
    "imagenet_bgr": ((0.406, 0.456, 0.485), (0.225, 0.224, 0.229)),
    "caffe_rgb": (_BGR[::-1], (1 / 255,) * 3),
    "xrv": ((0.5,) * 3, (1 / 2048,) * 3),  # -1024 to 1024, TorchXRayVision's
}


def values(name: str, channels: int = 3) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std of a range; those of one channel are the means over three.

    Raises:
        RecipeError: there is no such range.
    """
    if name not in RANGES:
        raise RecipeError(f"there is no range {name!r}", f"one of {', '.join(RANGES)}")
    mean, std = RANGES[name]
    return (mean, std) if channels == 3 else ((sum(mean) / 3,), (sum(std) / 3,))


def name_of(look: Preprocess) -> str:
    """The range of a preprocessing, or its mean and std where it is none of the usual ones."""
    for name in RANGES:
        mean, std = values(name, look.channels)
        if all(abs(a - b) < 1e-4 for a, b in zip((*mean, *std), (*look.mean, *look.std), strict=True)):
            return name
    return f"mean {', '.join(f'{v:.3g}' for v in look.mean)}, std {', '.join(f'{v:.3g}' for v in look.std)}"
