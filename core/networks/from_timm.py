"""Networks of timm (PyTorch Image Models): ``timm:NAME``, any that has ``forward_features`` and ``forward_head``.

The families below are cut at every stage; any other network is one stage, ``features``, found by watching which of its
modules its own ``forward_features`` calls. Their arithmetic is timm's: the logits are equal to the last bit.
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from core.errors import RecipeError
from core.networks import attention
from core.networks.from_scratch import Parts, named
from core.networks.network import MAP, Layout, Network, NetworkSpec
from core.networks.part import Part, own_names
from core.networks.sources import Offered

INSTALL = "pip install timm"


def names() -> tuple[str, ...]:
    """All of timm's architectures."""
    return tuple(_timm().list_models())


def spec(name: str) -> NetworkSpec:
    """Side and title, of timm's default configuration."""
    _check(name)
    settings = _timm().get_pretrained_cfg(name)
    return NetworkSpec(f"timm:{name}", name, settings.has_weights, settings.input_size[-1])


def make(
    name: str, n_classes: int, channels: int, size: int, dropout: float, config: Mapping[str, Any] | None = None
) -> nn.Module:
    """timm's model; networks whose weights depend on the side of the picture are made for ``size``."""
    _check(name)
    timm = _timm()
    usual = timm.get_pretrained_cfg(name).input_size[-1]
    settings: dict[str, Any] = {"num_classes": n_classes, "in_chans": channels, "drop_rate": dropout}
    try:
        if size and size != usual:
            try:
                sized: nn.Module = timm.create_model(name, pretrained=False, img_size=size, **settings)
                return sized
            except TypeError:  # it takes pictures of any size
                pass
        made: nn.Module = timm.create_model(name, pretrained=False, **settings)
        return made
    except (RuntimeError, ValueError, AssertionError, TypeError) as error:
        came = f"timm:{name} cannot be made for {channels} channels and {size or usual} px ({error})"
        raise RecipeError(came, f"pictures of {usual} px") from error


def regroup(model: Any) -> Network:
    """timm's model in named stages.

    A transformer's last block leaves its patches without a gradient where only the class token is read: there the
    usual stage is the one before.
    """
    kind = type(model).__name__
    if kind == "VisionTransformer" or (kind == "Eva" and not model.rope_mixed and model.rope is not None):
        features, head = _transformer(model)
        read = getattr(model, "global_pool", "token")
        usual = list(dict(features.named_children()))[-2] if read == "token" else None
        plain = all(type(b).__name__ == "Block" and type(b.attn).__name__ == "Attention" for b in model.blocks)
        return Network(
            features, head, Layout("tokens", int(model.num_prefix_tokens)), usual, attention.TIMM if plain else None
        )
    if kind in ("SwinTransformer", "SwinTransformerV2"):
        return Network(*_swin(model), Layout("channels_last"))
    if kind in _FAMILIES:
        return Network(*_FAMILIES[kind](model))
    return _whole(model)


def own_weights(name: str, run_pickle: bool = False, size: int = 0) -> Offered:
    """The weights timm offers under this name (with or without a tag), from its cache or the internet."""
    _check(name)
    timm = _timm()
    try:
        model = timm.create_model(name, pretrained=True)
    except Exception as error:  # the hub's client raises a dozen kinds, for a missing network above all
        came = f"the weights of timm:{name} are unavailable ({type(error).__name__})"
        remedy = "Connect to the internet once, or give the file: a state dict with --network timm:NAME"
        raise RecipeError(came, remedy=remedy) from error
    settings = timm.data.resolve_model_data_config(model)
    classes = tuple(f"output {n}" for n in range(model.num_classes))
    preprocess = {"size": settings["input_size"][-1], "mean": settings["mean"], "std": settings["std"], "fit": "crop"}
    return Offered(model, name.partition(".")[0], classes, preprocess, str(model.pretrained_cfg.get("license") or ""))


def _resnet(model: Any) -> Parts:
    stem = named(conv=model.conv1, norm=model.bn1, act=model.act1, pool=model.maxpool)
    stages = {f"layer{n}": getattr(model, f"layer{n}") for n in range(1, 5)}
    return named(stem=stem, **stages), _head(model, "global_pool", "fc")


def _densenet(model: Any) -> Parts:
    inner = list(model.features.named_children())
    blocks = [n for n, (name, _) in enumerate(inner) if name.startswith("denseblock")]
    starts = [0, blocks[0], *(n + 1 for n in blocks[:-1]), len(inner)]
    groups = [named(**dict(inner[a:b])) for a, b in pairwise(starts)]
    names = ["stem", *(f"block{n}" for n in range(1, len(groups)))]
    return named(**dict(zip(names, groups, strict=True))), _head(model, "global_pool", "head_drop", "classifier")


def _convnext(model: Any) -> Parts:
    stages = {f"stage{n}": stage for n, stage in enumerate(model.stages, start=1)}
    return named(stem=model.stem, **stages), named(norm=model.norm_pre, head=model.head)


