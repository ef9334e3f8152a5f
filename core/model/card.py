"""What is known about a checkpoint besides its weights, and the one place where a card from outside is checked.

A card may come from anybody: `Card.from_dict` refuses what is of the wrong type or out of range: a negative
temperature would reverse every ranking and a NaN would make the first class win. Pages may rely on what it accepts.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import CheckpointError, RecipeError
from core.model.output import KINDS
from core.transform.preprocess import CHOICES, Preprocess

MAX_BYTES = 16_000_000
MAX_CLASSES = 1000
MAX_TEXT = 20_000  # characters
COOLEST, HOTTEST = 1e-3, 1e3  # temperatures beyond these say nothing but 0 and 1, or nothing at all
UNCALIBRATED = "Uncalibrated, no in-domain check"
AS_TRAINING_WROTE_IT = "the card as training wrote it"


@dataclass(frozen=True)
class Card:
    """All that is known about a checkpoint besides its weights; JSON throughout."""

    name: str  # folder name
    title: str  # for people
    classes: tuple[str, ...]  # in the order of the logits
    network: str  # key of zoo.NETWORKS, or SOURCE:NAME
    preprocess: Preprocess
    recipe: dict[str, Any]  # Recipe.to_dict(): how it was trained
    parameters: int  # trainable and frozen
    created: str  # ISO date and time, UTC
    # What the source of a network from outside needs to build it besides its name: a config.json of transformers, say.
    network_config: dict[str, Any] = field(default_factory=dict)
    output: str = "softmax"  # a key of output.KINDS: exclusive classes, or "sigmoid", findings that occur together
    temperature: float = 1.0  # of softmax: logits are divided by it
    offsets: dict[str, float] = field(default_factory=dict)  # of softmax: class -> added after the temperature
    platt: dict[str, list[float]] = field(default_factory=dict)  # of sigmoid: finding -> slope and offset of its logit
    thresholds: dict[str, float] = field(default_factory=dict)  # class -> probability of its operating point
    domain: dict[str, Any] = field(default_factory=dict)  # limits of the in-domain gate
    data: dict[str, Any] = field(
        default_factory=dict
    )  # name, fingerprint, layout, splits {split: {class: films}}, sources
    metrics: dict[str, Any] = field(default_factory=dict)  # on the test split unless the key says otherwise
    randomisation: dict[str, Any] = field(default_factory=dict)  # heatmap sanity check, filled by core.explain
    power: dict[str, Any] = field(default_factory=dict)  # of the occlusion test, by method, filled by core.explain
    # "bf16": stages harmless in bfloat16, see model.bulk.precision; "stored": "float32" where kernels are kept whole.
    precision: dict[str, Any] = field(default_factory=dict)
    # Of a model from outside: where it came from, what of it was tested, and "calibrated"; see model.adopt.
    origin: dict[str, Any] = field(default_factory=dict)
    for_strangers: bool = False  # answers first where no model learned from a film's hospital: model.matching
    conformal: dict[str, Any] = field(default_factory=dict)  # limits of prediction sets: model.conformal
    triage: dict[str, Any] = field(default_factory=dict)  # where "negative" may be said: model.conformal
    versions: dict[str, str] = field(default_factory=dict)  # library -> version
    history: list[dict[str, Any]] = field(default_factory=list)  # one dict per epoch, see training.fit.Epoch
    published: dict[str, float] = field(default_factory=dict)  # what the recipe's authors report
    licence: str = ""
    intended_use: str = ""
    limitations: str = ""
    # Of model.safetensors, written by `checkpoint.save`; "" on cards older than this field: not checked.
    weights_sha256: str = field(default="", compare=False)

    @property
    def exclusive(self) -> bool:
        """Whether a film is of one class alone; else its classes are findings that occur together."""
        return KINDS[self.output].exclusive

    @property
    def caveat(self) -> str:
        """What must be said wherever this model answers; "" where its answers were calibrated."""
        return UNCALIBRATED if self.origin and self.origin.get("calibrated") is not True else ""

    @property
    def all_limitations(self) -> str:
        """The caveat and the limitations, as documents print them."""
        return " ".join(part for part in (self.caveat and f"{self.caveat}.", self.limitations) if part)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "classes": list(self.classes), "preprocess": self.preprocess.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Card":
        """Inverse of ``to_dict``; keys of a newer version are ignored.

        Raises:
            CheckpointError: a key is missing, or a value is of the wrong kind or out of range; the first is named.
        """
        _check(values)
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        try:
            known["preprocess"] = Preprocess.from_dict(values["preprocess"])
        except (RecipeError, TypeError) as error:
            raise CheckpointError(f"the card's preprocess is damaged ({error})", AS_TRAINING_WROTE_IT) from error
        return cls(**{**known, "classes": tuple(values["classes"])})


def read(path: Path) -> Card:
    """The card in a file.

    Raises:
        CheckpointError: it cannot be read, is no JSON of reasonable size, or says what no card says.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"it has more than {MAX_BYTES // 1_000_000} MB")
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error)[:200]
        raise CheckpointError(f"{path} is damaged ({reason})", AS_TRAINING_WROTE_IT, "Copy the card again") from error
    try:
        return Card.from_dict(values)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error.came}", error.expected, "Copy the card again") from error


