"""Chains of augmentations on whole batches of uint8 pictures: drawn, shown, replayed, undone, copied as code or recipe.

Notable choices: every random value comes from the one generator that is handed in and is kept in `Drawn`, so that a
picture can be made again; consecutive moves are multiplied into one matrix, so that a chain blurs the picture once;
pictures stay uint8 and go through OpenCV one at a time, which beats batched float sampling many times.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil, floor
from typing import Any

import numpy as np
import torch

from core.errors import RecipeError
from core.transform import affine, torchvision_code
from core.transform.augmentations import AUGMENTATIONS, Augmentation, Parameter, Plausibility, Setting, Value

__all__ = ["AUGMENTATIONS", "Augment", "Augmentation", "Drawn", "Parameter", "Step", "geometry", "warp_back"]


@dataclass(frozen=True)
class Step:
    """One augmentation of a chain.

    A value is fixed, or a (low, high) pair drawn uniformly; those not named take the default.
    """

    name: str
    values: Mapping[str, Setting] = field(default_factory=dict)
    p: float = 1.0  # probability that the step is applied at all

    def __post_init__(self) -> None:
        if self.name not in AUGMENTATIONS:
            raise RecipeError(f"there is no augmentation {self.name!r}", f"one of {', '.join(AUGMENTATIONS)}")
        if not 0 <= self.p <= 1:
            raise RecipeError(f"{self.name}: p is {self.p}", "a probability from 0 to 1")
        known = [p.name for p in self.augmentation.parameters]
        for key, value in self.values.items():
            if key not in known:
                raise RecipeError(
                    f"{self.name} has no setting {key!r}", f"one of {', '.join(known)}" if known else "no settings"
                )
            _check(self.name, self.augmentation.parameter(key), value)

    @property
    def augmentation(self) -> Augmentation:
        """The declaration this step refers to."""
        return AUGMENTATIONS[self.name]

    @property
    def settings(self) -> dict[str, Setting]:
        """Every parameter with its value, defaults filled in."""
        return {p.name: self.values.get(p.name, p.first) for p in self.augmentation.parameters}

    @property
    def moves(self) -> bool:
        """Whether the step moves points (rather than changing greys)."""
        return self.augmentation.matrix is not None

    def verdict(self) -> tuple[Plausibility, str]:
        """Whether a chest film may look like this, and why; a value beyond its natural range is one grade worse."""
        declared, reason = self.augmentation.plausibility, self.augmentation.reason
        for parameter in self.augmentation.parameters:
            if parameter.natural and not _within(self.settings[parameter.name], parameter.natural):
                low, high = parameter.natural
                worse: Plausibility = "doubtful" if declared == "plausible" else "implausible"
                beyond = f"{parameter.name.capitalize()} goes beyond {low:g} to {high:g} {parameter.unit}".rstrip()
                return worse, f"{beyond}. {reason}"
        return declared, reason

    def to_dict(self) -> dict[str, Any]:
        """What a recipe's [[augment]] table holds."""
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in self.values.items()}
        return {"name": self.name, **values, **({} if self.p == 1 else {"p": self.p})}

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "Step":
        """Inverse of `to_dict`; RecipeError names an unknown augmentation or setting."""
        values = {k: tuple(v) if isinstance(v, list) else v for k, v in table.items() if k not in ("name", "p")}
        return cls(str(table.get("name", "")), values, float(table.get("p", 1.0)))


@dataclass(frozen=True)
class Drawn:
    """One step as it came out for one picture: the numbers that were drawn."""

    step: Step
    values: Mapping[str, Value]
    applied: bool  # False when the step's probability passed it over


