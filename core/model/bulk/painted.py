"""One picture with one rectangle painted over at a time, of which only what each rectangle reaches is computed.

A convolution sees a few pixels round each place, so in the first stages the maps of a painted picture are those of the
picture itself but for a window round the rectangle. Only the window is computed, laid into the picture's own map, and
handed on; once windows cover most of a map, all of it is. What Zeiler & Fergus' (2014) occlusion asks so costs a
quarter to three quarters of its passes, and the answer is the same to the last digits: an example is tried when the
engine is built, and what sees further than its kernels say (squeeze-and-excitation, attention) is computed whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from core.model.bulk.engine import AT_ONCE
from core.networks.network import MAP, Network
from core.transform.preprocess import Preprocess

LARGEST = 0.9  # of a map's side: larger windows save less than they cost
SAME = 1e-3  # of what painting moves a logit by
_LOCAL = (nn.BatchNorm2d, nn.ReLU, nn.ReLU6, nn.SiLU, nn.GELU, nn.Hardswish, nn.LeakyReLU, nn.Identity, nn.Dropout)
_KERNELS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)

Box = tuple[int, int, int, int]
"""Top, bottom, left and right edge of a rectangle, in pixels or places; those at the bottom and right are outside."""


@dataclass(frozen=True)
class _Stage:
    """A stage of the network, and what it sees.

    Attributes:
        reach: pixels of the picture that an output sees on each side, at most.
        before, after: pixels of the picture between two places of its input, and of its output.
    """

    module: nn.Module
    reach: int
    before: int
    after: int


@dataclass(frozen=True)
class _Changed:
    """Of each painted picture: where its map differs from the picture's own, in places, and what is there (K, h, w)."""

    boxes: list[Box]
    values: list[torch.Tensor]


