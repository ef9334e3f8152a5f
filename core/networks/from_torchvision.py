"""Networks of torchvision: ``torchvision:NAME``."""

from collections.abc import Mapping
from typing import Any
from urllib.error import URLError

from torch import nn

from core.errors import RecipeError
from core.networks.network import Network, NetworkSpec
from core.networks.sources import Offered
from core.networks.torchvision_parts import regroup as in_parts
from core.networks.torchvision_parts import set_dropout

FAMILIES = (
    *("alexnet", "convnext", "densenet", "efficientnet", "mobilenet", "regnet", "resnet", "resnext", "wide_resnet"),
    *("squeezenet", "swin", "vgg", "vit"),
)


def names() -> tuple[str, ...]:
    """Those of torchvision's classifiers that are cut into features and head here."""
    import torchvision

    return tuple(n for n in torchvision.models.list_models(module=torchvision.models) if n.startswith(FAMILIES))


def spec(name: str) -> NetworkSpec:
    """Side and title, of torchvision's default weights."""
    import torchvision

    _check(name)
    crop = torchvision.models.get_model_weights(name).DEFAULT.transforms().crop_size[0]
    linear = name.startswith(("resnet", "resnext", "wide_resnet", "densenet", "regnet"))
    return NetworkSpec(f"torchvision:{name}", name, True, crop, evidence="activations" if linear else "")


def make(
    name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any] | None = None
) -> nn.Module:
    """torchvision's model; its first convolution takes ``channels``."""
    import torchvision

    _check(name)
    settings = {"image_size": size} if name.startswith("vit") and size else {}
    try:
        model: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=n_classes, **settings)
    except (RuntimeError, ValueError, AssertionError) as error:
        raise RecipeError(f"{name} cannot be made for pictures of {size} px ({error})") from error
    if channels != 3:
        _take_channels(model, channels)
    if dropout:
        set_dropout(model, dropout)
    return model


def regroup(model: nn.Module) -> Network:
    """See `core.networks.torchvision_parts`."""
    return in_parts(model)


def own_weights(name: str, run_pickle: bool = False, size: int = 0) -> Offered:
    """The default ImageNet weights, from the folder HILUM_PRETRAINED or the internet."""
    import torchvision

    from core.networks.initial import load_tensors, pretrained_file

    _check(name)
    weights = torchvision.models.get_model_weights(name).DEFAULT
    classes = tuple(weights.meta["categories"])
    model = make(name, len(classes), 3, 0, 0.0)
    try:
        file = pretrained_file(name)
        state = load_tensors(file) if file else weights.get_state_dict(progress=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:
        remedy = "Connect to the internet, or name a folder of state dicts in HILUM_PRETRAINED"
        raise RecipeError(f"the weights of {name} could not be downloaded ({error})", remedy=remedy) from error
    model.load_state_dict(state)
    look = weights.transforms()
    preprocess = {"size": look.crop_size[0], "mean": tuple(look.mean), "std": tuple(look.std), "fit": "crop"}
    return Offered(model, name, classes, preprocess)


def _check(name: str) -> None:
    from difflib import get_close_matches

    if name not in (known := names()):
        near = ", ".join(get_close_matches(name, known, 3) or ["resnet18", "densenet121", "vit_b_16"])
        raise RecipeError(f"there is no network torchvision:{name}", f"a name such as {near}")


def _take_channels(model: nn.Module, channels: int) -> None:
    """Replace the first convolution by one that takes this many channels."""
    place, first = next((name, m) for name, m in model.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, own = place.rpartition(".")
    kernel, stride, padding = first.kernel_size, first.stride, first.padding
    grey = nn.Conv2d(channels, first.out_channels, kernel, stride, padding, bias=first.bias is not None)  # type: ignore[arg-type]
    setattr(model.get_submodule(parent), own, grey)