def _no_number(name: str) -> float:
    raise ValueError(f"it says {name}, which is not a number")


Rule = tuple[str, Callable[[Any], bool]]  # what is expected, in words, and whether a value is that


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _map_of(values: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, dict) and all(map(_is_text, found)) and all(map(values, found.values()))


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _are_classes(value: Any) -> bool:
    named = isinstance(value, list | tuple) and all(_is_text(name) and name.strip() for name in value)
    return named and 1 <= len(value) <= MAX_CLASSES and len(set(value)) == len(value)


def _is_preprocess(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_whole(value.get("size", 224))
        and all(isinstance(value.get(name, choices[0]), str) for name, choices in CHOICES.items())
        and all(
            isinstance(value.get(name, []), list | tuple) and all(map(_is_number, value.get(name, [])))
            for name in ("mean", "std")
        )
    )


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda found: isinstance(found, dict) and (not found or all(name in found for name in names))


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


_TEXT: Rule = ("text", _is_text)
_MAP: Rule = ("a JSON object", _is_map)
_NEEDED = ("name", "title", "classes", "network", "preprocess", "recipe", "parameters", "created")
_RULES: dict[str, Rule] = {
    **dict.fromkeys(("name", "title", "network", "created", "licence", "intended_use", "limitations"), _TEXT),
    "classes": (f"1 to {MAX_CLASSES} different names", _are_classes),
    "preprocess": ("a JSON object with size, fit, contrast, region, mean and std", _is_preprocess),
    "parameters": ("a whole number", _is_whole),
    "temperature": (
        f"a number from {COOLEST:g} to {HOTTEST:g}",
        lambda value: _is_number(value) and COOLEST <= value <= HOTTEST,
    ),
    "for_strangers": ("true or false", lambda value: isinstance(value, bool)),
    "output": (f"one of {', '.join(KINDS)}", lambda value: isinstance(value, str) and value in KINDS),
    "platt": (
        f"a slope from {COOLEST:g} to {HOTTEST:g} and an offset from {-HOTTEST:g} to {HOTTEST:g} for each finding",
        _map_of(lambda value: _is_pair(value) and COOLEST <= value[0] <= HOTTEST and abs(value[1]) <= HOTTEST),
    ),
    "offsets": (
        f"an offset from {-HOTTEST:g} to {HOTTEST:g} for each class",
        _map_of(lambda value: _is_number(value) and abs(value) <= HOTTEST),
    ),
    "thresholds": (
        "a probability from 0 to 1 for each class",
        _map_of(lambda value: _is_number(value) and 0 <= value <= 1),
    ),
    **dict.fromkeys(
        ("network_config", "recipe", "domain", "data", "metrics", "randomisation", "power", "precision", "origin"), _MAP
    ),
    "conformal": (
        "level, price, free, limits, films and fitted_on",
        _has("level", "price", "free", "limits", "films", "fitted_on"),
    ),
    "triage": ("negative, limit, called and value", _has("negative", "limit", "called", "value")),
    "versions": ("names with versions", _map_of(_is_text)),
    "published": ("names with numbers", _map_of(_is_number)),
    "history": ("a list of JSON objects", lambda value: isinstance(value, list) and all(map(_is_map, value))),
    "weights_sha256": ("64 hex digits, or nothing", lambda v: isinstance(v, str) and len(v) in (0, 64)),
}
_INSIDE: dict[tuple[str, str], Rule] = {  # what pages read of the parts that are otherwise free
    **{("data", key): _TEXT for key in ("name", "fingerprint", "layout")},
    ("data", "splits"): ("films by split and class", _map_of(_map_of(_is_whole))),
    ("data", "sources"): ("films by source", _is_map),
    ("domain", "limits"): (
        "centre, warn and refuse of each measure, in rising order",
        _map_of(lambda v: _is_map(v) and set(v) == {"centre", "warn", "refuse"} and all(map(_is_number, v.values()))),
    ),
    ("recipe", "labels"): ("names with names", _map_of(_is_text)),
    ("conformal", "level"): ("a coverage from 0.5 to 0.999", lambda v: _is_number(v) and 0.5 <= v <= 0.999),
    ("conformal", "price"): ("a number from 0 to 10", lambda v: _is_number(v) and 0 <= v <= 10),
    ("conformal", "free"): ("a whole number", _is_whole),
    ("conformal", "limits"): (
        "a score of 0 and above, or null, for each class",
        _map_of(lambda v: v is None or (_is_number(v) and v >= 0)),
    ),
    ("conformal", "films"): ("a whole number for each class", _map_of(_is_whole)),
    ("conformal", "fitted_on"): _TEXT,
    ("triage", "negative"): _TEXT,
    ("triage", "limit"): ("a probability from 0 to 1, or -1 for never", lambda v: v == -1 or _is_share(v)),
    ("triage", "called"): ("a share from 0 to 1", _is_share),
    ("triage", "value"): ("a share from 0 to 1, or null", lambda v: v is None or _is_share(v)),
    ("precision", "stored"): ('"float32" or "float16"', lambda v: v in ("float32", "float16")),
    ("origin", "source"): _TEXT,
    ("precision", "bf16"): ("names of stages", lambda v: isinstance(v, list | tuple) and all(map(_is_text, v))),
}


