"""A file of weights from anybody -> a plain state dict: tensors by the names their network knows them by.

Trainers wrap the dict ("state_dict" in Lightning's files) and prefix its keys ("module." of ``DataParallel``, "model."
of a Lightning module, "_orig_mod." of ``torch.compile``). Both are undone; what is left out is told.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from core.errors import CheckpointError
from core.model.card import MAX_CLASSES
from core.networks.initial import load_safely

WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "ema", "weights")
PREFIXES = ("module.", "model.", "net.", "network.", "_orig_mod.", "backbone.", "classifier_model.")
HEADS = ("fc", "classifier", "head", "heads", "last_linear", "output", "logits")
MOST = 0.8  # of the keys that share a prefix: the others belong to the loss or the metrics


@dataclass(frozen=True, eq=False)
class Weights:
    """Tensors by key, and the keys of the file that were no part of the network."""

    state: dict[str, torch.Tensor]
    left_out: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """What the first convolution takes: 3, or 1 where no kernel takes 3. (Depthwise kernels take 1 everywhere.)

        Raises:
            CheckpointError: another number, or no convolution.
        """
        taken = {int(value.shape[1]) for value in self.state.values() if value.ndim == 4}
        if not taken & {1, 3}:
            came = f"its convolutions take {', '.join(map(str, sorted(taken))) or 'no'} channels"
            raise CheckpointError(came, "a first one that takes 1 (grey) or 3 (grey three times)")
        return 3 if 3 in taken else 1

    @property
    def outputs(self) -> int:
        """How many logits the classifier has: the rows of its matrix.

        Raises:
            CheckpointError: there is none, or they are more than a card takes.
        """
        last = _last(self.state)
        if not last:
            raise CheckpointError("the file holds no classifier: no tensor of it is a matrix", "a classifier's weights")
        count = len(self.state[last])
        if count > MAX_CLASSES:
            raise CheckpointError(f"the classifier has {count:,} outputs", f"{MAX_CLASSES:,} at most")
        return count


def read(path: Path) -> Weights:
    """The weights in a .pth, .pt, .ckpt or .safetensors file.

    Raises:
        CheckpointError: missing, damaged, made of Python objects, or without tensors; values that are not finite.
    """
    found = plain(load_safely(path), path.name)
    bad = [key for key, value in found.state.items() if value.is_floating_point() and not value.isfinite().all()]
    if bad:
        came = f"{path.name} holds values that are not finite, e.g. in {bad[0]}"
        raise CheckpointError(came, "finite weights", "Take the file of an earlier epoch")
    return found


def plain(content: Any, name: str) -> Weights:
    """The content of a weights file without wrapper and prefixes."""
    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    tensors = {k: v for k, v in content.items() if isinstance(v, torch.Tensor)} if isinstance(content, Mapping) else {}
    if not tensors or not all(isinstance(key, str) for key in tensors):
        raise CheckpointError(f"{name} holds no tensors by name", "a state dict", "Save model.state_dict() by itself")
    left_out: list[str] = [str(key) for key in content if key not in tensors]
    while prefix := _shared(tensors):
        left_out += [key for key in tensors if not key.startswith(prefix)]
        tensors = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    return Weights({key: _float32(value) for key, value in tensors.items()}, tuple(left_out))


def one_logit_as_two(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The last layer of a binary network, whose logit z becomes (-z/2, z/2): their softmax is sigmoid(z)."""
    layer = _last(state).rpartition(".")[0]
    return {k: torch.cat((-v / 2, v / 2)) if k.rpartition(".")[0] == layer else v for k, v in state.items()}


def _last(state: Mapping[str, torch.Tensor]) -> str:
    """The key of the matrix (or 1 x 1 convolution) that makes the logits; "" if there is none.

    The order of keys says little: safetensors files sort them. So the usual names of classifiers come first.
    """
    matrices = [key for key, value in state.items() if value.ndim == 2]
    flat = [key for key, value in state.items() if value.ndim == 4 and value[0, 0].numel() == 1]
    found = [[key for key in keys if key.partition(".")[0] in HEADS] for keys in (matrices, flat)]
    return next((keys[-1] for keys in (*found, matrices, flat) if keys), "")


def _shared(tensors: Mapping[str, torch.Tensor]) -> str:
    """A trainer's prefix that most keys share; "" if there is none."""
    counts = Counter(prefix for key in tensors for prefix in PREFIXES if key.startswith(prefix))
    if not counts:
        return ""
    prefix, count = counts.most_common(1)[0]
    return prefix if count >= MOST * len(tensors) else ""


def _float32(value: torch.Tensor) -> torch.Tensor:
    return value.detach().to("cpu", torch.float32).contiguous() if value.is_floating_point() else value.detach().cpu()
