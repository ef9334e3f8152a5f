"""Small networks that learned from drawn films with a planted shortcut, in memory: what `shortcuts` and `mend` judge.

Each is a seed, a kind, a strength and the recipe `phantom_battery`: trained anew in a minute, and kept under runs/ for
as long as its recipe stays the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from core import identity
from core.atomic import replacing
from core.data.cohort import Cohort
from core.data.phantom import draw
from core.data.phantom.cohort import MAKER, cohort, prepare
from core.data.phantom.shortcuts import Planted
from core.model.card import Card
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.networks.zoo import build
from core.training import recipe as recipes
from core.training.films import Films, batches
from core.training.recipe import Recipe
from core.training.schedule import Steps
from core.transform.augment import Augment

KEPT = Path("runs/battery")
HELD_BACK = ("validation", "test")  # splits that a network of the battery never sees
# Strengths of one kind share all films but those that carry the shortcut at one of them alone: 30 kB each at 96 px.
_MEMORY = replace(MAKER, make=partial(prepare, drawer=lru_cache(maxsize=5000)(draw)))


@dataclass(frozen=True, eq=False)
class Battery:
    """One network with its films.

    Args:
        taught: films that it learned from; held: others of the same hospital; elsewhere: films of which as many carry
            the shortcut, whatever their class.
    """

    model: Classifier
    taught: Cohort
    held: Cohort
    elsewhere: Cohort


def trained(kind: Planted, strength: float, seed: int, films: int, epochs: int | None = None) -> Battery:
    """A network that learned from ``films`` drawn films of which some carry a shortcut."""
    recipe = recipes.load("phantom_battery")
    training = replace(recipe.training, seed=seed, epochs=epochs or recipe.training.epochs)
    recipe = replace(recipe, training=training)
    size = recipe.preprocess.size
    home = replace(cohort(kind, films, seed, strength, size), prepare=_MEMORY)
    taught = home.split("train")
    held = home.where(home.samples["split"].isin(HELD_BACK))
    away = replace(cohort(kind, max(films // 4 // 4 * 4, 8), seed + 1000, 0.0, size), prepare=_MEMORY)
    code = ("training", "networks", "data/phantom")
    made = identity.key("network of the battery", code=code, recipe=recipe.fingerprint, films=taught.key)
    file = KEPT / f"{identity.short(made)}.safetensors"
    if file.is_file():
        state = load_file(file)
    else:
        shown = pictures(recipe, taught)
        torch.manual_seed(seed)
        network = build(recipe.network.name, len(recipe.classes))
        state = fitted(network, recipe, lambda epoch: shown, taught.labels())
        file.parent.mkdir(parents=True, exist_ok=True)
        with replacing(file) as part:
            save_file(state, part)
    return Battery(classifier(recipe, state, f"{kind} {strength:g} {seed}"), taught, held, away)


def pictures(recipe: Recipe, films: Cohort) -> np.ndarray:
    """The films as the network sees them, uint8 (N, S, S)."""
    return np.stack([recipe.preprocess.picture(films.film(i), None) for i in range(len(films))])


def fitted(
    network: torch.nn.Module, recipe: Recipe, shown: Callable[[int], np.ndarray], labels: np.ndarray
) -> dict[str, torch.Tensor]:
    """The weights after the recipe's epochs, the last ones; as `training.fit` steps, without its bookkeeping.

    Args:
        shown: the films as an epoch (1-based) sees them, uint8 (N, S, S).
    """
    config = recipe.training
    optimiser = torch.optim.AdamW(network.parameters(), config.learning_rate, weight_decay=config.weight_decay)
    for epoch in range(1, config.epochs + 1):
        network.train()
        films = Films(torch.from_numpy(shown(epoch)), torch.tensor(labels))
        steps = Steps(config, len(films), epoch)
        for step, (some, told) in enumerate(batches(films, config, Augment(recipe.augment), epoch)):
            for group in optimiser.param_groups:
                group["lr"] = steps.rate(step)
            loss = functional.cross_entropy(network(recipe.preprocess.tensor(some)), told)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return {key: value.detach().clone() for key, value in network.state_dict().items()}


def classifier(recipe: Recipe, state: dict[str, torch.Tensor], name: str) -> Classifier:
    """The weights at work, without calibration or gate."""
    card = Card(
        name, name, recipe.classes, recipe.network.name, recipe.preprocess, recipe.to_dict(),
        sum(value.numel() for value in state.values()), datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    return Classifier(Checkpoint(card, state), "torch")


def accuracy(model: Classifier, films: Cohort, shown: np.ndarray | None = None) -> float:
    """Share of films called right, 0 to 1."""
    seen = np.stack([model.picture(films.film(i)) for i in range(len(films))]) if shown is None else shown
    return float((model.predict_pictures(seen)[1].argmax(1) == films.labels()).mean())


def first_alarms(clean: Sequence[float]) -> float:
    """The score above which at most one clean network of twenty raises an alarm."""
    return float(np.quantile(clean, 0.95, method="higher")) if len(clean) else float("nan")


def read(path: Path, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a CSV that a benchmark of the battery kept; none where it is not there."""
    rows = pd.read_csv(path, keep_default_na=False).to_dict("records") if path.is_file() else []
    if rows and (lacking := [name for name in columns if name not in rows[0]]):
        raise SystemExit(f"{path} has no {', '.join(lacking)}: name another file with --out")
    return [{str(key): value for key, value in row.items()} for row in rows]


def keep(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write the rows, all or nothing: a benchmark that is killed goes on from there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        pd.DataFrame(rows).to_csv(part, index=False)
