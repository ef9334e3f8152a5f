"""What a classifier asks of many pictures, each way built on first use: in bulk, exactly, and painted over."""

import copy
from collections.abc import Collection, Sequence

import numpy as np

from core import device as devices
from core.lazy import cached_property
from core.model.bulk.engine import Engine, backend_of, engine_of, laid_out, open_engine, place_of
from core.model.bulk.painted import Box, PaintedEngine
from core.networks.network import Network
from core.transform.preprocess import Preprocess


class Engines:
    """The engines of one network, which is only read: whoever changes its weights needs new ones.

    Args:
        backend: of the bulk engine, see `core.model.bulk.engine.backend_of`.
        bf16: the stages that may be computed in bfloat16, as the checkpoint's card says.
    """

    def __init__(self, network: Network, preprocess: Preprocess, backend: str, bf16: Collection[str]) -> None:
        self._network, self._preprocess, self._backend = network, preprocess, backend
        self._rounded = tuple(bf16) if devices.has_bf16(devices.pick()) else ()

    @cached_property
    def bulk(self) -> Engine:
        """Pictures to logits and signatures, as exact as `core.model.bulk.precision` promises."""
        on_torch = backend_of(self._network, self._backend) == "torch"
        if on_torch and not self._rounded and devices.pick() == devices.serving():
            return self.exact
        # OpenVINO's engine is made on the CPU, and any places a copy of its own.
        network = self._network if place_of(self._network).type == "cpu" else copy.deepcopy(self._network).cpu()
        return open_engine(network, self._preprocess, self._backend, self._rounded)

    @cached_property
    def exact(self) -> Engine:
        """The same in float32, where single films are answered."""
        return engine_of(self._laid_out, self._preprocess)

    def painted(self, picture: np.ndarray, boxes: Sequence[Box], grey: int) -> np.ndarray:
        """Logits float32 (1 + N, C) of a picture uint8 (S, S), and of it with each of N rectangles painted over."""
        if self._painted is not None:
            return self._painted(picture, boxes, grey)
        pictures = np.stack([picture] * (1 + len(boxes)))
        for painted, (top, bottom, left, right) in zip(pictures[1:], boxes, strict=True):
            painted[top:bottom, left:right] = grey
        return self.bulk(pictures)[0].astype(np.float32)

    @cached_property
    def _painted(self) -> PaintedEngine | None:
        """None where many whole pictures at once are quicker: on a GPU, and where 8 bits are enough for some stages."""
        whole = devices.serving().type != "cpu" or self._rounded
        return None if whole else PaintedEngine(self._laid_out, self._preprocess)

    @cached_property
    def _laid_out(self) -> Network:
        return laid_out(self._network, self._preprocess, devices.serving())
