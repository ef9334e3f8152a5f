"""Which network a state dict belongs to: by the names of its tensors the family, by their shapes the member."""

from collections.abc import Mapping
from difflib import get_close_matches

import torch
from torch import nn

from core.errors import CheckpointError, RecipeError
from core.networks import sources

_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2")
FAMILIES: dict[str, tuple[str, ...]] = {  # a key that every member has -> the members tried
    "layer1.0.conv1.weight": tuple(f"torchvision:{name}" for name in _RESNETS),
    "features.denseblock1.denselayer1.conv1.weight": tuple(f"torchvision:densenet{n}" for n in (121, 161, 169, 201)),
    "classifier.6.weight": (
        *(f"torchvision:vgg{n}{norm}" for n in (11, 13, 16, 19) for norm in ("", "_bn")),
        "torchvision:alexnet",
    ),
    "features.3.squeeze.weight": ("torchvision:squeezenet1_0", "torchvision:squeezenet1_1"),
    "features.1.conv.0.0.weight": ("torchvision:mobilenet_v2",),
    "features.1.block.0.0.weight": (
        *("torchvision:mobilenet_v3_large", "torchvision:mobilenet_v3_small"),
        *(f"torchvision:efficientnet_b{n}" for n in range(8)),
        *("torchvision:efficientnet_v2_s", "torchvision:efficientnet_v2_m", "torchvision:efficientnet_v2_l"),
    ),
    "features.1.0.layer_scale": tuple(f"torchvision:convnext_{size}" for size in ("tiny", "small", "base", "large")),
    "features.1.0.attn.qkv.weight": tuple(
        f"torchvision:swin_{v2}{size}" for v2 in ("", "v2_") for size in ("t", "s", "b")
    ),
    "conv_proj.weight": tuple(f"torchvision:vit_{size}" for size in ("b_16", "b_32", "l_16", "l_32")),
    "conv_stem.weight": (
        *(f"timm:efficientnet_b{n}" for n in range(5)),
        *(f"timm:efficientnet_lite{n}" for n in range(5)),
        *(f"timm:mobilenetv4_conv_{size}" for size in ("small", "medium", "large")),
        *("timm:mobilenetv3_large_100", "timm:mobilenetv3_small_100"),
        *("timm:efficientnetv2_rw_t", "timm:efficientnetv2_rw_s", "timm:tf_efficientnetv2_s", "timm:test_efficientnet"),
    ),
    "stages.0.blocks.0.conv_dw.weight": (
        *(f"timm:convnext_{size}" for size in ("atto", "femto", "pico", "nano", "tiny", "small", "base", "large")),
        *(f"timm:convnextv2_{size}" for size in ("atto", "nano", "tiny", "base")),
    ),
    "blocks.0.attn.qkv.weight": (
        *(f"timm:vit_{size}_patch16_224" for size in ("tiny", "small", "base", "large")),
        *("timm:vit_small_patch32_224", "timm:vit_base_patch32_224", "timm:vit_base_patch8_224"),
        *(f"timm:deit3_{size}_patch16_224" for size in ("small", "base")),
        *(f"timm:vit_{size}_patch14_dinov2" for size in ("small", "base", "large")),
        *(f"timm:vit_{size}_patch14_reg4_dinov2" for size in ("small", "base")),
        "timm:test_vit",
    ),
    "layers.0.blocks.0.attn.qkv.weight": (
        *(f"timm:swin_{size}_patch4_window7_224" for size in ("tiny", "small", "base")),
        *(f"timm:swinv2_{size}_window8_256" for size in ("tiny", "small", "base")),
    ),
}


def network_of(state: Mapping[str, torch.Tensor], outputs: int, channels: int, size: int = 0) -> str:
    """``SOURCE:NAME`` of the network whose tensors these are, the first of those that fit.

    Raises:
        CheckpointError: none of the known ones; the nearest is named with what differs.
    """
    tried = [name for key, names in FAMILIES.items() if key in state for name in names]
    nearest: tuple[int, str] = (len(state) + 1, "")
    for name in tried:
        try:
            with torch.device("meta"):
                model = sources.make(name, outputs, channels, size or side_of(state))
        except (RecipeError, NotImplementedError, RuntimeError):
            continue
        wrong = len(differences(model, state))
        if not wrong:
            return name
        nearest = min(nearest, (wrong, name))
    expected = "a network of torchvision or timm, named with --network SOURCE:NAME"
    if not nearest[1]:
        came = f"these tensors ({', '.join(list(state)[:3])}, ...) are of no network that is recognised"
        raise CheckpointError(came, expected)
    raise CheckpointError(f"these tensors are nearest to {nearest[1]}, but {nearest[0]} of them differ", expected)


def fill(model: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    """Load a state dict; every tensor must have its place, and the other way round.

    Raises:
        CheckpointError: some do not; the first of each kind are named.
    """
    own = model.state_dict()
    if wrong := differences(model, state):
        missing = [key for key in wrong if key not in state]
        strange = [key for key in wrong if key not in own]
        shapes = [
            f"{k} {tuple(state[k].shape)} instead of {tuple(own[k].shape)}" for k in wrong if k in own and k in state
        ]
        told = [
            f"{len(found)} {what}, e.g. {found[0]}"
            for what, found in (("are missing", missing), ("are not its own", strange), ("have another shape", shapes))
            if found
        ]
        remedy = "Name another network with --network"
        if near := get_close_matches(strange[0], missing, 1) if strange and missing else []:
            remedy = f"{strange[0]} may be {near[0]}: save the dict with the network's own names"
        raise CheckpointError(f"the weights do not fit {name}: {'; '.join(told)}", remedy=remedy)
    model.load_state_dict(state, strict=False)


def differences(model: nn.Module, state: Mapping[str, torch.Tensor]) -> list[str]:
    """Keys that only one of the two has, or of different shapes; counters of batch norms may be missing."""
    own = model.state_dict()
    keys = [key for key in {**own, **state} if not key.endswith("num_batches_tracked")]
    return [key for key in keys if key not in own or key not in state or own[key].shape != state[key].shape]


def side_of(state: Mapping[str, torch.Tensor]) -> int:
    """The side in pixels that a vision transformer's position embedding was made for; 0 where it does not say."""
    places = next((state[key] for key in ("pos_embed", "encoder.pos_embedding") if key in state), None)
    patch = next((state[key] for key in ("patch_embed.proj.weight", "conv_proj.weight") if key in state), None)
    if places is None or patch is None or places.ndim != 3:
        return 0
    for prefix in range(6):  # class, distillation and register tokens
        side: int = round(max(places.shape[1] - prefix, 0) ** 0.5)
        if side > 1 and side * side == places.shape[1] - prefix:
            return side * int(patch.shape[-1])
    return 0