class Augment:
    """A chain of steps, applied to batches of pictures in order."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)

    def __call__(self, pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """uint8 (B, S, S) -> uint8 (B, S, S) on the CPU; each picture gets its own draw."""
        if not self.steps:
            return pictures
        changed = [self.replay(p, self.draw(generator)) for p in pictures.cpu().numpy()]
        return torch.from_numpy(np.stack(changed)) if changed else pictures

    def draw(self, generator: torch.Generator) -> list[Drawn]:
        """The random values for one picture, in step order; the same state of the generator gives the same values."""
        count = sum(1 + len(step.settings) for step in self.steps)
        chances = iter(torch.rand(count, generator=generator, dtype=torch.float64).tolist())
        return [_drawn(step, chances) for step in self.steps]

    @staticmethod
    def replay(picture: np.ndarray, drawn: Sequence[Drawn]) -> np.ndarray:
        """uint8 (S, S) -> uint8 (S, S) with values drawn before."""
        for (moves, fill), group in groupby((d for d in drawn if d.applied), _kind):
            if moves:
                matrix = _product(group)
                picture = affine.warp(picture, matrix, nearest_edge=fill == "nearest")
            else:
                for one in group:
                    change = one.step.augmentation.pixels
                    assert change is not None
                    picture = change(picture, **one.values)
        return picture

    def as_code(self) -> str:
        """The chain as torchvision v2 transforms for a PIL picture or uint8 tensor (C, H, W), ready to paste."""
        lines = ["v2.ToImage(),"]
        for step in self.steps:
            line = step.augmentation.code(step.settings)
            lines.append(f"{line if step.p == 1 else f'v2.RandomApply([{line}], p={step.p:g})'},")
        return torchvision_code.script(lines)

    def as_toml(self) -> str:
        """The chain as [[augment]] tables of a recipe."""
        return "\n".join(_toml_table(step) for step in self.steps)

    @classmethod
    def from_toml(cls, text: str) -> "Augment":
        """Inverse of `as_toml`. RecipeError if it is not TOML, or names what does not exist."""
        try:
            tables = tomllib.loads(text).get("augment", [])
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"the augmentations are not TOML ({error})", "[[augment]] tables") from error
        return cls([Step.from_dict(table) for table in tables])


def geometry(drawn: Sequence[Drawn]) -> np.ndarray | None:
    """How points moved: float64 (3, 3) in the coordinates of `affine`, or None if no matrix can say (elastic)."""
    if any(d.applied and d.step.name == "elastic" for d in drawn):
        return None
    return _product(d for d in drawn if d.applied and d.step.moves)


def warp_back(map_: np.ndarray, drawn: Sequence[Drawn]) -> np.ndarray | None:
    """A map (S, S) of the changed picture, back in the frame of the picture before; 0 where that had left the picture.

    None when the steps cannot be undone (elastic).
    """
    matrix = geometry(drawn)
    if matrix is None:
        return None
    return affine.warp(map_.astype(np.float32), np.linalg.inv(matrix), nearest_edge=False)


def _kind(drawn: Drawn) -> tuple[bool, Value | None]:
    """Steps with the same kind can share one interpolation."""
    return drawn.step.moves, drawn.values.get("fill", "black") if drawn.step.moves else None


def _product(drawn: Any) -> np.ndarray:
    matrix = np.eye(3)
    for one in drawn:
        values = {k: v for k, v in one.values.items() if k != "fill"}
        matrix = one.step.augmentation.matrix(**values) @ matrix
    return matrix


def _drawn(step: Step, chances: Iterator[float]) -> Drawn:
    applied = next(chances) < step.p
    values: dict[str, Value] = {}
    for name, value in step.settings.items():
        chance = next(chances)
        if not isinstance(value, tuple):
            values[name] = value
        elif step.augmentation.parameter(name).whole:
            low, high = ceil(value[0]), floor(value[1])
            values[name] = float(min(low + floor((high - low + 1) * chance), high))
        else:
            values[name] = value[0] + (value[1] - value[0]) * chance
    return Drawn(step, values, applied)


def _within(value: Setting, limits: tuple[float, float]) -> bool:
    return all(not isinstance(v, str) and limits[0] <= v <= limits[1] for v in _ends(value))


def _ends(value: Setting) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else (value,)


def _check(step: str, parameter: Parameter, value: Setting) -> None:
    """RecipeError unless the value is of the parameter's kind and within its limits."""
    name = f"{step}.{parameter.name}"
    if parameter.choices:
        if value not in parameter.choices:
            raise RecipeError(f"{name} is {value!r}", f"one of {', '.join(parameter.choices)}")
        return
    ends = [v for v in _ends(value) if not isinstance(v, str | bool)]
    if len(ends) != len(_ends(value)) or (isinstance(value, tuple) and len(ends) != 2) or ends != sorted(ends):
        raise RecipeError(f"{name} is {value!r}", "a number or a pair [low, high]")
    if parameter.whole and ceil(ends[0]) > floor(ends[-1]):
        raise RecipeError(f"{name} is {value!r}", "a whole number, or a pair with one between")
    if not _within(value, (parameter.low, parameter.high)):
        limits = f"values from {parameter.low:g} to {parameter.high:g} {parameter.unit}"
        raise RecipeError(f"{name} is {value!r}", limits)


def _toml_table(step: Step) -> str:
    def plain(value: Any) -> str:
        return f"[{', '.join(map(plain, value))}]" if isinstance(value, list) else repr(value).replace("'", '"')

    return "[[augment]]\n" + "".join(f"{key} = {plain(value)}\n" for key, value in step.to_dict().items())
