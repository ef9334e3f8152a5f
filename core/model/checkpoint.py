"""A trained model as two readable files: ``model.safetensors`` and ``card.json``. Never a pickle.

Kernels are kept in half precision, those of models from outside in full.

The card is written last: a folder with a card is a whole checkpoint. Tensors of the in-domain gate live in the same
safetensors file under ``domain.*``; ``evaluation.parquet`` beside it holds the predictions on films that the weights
never learned from, ``taught.parquet`` the films that they learned from without a label, if any.
"""

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

from core import identity
from core.atomic import replacing
from core.errors import CheckpointError, RecipeError
from core.lazy import cached_property
from core.model import card as cards_from_outside
from core.model.card import Card
from core.networks.network import Network
from core.networks.sources import WAYS
from core.networks.zoo import NETWORKS, build, is_known

WEIGHTS, CARD, EVALUATION = "model.safetensors", "card.json", "evaluation.parquet"
TAUGHT = "taught.parquet"  # films without a label that the weights learned from, where there are any
DOMAIN = "domain."


class _NoFirstWeights(TorchFunctionMode):
    """Leaves draws out: on the meta device they draw nothing, but import half of torch's compiler (2 s)."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return args[0] if func in _DRAWS else func(*args, **(kwargs or {}))


_DRAWS = (torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.erfinv_)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A card, its tensors in float32 (``features.*``, ``head.*``, ``domain.*``) and, once on disk, its folder."""

    card: Card
    state: dict[str, torch.Tensor]
    path: Path | None = None

    @cached_property
    def weights(self) -> str:
        """SHA-256 hex of the tensors, by name, as they are in memory: equal for a checkpoint and its copy on disk."""
        stored = as_stored(self.state, self.exact)
        parts = {name: value.numpy(force=True) for name, value in stored.items()}
        return identity.key("weights", tensors=parts)

    def network(self) -> Network:
        """The network with these weights, in evaluation mode and without gradients.

        Raises:
            CheckpointError: the tensors do not fit the network that the card names.
        """
        try:
            network = self._untrained("meta")
        except RecipeError:  # torchvision's RegNet reads numbers while it is built
            network = self._untrained("cpu")
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
        if any(buffer.is_meta for name, buffer in network.named_buffers() if name not in own):
            network = self._untrained("cpu")  # tables that no file keeps, such as Swin's, have to be worked out
        network.load_state_dict(weights, assign=True)
        network.to(memory_format=torch.channels_last)  # a quarter faster
        return network.eval().requires_grad_(False)

    def _untrained(self, device: str) -> Network:
        card, look = self.card, self.card.preprocess
        with _NoFirstWeights(), torch.device(device):
            return build(
                card.network, len(card.classes), channels=look.channels, size=look.size, config=card.network_config
            )

    @property
    def exact(self) -> bool:
        """Whether kernels are kept in full precision: a model from outside answers as it did there."""
        return self.card.precision.get("stored") == "float32"

    @property
    def domain(self) -> dict[str, torch.Tensor]:
        """The in-domain gate's tensors, without their prefix."""
        return {key.removeprefix(DOMAIN): value for key, value in self.state.items() if key.startswith(DOMAIN)}