def _check(values: Any) -> None:
    if not isinstance(values, Mapping):
        raise CheckpointError(f"the card is a JSON {type(values).__name__}", "a JSON object")
    if missing := [name for name in _NEEDED if name not in values]:
        raise CheckpointError(f"the card has no {missing[0]}", f"a card with {', '.join(_NEEDED)}")
    for name, (expected, fits) in _RULES.items():
        if name in values and not fits(values[name]):
            raise CheckpointError(f"the card's {name} is {_shown(values[name])}", expected)
    for (part, name), (expected, fits) in _INSIDE.items():
        if name in values.get(part, {}) and not fits(values[part][name]):
            raise CheckpointError(f"the card's {part}.{name} is {_shown(values[part][name])}", expected)
    for part, what in (("thresholds", "an operating point"), ("platt", "a calibration"), ("offsets", "an offset")):
        if strange := sorted(values.get(part, {}).keys() - set(values["classes"])):
            raise CheckpointError(f"the card has {what} for {strange[0]!r}", "one of its own classes")
    _check_sets(values)


def _check_sets(values: Mapping[str, Any]) -> None:
    """Prediction sets know every class and no other; what is called negative is one of them."""
    classes = set(values["classes"])
    sets, triage = values.get("conformal", {}), values.get("triage", {})
    if sets and not KINDS[values.get("output", "softmax")].exclusive:
        raise CheckpointError(
            "the card has prediction sets of findings that occur together", "sets of exclusive classes"
        )
    if sets and not set(sets["limits"]) == set(sets["films"]) == classes:
        raise CheckpointError("the card's conformal limits are for other classes", "its own classes, all of them")
    if triage and triage["negative"] not in classes:
        raise CheckpointError(f"the card's triage is about {_shown(triage['negative'])}", "one of its own classes")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