def _efficientnet(model: Any) -> Parts:
    stem = named(conv=model.conv_stem, norm=model.bn1)
    stages = {f"stage{n}": stage for n, stage in enumerate(model.blocks, start=1)}
    if type(model).__name__ == "MobileNetV3":  # its last convolution comes after the pooling
        names = ("global_pool", "conv_head", "norm_head", "act2", "flatten", "classifier")
        return named(stem=stem, **stages), _head(model, *names)
    last = named(conv=model.conv_head, norm=model.bn2)
    return named(stem=stem, **stages, last=last), _head(model, "global_pool", "classifier")


def _swin(model: Any) -> Parts:
    stages = {f"stage{n}": stage for n, stage in enumerate(model.layers, start=1)}
    return named(embed=model.patch_embed, **stages), named(norm=model.norm, head=model.head)


def _transformer(model: Any) -> Parts:
    """ViT and its kin, DINOv2 with registers, EVA-02: tokens throughout, one stage for every block."""
    last = {"norm", "attn_pool", "fc_norm", "head_drop", "head", "head_dist"}
    turned = type(model).__name__ == "Eva"
    embed = Part(model, own_names(model) - last - {"blocks"}, _eva_tokens if turned else _vit_tokens)
    blocks = {
        f"block{n}": Part(_Turned(block, model.rope), {"block", "rope"}, _turned) if turned else block
        for n, block in enumerate(model.blocks, start=1)
    }
    return named(embed=embed, **blocks), named(pooled=Part(model, last, _after_norm))


class _Turned(nn.Module):
    """A block of EVA-02 with the rotary embedding that it needs, which has no weights of its own."""

    def __init__(self, block: nn.Module, rope: nn.Module) -> None:
        super().__init__()
        self.block, self.rope = block, rope


def _turned(model: Any, x: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = model.block(x, rope=model.rope.get_embed())
    return found


def _vit_tokens(model: Any, images: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = model.norm_pre(model.patch_drop(model._pos_embed(model.patch_embed(images))))
    return found


def _eva_tokens(model: Any, images: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = model.norm_pre(model._pos_embed(model.patch_embed(images))[0])
    return found


def _after_norm(model: Any, x: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = model.forward_head(model.norm(x))
    return found


def _method(name: str, model: Any, x: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = getattr(model, name)(x)
    return found


def _head(model: nn.Module, *names: str) -> nn.Sequential:
    return named(pooled=Part(model, names, partial(_method, "forward_head")))


_FAMILIES: dict[str, Callable[[Any], Parts]] = {
    "ResNet": _resnet,
    "DenseNet": _densenet,
    "ConvNeXt": _convnext,
    "EfficientNet": _efficientnet,
    "MobileNetV3": _efficientnet,
}


def _whole(model: Any) -> Network:
    """A network of another family: one stage, and what ``forward_head`` calls.

    Raises:
        RecipeError: the two share a module, or the map is of a shape that has no places.
    """
    kind = type(model).__name__
    if not (hasattr(model, "forward_features") and hasattr(model, "forward_head")):
        raise RecipeError(f"timm's {kind} has no forward_features and forward_head", "a classifier of timm's")
    size = model.pretrained_cfg["input_size"]
    model.eval()
    channels = next(m.in_channels for m in model.modules() if isinstance(m, nn.Conv2d))
    with torch.no_grad():
        low, map_ = _called(model, model.forward_features, torch.zeros(1, channels, *size[1:]))
        high, _ = _called(model, model.forward_head, map_)
    if low & high or not isinstance(map_, torch.Tensor) or map_.ndim not in (3, 4):
        raise RecipeError(f"timm's {kind} cannot be cut into features and head here", "another network of timm's")
    layout = MAP
    if map_.ndim == 3:
        layout = Layout("tokens", int(getattr(model, "num_prefix_tokens", 0)))
    elif map_.shape[1] != model.num_features and map_.shape[-1] == model.num_features:
        layout = Layout("channels_last")
    below = named(features=Part(model, own_names(model) - high, partial(_method, "forward_features")))
    return Network(below, _head(model, *high), layout)


def _called(model: nn.Module, run: Callable[[torch.Tensor], Any], x: torch.Tensor) -> tuple[set[str], Any]:
    """Which children of a model take part when a method of it runs, and what comes out."""
    seen: set[str] = set()
    hooks = [
        module.register_forward_pre_hook(lambda *_, name=name: seen.add(name))
        for name, child in model.named_children()
        for module in child.modules()
    ]
    try:
        return seen, run(x)
    finally:
        for hook in hooks:
            hook.remove()


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise RecipeError("timm is not installed", remedy=INSTALL) from error
    return timm


def _check(name: str) -> None:
    from difflib import get_close_matches

    timm = _timm()
    if not timm.is_model(name.partition(".")[0]):
        near = ", ".join(get_close_matches(name, timm.list_models(), 3) or ["resnet18", "vit_tiny_patch16_224"])
        raise RecipeError(f"there is no network timm:{name}", f"a name such as {near}")
