"""What a training run leaves after each epoch, so that it goes on after a kill as if nothing had happened.

Random numbers need no saving: each epoch's follow from the seed and its number (`films.batches`, `training.fit`).
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from core.atomic import replacing
from core.errors import CheckpointError

FILE = "state.pt"


@dataclass
class State:
    """A run after its last finished epoch."""

    run: str  # fingerprint of recipe and films, see `run_fingerprint`
    history: list[dict[str, Any]] = field(default_factory=list)  # one dict per finished epoch
    network: dict[str, torch.Tensor] = field(default_factory=dict)
    optimiser: dict[str, Any] = field(default_factory=dict)
    mean: dict[str, torch.Tensor] = field(default_factory=dict)  # the running mean of the weights, if any
    best: dict[str, torch.Tensor] = field(default_factory=dict)  # the network of the best epoch
    best_epoch: int = 0  # 1-based; 0 = none yet
    finished: bool = False  # all epochs done, or stopped early


def run_fingerprint(recipe_fingerprint: str, cohort_fingerprint: str) -> str:
    """SHA-256 hex that tells one run from another."""
    return hashlib.sha256(f"{recipe_fingerprint} {cohort_fingerprint}".encode()).hexdigest()


def films_path(folder: Path, run: str) -> Path:
    """Where a run keeps its decoded films until it is finished."""
    return folder / f"films-{run[:12]}.npy"


def save(state: State, folder: Path) -> None:
    """Write the state in one piece: a kill leaves the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / FILE) as temporary:
        torch.save(vars(state), temporary)


def load(folder: Path, run: str) -> State:
    """The state of this run in ``folder``, or a fresh one.

    Raises:
        CheckpointError: the folder holds another run's state, or a damaged one.
    """
    path = folder / FILE
    if not path.is_file():
        return State(run)
    try:
        state = State(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(f"{path} is damaged ({error})", remedy="Delete it to start this run again") from error
    if state.run != run:
        came = f"{folder} holds a run with another recipe or other films"
        raise CheckpointError(came, remedy=f"Choose another folder with --out, or delete {path.name} there")
    return state
