"""A graphics card that is none: tensors on it are computed by the CPU, and what a real one refuses is refused.

It refuses operations on tensors of two places (numbers without dimensions and indices on the CPU excepted) and NumPy's
looking into its memory. It is no faster and rounds as the CPU does; nothing is said of memory or kernels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CARD, CPU = torch.device("cuda"), torch.device("cpu")
_ANY_PLACE = (torch.Tensor.copy_, torch._has_compatible_shallow_copy_type)
_INDEXED = (torch.Tensor.__getitem__, torch.Tensor.__setitem__)


class OnCard(torch.Tensor):
    """A tensor on the card."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func == torch.Tensor.device.__get__:  # made anew at each look
            return CARD
        if func is torch.Tensor.numpy:
            if not kwargs.get("force"):
                raise TypeError("can't convert cuda:0 device type tensor to numpy")
            return _plain(args[0]).detach().numpy()
        if func is torch.Tensor.__array__:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        if func is torch.Tensor.cpu:
            return _plain(args[0])
        if func is torch.Tensor.to:
            return _moved(args, kwargs)
        if func is torch.Tensor.__deepcopy__:
            copied = args[0].detach().clone().requires_grad_(args[0].requires_grad)
            return torch.nn.Parameter(copied, args[0].requires_grad) if hasattr(args[0], "_is_param") else copied
        if func not in _ANY_PLACE:
            with torch._C.DisableTorchFunctionSubclass():
                _one_place(func, args, kwargs)
        return super().__torch_function__(func, types, args, kwargs)


class _Factories(TorchFunctionMode):
    """What is made on the card, or moved there."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.Tensor.to:
            return _moved(args, kwargs)
        if kwargs.get("device") is not None and torch.device(kwargs["device"]) == CARD:
            return func(*args, **(kwargs | {"device": CPU})).as_subclass(OnCard)
        return func(*args, **kwargs)


@contextmanager
def card() -> Iterator[None]:
    """A machine with a card; for this thread."""
    overwriting = torch.__future__.get_overwrite_module_params_on_conversion()
    torch.__future__.set_overwrite_module_params_on_conversion(True)  # weights become tensors of the card's own kind
    try:
        with (
            mock.patch("torch.cuda.is_available", return_value=True),
            mock.patch("torch.cuda.is_bf16_supported", return_value=False),
            _Factories(),
        ):
            yield
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwriting)


def _moved(args: Any, kwargs: Any) -> Any:
    tensor, like = args[0], next((arg for arg in args[1:] if isinstance(arg, torch.Tensor)), None)
    if like is not None:
        device, dtype, layout = like.device, like.dtype, None
    else:
        known = {key: value for key, value in kwargs.items() if key != "copy"}
        device, dtype, _, layout = torch._C._nn._parse_to(*args[1:], **known)
    settings = {"dtype": dtype} if dtype else {}
    settings |= {"memory_format": layout} if layout else {}
    with torch._C.DisableTorchFunction():
        found = tensor.to(**settings) if settings else tensor
    where = tensor.device if device is None else device
    return found.as_subclass(OnCard) if where.type == CARD.type else _plain(found)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor) if isinstance(tensor, OnCard) else tensor


def _one_place(func: Any, args: Any, kwargs: Any) -> None:
    flat, _ = tree_flatten((args, kwargs))
    tensors = [value for value in flat if isinstance(value, torch.Tensor) and value.dim()]
    if func in _INDEXED:
        tensors = tensors if not isinstance(args[0], OnCard) else []
    elsewhere = [value for value in tensors if not isinstance(value, OnCard)]
    if elsewhere and len(elsewhere) < len(tensors):
        name = getattr(func, "__name__", func)
        raise RuntimeError(
            f"{name}: expected all tensors to be on the same device, but found at least two, cuda:0 and cpu"
        )


def everything(value: Any) -> Any:
    """Tensors brought back from the card."""
    return tree_map(lambda one: _plain(one) if isinstance(one, torch.Tensor) else one, value)
