"""The last few feature maps of each classifier, so that another class, method or fusion of the same film costs no pass.

A map belongs to a picture, a layer and a state of the weights. Visitors never change weights, but the randomisation
check does so to its own copy; PyTorch counts every in-place change of a tensor, and that count is part of the key. Maps
are dropped oldest first, and with their classifier.
"""

from collections import OrderedDict
from itertools import chain
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from core.model.classifier import Classifier

KEPT = 8  # per classifier: 0.1 MB each for ResNet-18's last layer, 13 MB for the first of VGG-16

Key = tuple[str, int, tuple[int, ...], bytes]

_maps: WeakKeyDictionary[Classifier, OrderedDict[Key, torch.Tensor]] = WeakKeyDictionary()
_lock = Lock()


def feature_map(classifier: Classifier, picture: np.ndarray, layer: str, lower: nn.Module) -> torch.Tensor:
    """The map (1, K, h, w) of a picture, uint8 (S, S), at a layer; shared, so never to be written to.

    Args:
        lower: the part of the network below ``layer``, from ``Network.cut``.
    """
    changes = sum(weight._version for weight in chain(lower.parameters(), lower.buffers()))
    key = (layer, changes, picture.shape, picture.tobytes())
    with _lock:
        kept = _maps.setdefault(classifier, OrderedDict())
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
    with torch.inference_mode(False), torch.no_grad():  # a map made in inference mode could never take gradients
        found: torch.Tensor = lower(classifier.tensor(picture[None]))
    with _lock:
        kept[key] = found
        if len(kept) > KEPT:
            kept.popitem(last=False)
    return found