class PaintedEngine:
    """A network on the processor asked, in float32, of a picture as it is and with rectangles painted over.

    Args:
        network: laid out for inference, see `core.model.bulk.engine.laid_out`; only read.
    """

    def __init__(self, network: Network, preprocess: Preprocess) -> None:
        self.network, self.preprocess, self.side = network, preprocess, preprocess.size
        picture = np.random.default_rng(0).integers(0, 256, (self.side, self.side), np.uint8)
        self._stages = _local_stages(network, preprocess.tensor(picture[None]))
        if self._stages and not self._is_same(picture):
            self._stages = []

    @property
    def local(self) -> bool:
        """Whether any stage is computed in windows."""
        return bool(self._stages)

    @torch.inference_mode()
    def __call__(self, picture: np.ndarray, boxes: Sequence[Box], grey: int) -> np.ndarray:
        """A picture uint8 (S, S) and N rectangles -> logits float32 (1 + N, C), those of the bare picture first."""
        shown = self.preprocess.tensor(np.stack((picture, np.full_like(picture, grey))))
        base, fill = shown[:1].contiguous(memory_format=torch.channels_last), shown[1]
        values = [fill[:, top:bottom, left:right] for top, bottom, left, right in boxes]
        changed, left_over = _Changed(list(boxes), values), list(self._stages)
        while boxes and left_over and (through := self._through(left_over[0], base, changed)):
            changed, base = through, left_over.pop(0).module(base)
        stages = list(self.network.features)[len(self._stages) - len(left_over) :]
        rest = nn.Sequential(*stages, self.network.head)
        found = [rest(base)]
        at_once = max(1, AT_ONCE // self.side**2)
        for start in range(0, len(boxes), at_once):
            some = slice(start, start + at_once)
            maps = base.repeat(len(changed.boxes[some]), 1, 1, 1).contiguous(memory_format=torch.channels_last)
            for map_, (top, bottom, left, right), inside in zip(
                maps, changed.boxes[some], changed.values[some], strict=True
            ):
                map_[:, top:bottom, left:right] = inside
            found.append(rest(maps))
        return torch.cat(found).numpy()

    def _through(self, stage: _Stage, base: torch.Tensor, changed: _Changed) -> _Changed | None:
        """What a stage makes of the changed places; None where nearly all of the map would be computed."""
        reached = [_reached(box, stage, self.side) for box in changed.boxes]
        spans = [(_needed(top, bottom, stage), _needed(left, right, stage)) for top, bottom, left, right in reached]
        height, width = (max(span[axis][1] for span in spans) for axis in (0, 1))  # one size, so that they make a batch
        if max(height, width) > LARGEST * self.side:
            return None
        corners = [
            tuple(min(max(0, start), self.side - size) for (start, _), size in zip(span, (height, width), strict=True))
            for span in spans
        ]
        windows = []
        for (y, x), (top, bottom, left, right), inside in zip(corners, changed.boxes, changed.values, strict=True):
            y, x = y // stage.before, x // stage.before
            window = base[0, :, y : y + height // stage.before, x : x + width // stage.before].clone()
            window[:, top - y : bottom - y, left - x : right - x] = inside
            windows.append(window)
        found = []
        at_once = max(1, AT_ONCE // (height * width))
        for start in range(0, len(windows), at_once):
            batch = torch.stack(windows[start : start + at_once])
            found += list(stage.module(batch.contiguous(memory_format=torch.channels_last)))
        values = []
        for made, (y, x), (top, bottom, left, right) in zip(found, corners, reached, strict=True):
            y, x = y // stage.after, x // stage.after
            values.append(made[:, top - y : bottom - y, left - x : right - x])
        return _Changed(reached, values)

    def _is_same(self, picture: np.ndarray) -> bool:
        """Whether rectangles in the middle, at edges and in a corner are answered as whole passes answer them."""
        part, grey = max(1, self.side // 8), 7
        places = [(0, 0), (self.side - part, self.side - part), (self.side // 2 - 3, self.side // 3), (part, 0)]
        boxes = [(y, y + part, x, x + part) for y, x in places]
        pictures = np.stack([picture] * (1 + len(boxes)))
        for painted, (top, bottom, left, right) in zip(pictures[1:], boxes, strict=True):
            painted[top:bottom, left:right] = grey
        with torch.inference_mode():
            wanted = self.network(self.preprocess.tensor(pictures)).numpy()
        moved, rounding = np.abs(wanted - wanted[0]).max(), 1e-6 * np.abs(wanted).max()
        return bool(np.abs(self(picture, boxes, grey) - wanted).max() <= SAME * moved + rounding)


def _reached(box: Box, stage: _Stage, side: int) -> Box:
    """The places of a stage's output that see a changed rectangle of its input."""
    most = side // stage.after
    low = [max(0, (edge * stage.before - stage.reach) // stage.after) for edge in (box[0], box[2])]
    high = [min(most, -(-(edge * stage.before + stage.reach) // stage.after)) for edge in (box[1], box[3])]
    return low[0], high[0], low[1], high[1]


def _needed(low: int, high: int, stage: _Stage) -> tuple[int, int]:
    """The pixels that outputs from ``low`` to ``high`` see: the first, maybe outside of the picture, and how many."""
    start = (low * stage.after - stage.reach) // stage.after * stage.after
    return start, -(-(high * stage.after + stage.reach - start) // stage.after) * stage.after


def _local_stages(network: Network, image: torch.Tensor) -> list[_Stage]:
    """The first stages in which a place sees no further than the kernels before it."""
    found: list[_Stage] = []
    if network.layout != MAP or network.opaque:
        return found
    map_, side = image, image.shape[-1]
    for module in network.features:
        leaves = [leaf for leaf in module.modules() if next(leaf.children(), None) is None]
        if not all(isinstance(leaf, (*_LOCAL, *_KERNELS)) for leaf in leaves):
            break
        seen: list[
            int
        ] = []  # pixels that each kernel sees on each side; of kernels beside one another that is too many

        def look(leaf: Any, inputs: tuple[torch.Tensor], seen: list[int] = seen) -> None:
            kernel, dilation = _number(leaf.kernel_size), _number(getattr(leaf, "dilation", 1))
            seen.append(kernel // 2 * dilation * (side // inputs[0].shape[-1]))

        hooks = [leaf.register_forward_pre_hook(look) for leaf in leaves if isinstance(leaf, _KERNELS)]
        before = side // map_.shape[-1]
        with torch.inference_mode():
            map_ = module(map_)
        for hook in hooks:
            hook.remove()
        after = side // map_.shape[-1]
        if map_.shape[-2:] != (side // after, side // after) or side % after or after % before:
            break  # its places lie on no common grid
        found.append(_Stage(module, sum(seen), before, after))
    return found


def _number(size: int | tuple[int, ...]) -> int:
    return max(size) if isinstance(size, tuple) else size
