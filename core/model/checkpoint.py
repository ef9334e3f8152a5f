"""A trained model as two readable files: ``model.safetensors`` (half precision) and ``card.json``. Never a pickle.

The card is written last: a folder with a card is a whole checkpoint. Tensors of the in-domain gate live in the same
safetensors file under ``domain.*``; ``evaluation.parquet`` beside it holds the predictions on films that the weights
never learned from.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

from core import identity
from core.errors import CheckpointError, HilumError
from core.networks.zoo import Network, build
from core.transform.preprocess import Preprocess

WEIGHTS, CARD, EVALUATION = "model.safetensors", "card.json", "evaluation.parquet"
DOMAIN = "domain."


@dataclass(frozen=True)
class Card:
    """All that is known about a checkpoint besides its weights; JSON throughout."""

    name: str  # folder name
    title: str  # for people
    classes: tuple[str, ...]  # in the order of the logits
    network: str  # key of zoo.NETWORKS
    preprocess: Preprocess
    recipe: dict[str, Any]  # Recipe.to_dict(): how it was trained
    parameters: int  # trainable and frozen
    created: str  # ISO date and time, UTC
    temperature: float = 1.0  # logits are divided by it
    thresholds: dict[str, float] = field(default_factory=dict)  # class -> probability of its operating point
    domain: dict[str, Any] = field(default_factory=dict)  # limits of the in-domain gate
    data: dict[str, Any] = field(
        default_factory=dict
    )  # name, fingerprint, layout, splits {split: {class: films}}, sources
    metrics: dict[str, Any] = field(default_factory=dict)  # on the test split unless the key says otherwise
    randomisation: dict[str, Any] = field(default_factory=dict)  # heatmap sanity check, filled by core.explain
    versions: dict[str, str] = field(default_factory=dict)  # library -> version
    history: list[dict[str, Any]] = field(default_factory=list)  # one dict per epoch, see training.Epoch
    published: dict[str, float] = field(default_factory=dict)  # what the recipe's authors report
    licence: str = ""
    intended_use: str = ""
    limitations: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {**plain, "classes": list(self.classes), "preprocess": self.preprocess.to_dict()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Card":
        """Inverse of ``to_dict``; keys of a newer version are ignored."""
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        known["preprocess"] = Preprocess.from_dict(values["preprocess"])
        return cls(**{**known, "classes": tuple(values["classes"])})


class _NoFirstWeights(TorchFunctionMode):
    """Leaves normal draws out: on the meta device they draw nothing, but import half of torch's compiler (2 s)."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func is torch.Tensor.normal_ else func(*args, **(kwargs or {}))


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A card, its tensors in float32 (``features.*``, ``head.*``, ``domain.*``) and, once on disk, its folder."""

    card: Card
    state: dict[str, torch.Tensor]
    path: Path | None = None

    @cached_property
    def weights(self) -> str:
        """SHA-256 hex of the tensors, by name, as they are in memory: equal for a checkpoint and its copy on disk."""
        parts = {name: value.numpy(force=True) for name, value in as_stored(self.state).items()}
        return identity.key("weights", tensors=parts)

    def network(self) -> Network:
        """The network with these weights, in evaluation mode and without gradients.

        Raises:
            CheckpointError: the tensors do not fit the network that the card names.
        """
        with torch.device("meta"), _NoFirstWeights():
            network = build(self.card.network, len(self.card.classes))
        own = network.state_dict()
        weights = {key: value for key, value in self.state.items() if not key.startswith(DOMAIN)}
        wrong = sorted(own.keys() ^ weights.keys())
        wrong += [key for key in own.keys() & weights.keys() if own[key].shape != weights[key].shape]
        if wrong:
            where = self.path or self.card.name
            came = (
                f"the weights of {where} do not fit {self.card.network}: {len(wrong)} tensors differ, e.g. {wrong[0]}"
            )
            raise CheckpointError(
                came, remedy="Train it again, or restore its model.safetensors and card.json together"
            )
        network.load_state_dict(weights, assign=True)
        network.to(memory_format=torch.channels_last)  # a quarter faster
        return network.eval().requires_grad_(False)

    @property
    def domain(self) -> dict[str, torch.Tensor]:
        """The in-domain gate's tensors, without their prefix."""
        return {key.removeprefix(DOMAIN): value for key, value in self.state.items() if key.startswith(DOMAIN)}


