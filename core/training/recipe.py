"""All that a training run needs besides films, as one TOML file; contradictions are refused before training starts."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from core.data.labels import term
from core.errors import RecipeError
from core.model.output import KINDS
from core.networks.zoo import NETWORKS, spec_of
from core.training.settings import LATER, NetworkConfig, SplitConfig, Stage, TrainingConfig, contradiction
from core.transform.augment import Step
from core.transform.preprocess import Preprocess

WORDS = (  # for readers: they make no other run
    *("name", "title", "reference", "published", "published_report", "published_split"),
    *("departures", "not_stated", "limitations"),
)
FOLDER = Path(__file__).resolve().parents[1] / "recipes"


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
    """Label of a cohort -> class, where it departs from the vocabulary, "" to leave films out: see
    `core.data.labels.resolve`. Films whose label means none of the classes are left out as well."""
    network: NetworkConfig
    """Which network."""
    output: str = "softmax"
    """"softmax": exclusive classes; "sigmoid": findings that occur together."""
    preprocess: Preprocess = field(default_factory=Preprocess)
    """Film -> tensor."""
    augment: tuple[Step, ...] = ()
    """Applied to training films only, in order."""
    split: SplitConfig = field(default_factory=SplitConfig)
    """Training, validation and test films."""
    published_split: SplitConfig | None = None
    """The division its authors state, where ours is another one: `core train --split published`."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """The optimisation."""
    reference: str = ""
    """The system it follows, and where it departs from it."""
    published: Mapping[str, float] = field(default_factory=dict)
    """Figures its authors report, 0 to 1; a loss is what they minimised."""
    published_report: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    """What they report of each class: split -> class -> precision, recall, f1 (0 to 1) and support (films)."""
    departures: tuple[str, ...] = ()
    """Where it does not do what its authors state, and why; a sentence each."""
    not_stated: tuple[str, ...] = ()
    """What its authors leave open and is chosen here; a sentence each."""
    limitations: str = ""
    """For the card of the checkpoint."""

    def __post_init__(self) -> None:
        if self.output not in KINDS:
            raise RecipeError(f"output is {self.output!r}", f"one of {', '.join(KINDS)}")
        least = 2 if KINDS[self.output].exclusive else 1
        if len(self.classes) < least or len(set(self.classes)) < len(self.classes):
            raise RecipeError(f"the classes are {', '.join(self.classes) or 'empty'}", "two or more different names")
        if strangers := sorted(set(self.labels.values()) - {*self.classes, ""}):
            raise contradiction(f"labels name the class {strangers[0]!r}", f"classes = {list(self.classes)}")
        if orphans := [c for c in self.classes if c not in self.labels.values() and term(c) is None]:
            raise contradiction(f"classes name {orphans[0]!r}", "labels, which map nothing to it")
        if strangers := sorted(set(self.training.augmented_copies) - set(self.classes)):
            raise contradiction(f"training.augmented_copies names {strangers[0]!r}", f"classes = {list(self.classes)}")
        if self.training.augmented_copies and not self.augment:
            raise contradiction("training.augmented_copies", "no [[augment]] table", "they would be plain repeats")
        for split, rows in self.published_report.items():
            if strangers := sorted(set(rows) - set(self.classes)):
                raise contradiction(
                    f"published_report.{split} names {strangers[0]!r}", f"classes = {list(self.classes)}"
                )
        spec = spec_of(self.network.name)
        if spec.fixed_size and self.preprocess.size != spec.input_size:
            own = f"network.name = {spec.name!r} (films of {spec.input_size} px)"
            raise contradiction(f"preprocess.size = {self.preprocess.size}", own)
        if spec.fixed_size and self.training.half_size_epochs:
            raise contradiction("training.half_size_epochs", f"network.name = {spec.name!r}", "it takes one size only")
        for setting, kinds in (("lungs", ("activations", "odds")), ("outlines", ("activations", "odds", "votes"))):
            if getattr(self.training, setting) and spec.evidence not in kinds:
                able = [name for name, other in NETWORKS.items() if other.evidence in kinds]
                raise RecipeError(
                    f"training.{setting} puts a price on evidence by its place, which {spec.name} does not tell",
                    f"network.name = {' or '.join(able)}",
                    f"Choose such a network, or leave training.{setting} out",
                )
        if not KINDS[self.output].exclusive:
            self._refuse_for_findings()
        if self.training.outlines and self.preprocess.region != "film":
            own = f"preprocess.region = {self.preprocess.region!r}"
            raise contradiction("training.outlines", own, "outlines are read in the frame of the whole film")

    def _refuse_for_findings(self) -> None:
        """What is made for exclusive classes, or for the first of them as "nothing"."""
        own = f'output = "{self.output}"'
        if self.training.sampling != "uniform":
            raise contradiction(
                f'training.sampling = "{self.training.sampling}"', own, "a film has no class of its own"
            )
        if self.training.augmented_copies:
            raise contradiction("training.augmented_copies", own, "a film has no class of its own")
        for setting in ("outlines", "lungs"):
            if getattr(self.training, setting):
                raise contradiction(f"training.{setting}", own, "that price is of exclusive classes")
        spec = spec_of(self.network.name)
        if spec.evidence in ("votes", "odds") or (spec.name == "compact_cnn" and len(self.classes) == 2):
            raise contradiction(f"network.name = {spec.name!r}", own, "its head makes its classes compete")

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
        training = dict(_table("training", values.pop("training", {})))
        stages = _list("training.stages", training.get("stages", ()))
        training["stages"] = tuple(_make(Stage, "training.stages", stage) for stage in stages)
        values["training"] = _make(TrainingConfig, "training", training)
        values["network"] = _make(NetworkConfig, "network", values.get("network", {}))
        values["split"] = _make(SplitConfig, "split", values.get("split", {}))
        if values.get("published_split") is not None:
            values["published_split"] = _make(SplitConfig, "published_split", values["published_split"])
        values["preprocess"] = Preprocess.from_dict(_table("preprocess", values.get("preprocess", {})))
        steps = _list("augment", values.get("augment", ()))
        values["augment"] = tuple(Step.from_dict(_table("augment", step)) for step in steps)
        classes = tuple(_list("classes", values.pop("classes", ())))
        for words in ("departures", "not_stated"):
            values[words] = tuple(_list(words, values.get(words, ())))
        labels = _table("labels", values.pop("labels", {name: name for name in classes}))
        return _make(cls, "a recipe", {**values, "classes": classes, "labels": labels})

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex over every setting that changes the weights; words for readers do not."""
        settings = {key: value for key, value in self.to_dict().items() if key not in WORDS}
        if self.output == next(iter(KINDS)):
            del settings["output"]  # a run from before this setting goes on
        for later in (f for f in fields(TrainingConfig) if f.metadata == LATER):
            if not getattr(self.training, later.name) or getattr(self.training, later.name) == later.default:
                del settings["training"][later.name]  # a run from before this setting goes on
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


def _make(kind: type[_Config], where: str, values: Any) -> _Config:
    known = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    if unknown := sorted(set(_table(where, values)) - set(known)):
        raise RecipeError(f"{where} has no setting {', '.join(unknown)}", f"one of {', '.join(known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise RecipeError(f"{where} is incomplete or mistyped ({error})", f"the settings {', '.join(known)}") from error


def _table(where: str, values: Any) -> Mapping[str, Any]:
    if not isinstance(values, Mapping):
        raise RecipeError(f"{where} is {values!r}", "a table of settings")
    return values


def _list(where: str, values: Any) -> list[Any] | tuple[Any, ...]:
    if not isinstance(values, list | tuple):
        raise RecipeError(f"{where} is {values!r}", "a list in brackets")
    return values
