"""Where a network's first weights come from: torchvision's download, a file, or another checkpoint. Never a pickle.

"imagenet" is the network's file in the folder that ``HILUM_PRETRAINED`` names, where that has one; else torchvision's
download.
"""

import os
import pickle
import re
import struct
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from core.errors import CheckpointError, RecipeError

State = dict[str, torch.Tensor]
_DAMAGED = (  # what readers raise on files that are cut short or made up
    *(SafetensorError, RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError),
    *(struct.error, MemoryError, OverflowError, RecursionError),
)
CLASSIFIERS = ("fc.", "classifier.")  # how torchvision's names of a classifier's tensors begin


def torchvision_state(name: str, weights: str, model: nn.Module) -> State:
    """Weights for torchvision's ``model``; its classifier's are left out where the number of classes differs.

    Returns:
        The state dict to load, empty when ``weights`` is "none" or a Hilum checkpoint.

    Raises:
        RecipeError: the ImageNet weights cannot be downloaded.
        CheckpointError: the file is missing, unreadable or made for another network.
    """
    if weights == "none" or (weights != "imagenet" and Path(weights).is_dir()):
        return {}
    file = pretrained_file(name) if weights == "imagenet" else Path(weights)
    state = _download(name) if file is None else load_tensors(file)
    own = model.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    body = {key for key in own if not key.startswith(CLASSIFIERS)}
    if missing := sorted(body - fitting.keys() - {key for key in body if key.endswith("num_batches_tracked")}):
        came = (
            f"{file or weights} lacks {len(missing)} of the {len(body)} tensors of {name}, the first being {missing[0]}"
        )
        if other := _whose(state):
            source = file or weights
        came = f"{source} lacks {len(missing)} of the {len(body)} tensors of {name}, the first being {missing[0]}"
        if other := _whose(state):
            came = f"{source} holds the weights of {other}, not of {name}"
        raise CheckpointError(came, f"torchvision's state dict of {name}, with or without its classifier")
    return fitting


def pretrained_file(name: str) -> Path | None:
    """The file of torchvision's network ``name`` in the folder ``HILUM_PRETRAINED``; None where there is none.

    Its name begins with the network's: ``resnet18_imagenet.pth``, or torchvision's own ``resnet18-f37072fd.pth``.

    Raises:
        CheckpointError: the variable names no folder.
    """
    folder = os.environ.get("HILUM_PRETRAINED")
    if not folder:
        return None
    if not Path(folder).is_dir():
        came = f"HILUM_PRETRAINED names {folder}, which is not a folder"
        raise CheckpointError(came, "a folder of state dicts such as resnet18_imagenet.pth", "Correct it, or unset it")
    own = re.compile(rf"{re.escape(name)}([-_][^.]*)?\.(pth|safetensors)")
    return next((path for path in sorted(Path(folder).iterdir()) if own.fullmatch(path.name)), None)


def _whose(state: State) -> str:
    """Which of torchvision's classifiers these tensors belong to, by names and shapes; "" if to none."""
    import torchvision

    from core.networks.zoo import NETWORKS  # which builds on this module

    for name in (spec.name for spec in NETWORKS.values() if spec.pretrained and not spec.source):
        with torch.device("meta"):
            own = torchvision.models.get_model(name).state_dict()
        body = {key for key in own if not key.startswith(CLASSIFIERS) and not key.endswith("num_batches_tracked")}
        if all(key in state and state[key].shape == own[key].shape for key in body):
            return name
    return ""


def feature_state(weights: str, features: nn.Sequential) -> State:
    """The feature weights of the Hilum checkpoint in folder ``weights``, checked against ``features``; else empty."""
    folder = Path(weights)
    if weights in ("none", "imagenet", "pypi") or not folder.is_dir():
        return {}
    state = load_tensors(folder / "model.safetensors")
    found = {key.removeprefix("features."): value for key, value in state.items() if key.startswith("features.")}
    own = features.state_dict()
    if found.keys() != own.keys() or any(found[key].shape != own[key].shape for key in own):
        raise CheckpointError(f"{weights} holds another network's weights", "a checkpoint of the same network")
    return found


def _download(name: str) -> State:
    try:
        import torchvision

        state: dict[str, torch.Tensor] = torchvision.models.get_model_weights(name).DEFAULT.get_state_dict(
            progress=True, weights_only=True
        )
        return state
    except (URLError, OSError, RuntimeError) as error:
        raise RecipeError(
            f"the ImageNet weights of {name} could not be downloaded ({error})",
            remedy="Connect to the internet, name a folder of state dicts in HILUM_PRETRAINED, give one with "
            "--weights FILE.pth, or start with --weights none",
        ) from error


def load_tensors(path: Path) -> State:
    """A file of tensors by name; nothing in it is run.

    Raises:
        CheckpointError: it is missing, damaged, or holds other things.
    """
    state = load_safely(path)
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        came = f"{path.name} holds other things than tensors by name"
        raise CheckpointError(came, "a state dict of tensors", "Save model.state_dict() by itself")
    return state


def load_safely(path: Path) -> Any:
    """What a .safetensors or PyTorch file holds: tensors and plain values, never code.

    Raises:
        CheckpointError: it is missing, damaged, or needs code to be run.
    """
    if not path.is_file():
        expected = "imagenet, none, a .pth or .safetensors file or a checkpoint folder"
        raise CheckpointError(f"there is no weights file {path}", expected)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        came = f"{path.name} cannot be read as weights: it holds Python objects, which would have to be run"
        raise CheckpointError(came, "a state dict of tensors", "Save model.state_dict() by itself") from error
    except _DAMAGED as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise CheckpointError(f"{path.name} cannot be read as weights ({reason})", "a state dict of tensors") from error
