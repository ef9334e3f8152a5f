"""All that a training run needs besides films, as one TOML file; contradictions are refused before training starts."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from core.errors import RecipeError
from core.model.zoo import NETWORKS
from core.transform.augment import Step
from core.transform.preprocess import Preprocess

FOLDER = Path(__file__).resolve().parents[1] / "recipes"

Optimiser = Literal["adam", "adamw", "sgd"]
Schedule = Literal["constant", "stages", "cosine", "onecycle"]
Sampling = Literal["uniform", "weighted", "sources"]
Monitor = Literal["validation_loss", "validation_accuracy"]


@dataclass(frozen=True)
class NetworkConfig:
    """Which network, and what it starts from."""

    name: str
    """A key of ``zoo.NETWORKS``."""
    weights: str = "none"
    """"none", "imagenet", a state dict (.pth, .safetensors) or a Hilum checkpoint folder."""
    dropout: float = 0.0
    """Probability before the classifier, 0 to 1; 0 keeps the network's own."""
    freeze: bool | str = False
    """true: train the head only; a stage's name: the stages up to that one stay as they are."""

    def __post_init__(self) -> None:
        _one_of("network.name", self.name, tuple(NETWORKS))
        _within("network.dropout", self.dropout, 0, 0.95)
        if self.freeze and self.weights == "none":
            raise _contradiction("network.freeze", 'network.weights = "none"', "the features would stay random")
        if self.weights == "imagenet" and not NETWORKS[self.name].pretrained:
            raise _contradiction('network.weights = "imagenet"', f'network.name = "{self.name}"', "there are none")


@dataclass(frozen=True)
class SplitConfig:
    """How films are divided; see ``core.data.split``."""

    validation: float = 0.1
    """Share of the films, 0 to 1."""
    test: float = 0.1
    """Share of the films, 0 to 1."""
    per_split: int = 0
    """Films in each of validation and test, instead of the shares; 0 = use the shares."""
    use_source: bool = False
    """Keep the test films that the source itself names."""
    seed: int = 0
    """Another seed, another division."""

    def __post_init__(self) -> None:
        _within("split.validation", self.validation, 0.01, 0.5)
        _within("split.test", self.test, 0.01, 0.5)
        if self.per_split < 0:
            raise RecipeError(f"split.per_split is {self.per_split}", "0 or a number of films")
        if self.per_split and self.use_source:
            raise _contradiction("split.per_split", "split.use_source = true", "the source's split has its own size")


@dataclass(frozen=True)
class Stage:
    """A stretch of epochs at one learning rate."""

    epochs: int
    """Number of epochs."""
    learning_rate: float
    """Step size of the optimiser."""


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
    schedule: Schedule = "constant"
    """"constant", "stages", "cosine" (down to 0) or "onecycle" (a fifth of the steps up, then cosine down)."""
    stages: tuple[Stage, ...] = ()
    """For schedule = "stages": stretches whose epochs add up to ``epochs``."""
    label_smoothing: float = 0.0
    """Share of each label spread over all classes, 0 to 1."""
    sampling: Sampling = "uniform"
    """"uniform"; "weighted": each class equally often; "sources": likewise, its sources by the root of their size."""
    class_weights: bool = False
    """Weigh each film's loss by the inverse frequency of its class."""
    patience: int = 0
    """Stop after this many epochs without a better one; 0 = never."""
    outlines: float = 0.0
    """Weight of the penalty on evidence outside the outlines of known findings; 0 = outlines are not looked at."""
    lungs: float = 0.0
    """Weight of the penalty on evidence outside the lung fields, as the shipped finder sees them; 0 = none."""
    half_size_epochs: int = 0
    """The first epochs that see pictures of half the side: four times as fast, while most is still to be learned."""
    monitor: Monitor = "validation_loss"
    """What makes an epoch the best one."""
    seed: int = 0
    """First weights, order of films, augmentation and dropout all follow from it."""

    def __post_init__(self) -> None:
        for name, options in (("optimiser", Optimiser), ("schedule", Schedule), ("sampling", Sampling)):
            _one_of(f"training.{name}", getattr(self, name), get_args(options))
        _one_of("training.monitor", self.monitor, get_args(Monitor))
        _within("training.epochs", self.epochs, 1, 10_000)
        _within("training.batch", self.batch, 2, 4096)
        _within("training.learning_rate", self.learning_rate, 1e-8, 10)
        _within("training.label_smoothing", self.label_smoothing, 0, 0.5)
        _within("training.outlines", self.outlines, 0, 100)
        _within("training.lungs", self.lungs, 0, 100)
        if self.outlines and self.lungs:
            raise _contradiction("training.outlines", "training.lungs", "one place to look at, not two")
        if self.sampling != "uniform" and self.class_weights:
            reason = "rare classes would be compensated for twice"
            raise _contradiction(f'training.sampling = "{self.sampling}"', "training.class_weights = true", reason)
        if (self.schedule == "stages") != bool(self.stages):
            raise _contradiction(f'training.schedule = "{self.schedule}"', f"{len(self.stages)} training.stages")
        if self.stages and sum(stage.epochs for stage in self.stages) != self.epochs:
            total = sum(stage.epochs for stage in self.stages)
            raise _contradiction(f"training.epochs = {self.epochs}", f"training.stages of {total} epochs together")
        if self.patience >= self.epochs:
            raise _contradiction(f"training.patience = {self.patience}", f"training.epochs = {self.epochs}")
        if self.half_size_epochs and self.half_size_epochs >= self.epochs:
            half = f"training.half_size_epochs = {self.half_size_epochs}"
            raise _contradiction(half, f"training.epochs = {self.epochs}", "none would see whole pictures")


@dataclass(frozen=True)
class Recipe:
    """One way to train a classifier."""

    name: str
    """File name without ``.toml``."""
    title: str
    """For people."""
    classes: tuple[str, ...]
    """In the order of the logits."""
    labels: Mapping[str, str]
    """Label of a cohort -> class; films with other labels are left out."""
    network: NetworkConfig
    """Which network."""
    preprocess: Preprocess = field(default_factory=Preprocess)
    """Film -> tensor."""
    augment: tuple[Step, ...] = ()
    """Applied to training films only, in order."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Training, validation and test films."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The optimisation."""
    reference: str = ""
    """The system it follows, and where it departs from it."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Figures its authors report, 0 to 1."""
    limitations: str = ""
    """For the card of the checkpoint."""

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) < len(self.classes):
            raise RecipeError(f"the classes are {', '.join(self.classes) or 'empty'}", "two or more different names")
        if strangers := sorted(set(self.labels.values()) - set(self.classes)):
            raise _contradiction(f"labels name the class {strangers[0]!r}", f"classes = {list(self.classes)}")
        if orphans := [c for c in self.classes if c not in self.labels.values()]:
            raise _contradiction(f"classes name {orphans[0]!r}", "labels, which map nothing to it")
        spec = NETWORKS[self.network.name]
        if spec.fixed_size and self.preprocess.size != spec.input_size:
            own = f"network.name = {spec.name!r} (films of {spec.input_size} px)"
            raise _contradiction(f"preprocess.size = {self.preprocess.size}", own)
        if spec.fixed_size and self.training.half_size_epochs:
            raise _contradiction("training.half_size_epochs", f"network.name = {spec.name!r}", "it takes one size only")
        if self.training.outlines and (spec.name != "resnet_local" or self.preprocess.region != "film"):
            own = f"network.name = {spec.name!r} and preprocess.region = {self.preprocess.region!r}"
            raise _contradiction("training.outlines", own, "only resnet_local on whole films names its evidence")

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready, as a recipe file would say it."""
        plain = json.loads(json.dumps({**asdict(self), "preprocess": None, "augment": None}))
        steps = [step.to_dict() for step in self.augment]
        return {**plain, "preprocess": self.preprocess.to_dict(), "augment": steps}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Recipe":
        """Inverse of ``to_dict``.

        Raises:
            RecipeError: a setting is unknown, missing, out of range, or contradicts another one.
        """
        values = dict(values)
        training = dict(values.pop("training", {}))
        training["stages"] = tuple(_make(Stage, "training.stages", stage) for stage in training.get("stages", ()))
        values["training"] = _make(TrainingConfig, "training", training)
        values["network"] = _make(NetworkConfig, "network", values.get("network", {}))
        values["split"] = _make(SplitConfig, "split", values.get("split", {}))
        values["preprocess"] = Preprocess.from_dict(values.get("preprocess", {}))
        values["augment"] = tuple(Step.from_dict(step) for step in values.get("augment", ()))
        classes = tuple(values.pop("classes", ()))
        labels = values.pop("labels", {name: name for name in classes})
        return _make(cls, "a recipe", {**values, "classes": classes, "labels": labels})

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex over every setting that changes the weights; words for readers do not."""
        words = ("name", "title", "reference", "published", "limitations")
        settings = {key: value for key, value in self.to_dict().items() if key not in words}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def names() -> list[str]:
    """The recipes that come with Hilum."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name_or_path: str | Path) -> Recipe:
    """A recipe by its name or from a TOML file.

    Raises:
        RecipeError: there is none, it is not TOML, or its settings are wrong.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise RecipeError(f"there is no recipe {str(name_or_path)!r}", f"a .toml file or one of {', '.join(names())}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path.name} is not TOML ({error})", "a recipe such as those in core/recipes") from error
    return Recipe.from_dict({"name": path.stem, **values})


_Config = TypeVar("_Config")


def _make(kind: type[_Config], where: str, values: Mapping[str, Any]) -> _Config:
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise RecipeError(f"{where} has no setting {', '.join(unknown)}", f"one of {', '.join(known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise RecipeError(f"{where} is incomplete or mistyped ({error})", f"the settings {', '.join(known)}") from error


def _contradiction(one: str, other: str, reason: str = "") -> RecipeError:
    came = f"{one} contradicts {other}" + (f": {reason}" if reason else "")
    return RecipeError(came, remedy="Change one of the two")


def _one_of(setting: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise RecipeError(f"{setting} is {value!r}", f"one of {', '.join(options)}")


def _within(setting: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise RecipeError(f"{setting} is {value}", f"a number from {low:g} to {high:g}")
