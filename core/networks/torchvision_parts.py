"""torchvision's networks as ``features | head``: their own modules, regrouped into named stages.

The same weights give the same logits to the last bit. A stage ends after its non-linearity (DenseNet's last ReLU, which
torchvision hides in ``forward``, is the end of ``block4``; VGG's last max-pool opens the head), and nothing works in
place on a map at which the network may be cut.
"""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from core.errors import RecipeError
from core.networks import attention
from core.networks.from_scratch import Parts, named
from core.networks.network import Layout, Network
from core.networks.part import Part, hollow


def regroup(model: nn.Module, pooled: bool = False) -> Network:
    """A network of torchvision's, by its class.

    Args:
        pooled: for VGG: under the mean of the last map and one dense layer instead of VGG's own head.

    Raises:
        RecipeError: a kind of network that this room cannot take apart.
    """
    kind = type(model).__name__
    if pooled:
        return Network(*_vgg_pooled(model))
    if kind == "SwinTransformer":
        return Network(*_swin(model), Layout("channels_last"))
    if kind == "VisionTransformer":
        features, head = _vit(model)
        usual = list(dict(features.named_children()))[-2]  # patches of the last block no longer reach the class token
        return Network(features, head, Layout("tokens", 1), usual, attention.TORCHVISION)
    if kind not in _PARTS:
        raise RecipeError(f"torchvision's {kind} is not cut into features and head here", ", ".join(sorted(_PARTS)))
    return Network(*_PARTS[kind](model))


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
    """AlexNet, too: blocks end before their max-pool, so that the last map is the finest."""
    features, last_pool = _stages(model.features[:-1], _pools(model.features[:-1]), "block"), model.features[-1]
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
    """Stages begin where the map is halved; V3-Large's, and its last convolution by itself."""
    large = len(model.features) == 17
    return _stages(model.features, (0, 2, 4, 7, 13, 16) if large else (0, 1, 2, 4, 9, 12), "stage"), _pooled_head(model)


def _efficientnet(model: Any) -> Parts:
    return _stages(model.features, range(len(model.features)), "stage"), _pooled_head(model)


def _squeezenet(model: Any) -> Parts:
    head = named(classifier=model.classifier, flatten=nn.Flatten())
    return _stages(model.features, _pools(model.features), "stage"), _without_in_place(head)


def _convnext(model: Any) -> Parts:
    return _stages(model.features, range(0, 8, 2), "stage"), named(pool=model.avgpool, classifier=model.classifier)


def _regnet(model: Any) -> Parts:
    trunk = dict(model.trunk_output.named_children())
    return named(stem=model.stem, **trunk), named(pool=model.avgpool, flatten=nn.Flatten(), classifier=model.fc)


def _swin(model: Any) -> Parts:
    head = named(norm=model.norm, permute=model.permute, pool=model.avgpool, flatten=model.flatten, head=model.head)
    return _stages(model.features, range(0, len(model.features), 2), "stage"), head


def _vit(model: Any) -> Parts:
    stem = hollow(model, {"conv_proj", "class_token"})
    stem._modules["encoder"] = hollow(model.encoder, {"pos_embedding", "dropout"})
    blocks = {f"block{n}": block for n, block in enumerate(model.encoder.layers, start=1)}
    return named(embed=Part(stem, {"conv_proj", "class_token", "encoder"}, _vit_tokens), **blocks), named(
        norm=model.encoder.ln, token=FirstToken(), heads=model.heads
    )


def _vit_tokens(model: Any, images: torch.Tensor) -> torch.Tensor:
    tokens = model._process_input(images)
    tokens = torch.cat((model.class_token.expand(len(tokens), -1, -1), tokens), dim=1)
    dropped: torch.Tensor = model.encoder.dropout(tokens + model.encoder.pos_embedding)
    return dropped


class FirstToken(nn.Module):
    """Tokens (B, N, K) -> the class token (B, K)."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """The first of them."""
        return tokens[:, 0]


_PARTS: dict[str, Callable[[Any], Parts]] = {
    "ResNet": _resnet,
    "DenseNet": _densenet,
    "VGG": _vgg,
    "AlexNet": _vgg,
    "MobileNetV2": _mobilenet_v2,
    "MobileNetV3": _mobilenet_v3,
    "EfficientNet": _efficientnet,
    "SqueezeNet": _squeezenet,
    "ConvNeXt": _convnext,
    "RegNet": _regnet,
}


def _pools(modules: nn.Sequential) -> tuple[int, ...]:
    """Where stages begin that open with a max-pool; the first begins at 0."""
    return (0, *(n for n, module in enumerate(modules) if isinstance(module, nn.MaxPool2d)))


def _stages(modules: nn.Sequential, starts: Iterable[int], prefix: str) -> nn.Sequential:
    """Group a flat ``nn.Sequential`` into stages that begin at ``starts``."""
    edges = (*starts, len(modules))
    return named(**{f"{prefix}{n}": modules[a:b] for n, (a, b) in enumerate(pairwise(edges), start=1)})


def _pooled_head(model: Any) -> nn.Sequential:
    head = named(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), classifier=model.classifier)
    return _without_in_place(head)


def _without_in_place(head: nn.Sequential) -> nn.Sequential:
    """A head gets the same map once per class; it must leave it as it was."""
    for module in head.modules():
        if hasattr(module, "inplace"):
            setattr(module, "inplace", False)  # noqa: B010 - mypy knows no such attribute on nn.Module
    return head


def set_dropout(head: nn.Module, rate: float) -> None:
    """Set the probability of every dropout."""
    for module in head.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate
