"""How a prediction and its heatmap hold while one setting of an augmentation moves through its range."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.explain.heatmap import heatmaps
from core.explain.methods import usual_often
from core.model.classifier import Classifier
from core.transform.augment import Augment, Drawn, Parameter, Step, warp_back

POINTS = 17
MILD_COPIES = 16
MILD = (  # as films of one patient differ anyway
    Step("rotate", {"angle": (-4.0, 4.0)}),
    Step("shift", {"x": (-3.0, 3.0), "y": (-3.0, 3.0)}),
    Step("brightness", {"factor": (0.9, 1.1)}),
    Step("contrast", {"factor": (0.9, 1.1)}),
)


@dataclass(frozen=True, eq=False)
class Sweep:
    """A film under one setting's values.

    Attributes:
        values: float (N,), ascending.
        pictures: uint8 (N, S, S).
        probabilities: float32 (N, C).
        correlation: float (N,), correlation of each heatmap, moved back, with that of the film as it is; NaN if blank.
    """

    values: np.ndarray
    pictures: np.ndarray
    probabilities: np.ndarray
    correlation: np.ndarray


def sweep(
    model: Classifier,
    picture: np.ndarray,
    step: Step,
    parameter: str,
    limits: tuple[float, float],
    class_name: str,
) -> Sweep:
    """Move one parameter of a step between two limits, the others as they are; ``picture`` is uint8 (S, S)."""
    values = np.linspace(*limits, POINTS)
    if next(known.whole for known in step.augmentation.parameters if known.name == parameter):
        values = np.unique(np.rint(values))
    drawn = [Augment([Step(step.name, {**fixed(step), parameter: float(value)})]).draw(generator()) for value in values]
    pictures = np.stack([Augment.replay(picture, one) for one in drawn])
    _, probabilities = model.predict_pictures(pictures)
    method, options = usual_often(model.network, picture.shape[0])

    def map_of(seen: np.ndarray) -> np.ndarray:
        return heatmaps(model, seen, method, [class_name], **options)[class_name].values

    before, after = map_of(picture), [map_of(changed) for changed in pictures]
    correlation = np.array([alike(before, map_, one) for map_, one in zip(after, drawn, strict=True)])
    return Sweep(values, pictures, probabilities, correlation)


@dataclass(frozen=True, eq=False)
class MildCopies:
    """What a model says of copies of one picture that differ as mildly as films of one patient do anyway; see ``MILD``.

    Attributes:
        classes: C class names.
        probabilities: float32 (N, C), calibrated; N is ``MILD_COPIES``.
        called: bool (N, C), what is called on each copy.
    """

    classes: tuple[str, ...]
    probabilities: np.ndarray
    called: np.ndarray

    @property
    def spread(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest probability of each class."""
        return {
            name: (float(p.min()), float(p.max())) for name, p in zip(self.classes, self.probabilities.T, strict=True)
        }

    def agreeing(self, called: np.ndarray) -> int:
        """Number of copies on which exactly this, bool (C,), is called."""
        return int((self.called == called).all(1).sum())


def mild_copies(model: Classifier, picture: np.ndarray) -> MildCopies:
    """Ask a model about ``MILD_COPIES`` mild changes of a picture, uint8 (S, S); the same ones every time."""
    copies = Augment(list(MILD))(torch.from_numpy(picture.copy()).repeat(MILD_COPIES, 1, 1), generator())
    _, found = model.predict_pictures(copies.numpy())
    return MildCopies(model.classes, found, model.output.called(found))


def sweepable(step: Step) -> list[str]:
    """The parameters of a step that have a range worth moving through."""
    return [p.name for p in step.augmentation.parameters if not p.choices and p.name != "seed" and p.low < p.high]


def around_natural(parameter: Parameter) -> tuple[float, float]:
    """The range that films show, and half of it again on each side; the whole range where nothing is known."""
    if parameter.natural is None:
        return parameter.low, parameter.high
    low, high = parameter.natural
    return max(parameter.low, low - (high - low) / 2), min(parameter.high, high + (high - low) / 2)


def alike(before: np.ndarray, after: np.ndarray, drawn: Sequence[Drawn]) -> float:
    """Pearson's correlation of two heatmaps (S, S), the second moved back with the film; NaN if one says nothing."""
    back = warp_back(after, drawn)
    seen = warp_back(np.ones_like(after), drawn)
    if back is None or seen is None:  # steps that cannot be undone, such as elastic: compare in place
        back, seen = after, np.ones_like(after)
    inside = seen > 0.5
    if inside.sum() < 2 or not before[inside].std() or not back[inside].std():
        return float("nan")
    return float(np.corrcoef(before[inside], back[inside])[0, 1])


def fixed(step: Step) -> dict[str, float | str]:
    """The settings of a step with every range replaced by its middle."""
    whole = {known.name for known in step.augmentation.parameters if known.whole}

    def middle(name: str, low: float, high: float) -> float:
        return float(round((low + high) / 2)) if name in whole else (low + high) / 2

    return {name: middle(name, *v) if isinstance(v, tuple) else v for name, v in step.settings.items()}


def generator(seed: int = 0) -> torch.Generator:
    """A seeded random generator."""
    return torch.Generator().manual_seed(seed)