def save(checkpoint: Checkpoint, folder: str | Path) -> Path:
    """Write the checkpoint: both files are complete before either takes its place, so a failure leaves the old ones."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(checkpoint.card.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    with replacing(folder / CARD) as card, replacing(folder / WEIGHTS) as weights:  # the inner one is replaced first
        save_file({key: _on_disk(key, value) for key, value in checkpoint.state.items()}, weights)
        card.write_text(text + "\n", encoding="utf-8")
    return folder


def load(source: str | Path) -> Checkpoint:
    """A checkpoint by folder or by name (looked up in ``weights/``, then in ``$HILUM_WEIGHTS``).

    Raises:
        CheckpointError: it is missing, incomplete or damaged.
    """
    folder = _find(source)
    for name in (CARD, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} has no {name}", f"a checkpoint folder with {CARD} and {WEIGHTS}")
    try:
        card = Card.from_dict(json.loads((folder / CARD).read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, HilumError) as error:
        raise CheckpointError(f"{folder / CARD} is damaged ({error!r})", "the card as training wrote it") from error
    try:
        state = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError) as error:
        remedy = "Copy the file again, or train the model again"
        raise CheckpointError(f"{folder / WEIGHTS} is damaged ({error})", "a safetensors file", remedy) from error
    card = replace(card, name=folder.resolve().name)  # a copied folder is a model of its own
    return Checkpoint(card, {key: _in_memory(value) for key, value in state.items()}, folder)


def as_stored(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The tensors as they come back from a file: float32, rounded to half precision where the file keeps them so."""
    return {key: _in_memory(_on_disk(key, value)) for key, value in state.items()}


def available() -> list[Path]:
    """Folders of all whole classifiers in ``weights/`` and ``$HILUM_WEIGHTS``, by name; other networks are left out."""
    found = {card.parent.name: card.parent for room in reversed(_rooms()) for card in room.glob(f"*/{CARD}")}
    whole = [found[name] for name in sorted(found) if (found[name] / WEIGHTS).is_file()]
    return [folder for folder in whole if b'"preprocess"' in (folder / CARD).read_bytes()]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of ``path`` at the end, or vanishes on an error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.chmod(0o644)  # safetensors would leave it to its owner alone
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _on_disk(key: str, value: torch.Tensor) -> torch.Tensor:
    """Kernels and matrices in half precision; vectors (norms, biases) and the domain's statistics in full."""
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point() or value.ndim < 2 or key.startswith(DOMAIN):
        return value
    half = value.half()
    if not half.isfinite().all():
        came = f"the weights {key} are not all numbers below 65,504, the most that half precision can say"
        raise CheckpointError(came, remedy="Train again with a lower training.learning_rate or more weight_decay")
    return half


def _in_memory(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def _rooms() -> list[Path]:
    extra = os.environ.get("HILUM_WEIGHTS")
    return [Path(__file__).resolve().parents[2] / "weights", *([Path(extra)] if extra else [])]


def _find(source: str | Path) -> Path:
    folders = [Path(source), *(room / source for room in _rooms())]
    if there := [folder for folder in folders if folder.is_dir()]:
        # A folder that happens to have a model's name, as the clone of this repository does, does not hide the model.
        return next((folder for folder in there if (folder / CARD).is_file()), there[0])
    names = ", ".join(folder.name for folder in available()) or "none yet"
    raise CheckpointError(
        f"there is no checkpoint {str(source)!r}", f"a checkpoint folder or one of these names: {names}"
    )