def save(checkpoint: Checkpoint, folder: str | Path) -> Path:
    """Write the checkpoint: both files are complete before either takes its place, so a failure leaves the old ones."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / CARD) as card, replacing(folder / WEIGHTS) as weights:  # the inner one is replaced first
        save_file({key: _on_disk(key, value, checkpoint.exact) for key, value in checkpoint.state.items()}, weights)
        written = replace(checkpoint.card, weights_sha256=identity.of_file(weights))
        text = json.dumps(written.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        card.write_text(text + "\n", encoding="utf-8")
    return folder


def load(source: str | Path) -> Checkpoint:
    """A checkpoint by folder or by name (looked up in ``weights/``, then in ``$HILUM_WEIGHTS``).

    Raises:
        CheckpointError: it is missing, incomplete or damaged.
    """
    folder = find(source)
    for name in (CARD, WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} has no {name}", f"a checkpoint folder with {CARD} and {WEIGHTS}")
    card = read_card(folder)
    try:
        state = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, ValueError) as error:
        remedy = "Copy the file again, or train the model again"
        raise CheckpointError(f"{folder / WEIGHTS} is damaged ({error})", "a safetensors file", remedy) from error
    if card.weights_sha256 and identity.of_file(folder / WEIGHTS) != card.weights_sha256:
        came = f"{folder / WEIGHTS} is not the file that {CARD} beside it was written for"
        raise CheckpointError(came, "a card and its own weights", "Copy both files again, from the same folder")
    if infinite := [key for key, value in state.items() if value.is_floating_point() and not value.isfinite().all()]:
        came = f"{folder / WEIGHTS} holds values that are not finite, e.g. in {infinite[0]}"
        raise CheckpointError(came, "finite weights", "Train the model again, or copy the file again")
    card = replace(card, name=folder.resolve().name)  # a copied folder is a model of its own
    return Checkpoint(card, {key: _in_memory(value) for key, value in state.items()}, folder)


def as_stored(state: dict[str, torch.Tensor], exact: bool = False) -> dict[str, torch.Tensor]:
    """The tensors as they come back from a file: float32, rounded to half precision unless it keeps them ``exact``."""
    return {key: _in_memory(_on_disk(key, value, exact)) for key, value in state.items()}


def available() -> list[Path]:
    """Folders of all classifiers in ``weights/`` and ``$HILUM_WEIGHTS`` whose card can be relied on, by name."""
    cards, _ = catalogue()
    return [folder for folder in candidates() if folder.name in cards]


def folders() -> list[Path]:
    """Folders with a card and weights, by name, whatever is in them."""
    found = {card.parent.name: card.parent for room in reversed(rooms()) for card in room.glob(f"*/{CARD}")}
    return [found[name] for name in sorted(found) if (found[name] / WEIGHTS).is_file()]


def candidates() -> list[Path]:
    """The ``folders`` whose card speaks of a classifier, or cannot be read; networks of other kinds are left out."""
    return [folder for folder in folders() if not _is_another_network(folder / CARD)]


def catalogue() -> tuple[dict[str, Card], dict[str, str]]:
    """All ``candidates`` by folder name: the cards that can be relied on, and why the others cannot."""
    cards, refused = {}, {}
    for folder in candidates():
        try:
            cards[folder.name] = replace(read_card(folder), name=folder.name)
        except CheckpointError as error:
            refused[folder.name] = str(error)
    return cards, refused


def read_card(folder: Path) -> Card:
    """The card in a checkpoint's folder; CheckpointError where it cannot be relied on."""
    card = cards_from_outside.read(folder / CARD)
    if not is_known(card.network):
        known = f"one of {', '.join(NETWORKS)}, or {WAYS}"
        raise CheckpointError(f"{folder / CARD} asks for the network {card.network!r}", known)
    return card


def _is_another_network(card: Path) -> bool:
    """Whether a card is whole and speaks of no classifier: the lung finder's, for one."""
    try:
        values = json.loads(card.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(values, dict) and not {"preprocess", "classes"} & values.keys()


def _on_disk(key: str, value: torch.Tensor, exact: bool) -> torch.Tensor:
    """Kernels and matrices in half precision; vectors (norms, biases) and the domain's statistics in full."""
    value = value.detach().cpu().contiguous()
    if exact or not value.is_floating_point() or value.ndim < 2 or key.startswith(DOMAIN):
        return value
    half = value.half()
    if not half.isfinite().all():
        came = f"the weights {key} are not all numbers below 65,504, the most that half precision can say"
        raise CheckpointError(came, remedy="Train again with a lower training.learning_rate or more weight_decay")
    return half


def _in_memory(value: torch.Tensor) -> torch.Tensor:
    return value.float() if value.is_floating_point() else value


def rooms() -> list[Path]:
    """Where checkpoints are looked for by name: ``weights/``, then ``$HILUM_WEIGHTS``."""
    extra = os.environ.get("HILUM_WEIGHTS")
    return [identity.HOUSE.parent / "weights", *([Path(extra)] if extra else [])]


def find(source: str | Path) -> Path:
    """The folder of a checkpoint by path or by name (looked up as by ``load``); CheckpointError where there is none."""
    folders = [Path(source), *(room / source for room in rooms())]
    if there := [folder for folder in folders if folder.is_dir()]:
        # A folder that happens to have a model's name, as the clone of this repository does, does not hide the model.
        return next((folder for folder in there if (folder / CARD).is_file()), there[0])
    names = ", ".join(folder.name for folder in available()) or "none yet"
    raise CheckpointError(
        f"there is no checkpoint {str(source)!r}", f"a checkpoint folder or one of these names: {names}"
    )
