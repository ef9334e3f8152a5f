"""How ``weights/lungs`` was made: ``python -m core.lungs.train --out weights/lungs`` makes it again.

Notable choices:
- Two public sources of masks and drawn films; a fifth of each is held out by patient, chosen by a hash of the
  patient's number, so that no list has to be kept.
- Strong augmentation (``lungs_augment``), and a few pictures in each batch that are not chest films.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from core.atomic import replacing, write_whole
from core.data.cohort import Cohort
from core.data.readers import data_root, open_cohort
from core.intervals import of_mean
from core.lungs.augment import move, no_chest, shade
from core.lungs.segment import CHANNELS, EXTENTS, SIZE, LungFinder, habit_features, network, squash, standardise

HELD_OUT = 5  # one patient in five
BATCH = 16
NO_CHEST = 0.06  # share of a batch that is not a chest film
HABIT_WEIGHT = 0.1  # of telling the sources' habits apart, beside finding the lungs
WHOLE = ("covid-chestxray",)  # layouts whose masks go on behind heart and diaphragm
LEARNING_RATE, DECAY = 2e-3, 1e-4


@dataclass(frozen=True, eq=False)
class Pairs:
    """Films and masks of one source: uint8 ``(N, SIZE, SIZE)`` and bool alike, and which are held out ``(N,)``.

    ``extent`` is the source's habit: 0 = its masks stop at the heart, 1 = they go on behind heart and diaphragm.
    """

    name: str
    films: np.ndarray
    masks: np.ndarray
    held_out: np.ndarray
    extent: int


def held_out(patient: str) -> bool:
    """Whether this patient is in the held-out fifth: a fixed property of the number itself."""
    return int(hashlib.sha256(patient.encode()).hexdigest(), 16) % HELD_OUT == 0


def pairs(cohort: Cohort) -> Pairs:
    """Read the frontal films of a cohort that have a lung mask, squashed to the network's frame."""
    rows = [i for i, path in enumerate(cohort.samples["lungs"]) if path]
    films = np.stack([squash(cohort.film(i).pixels) for i in rows])
    masks = np.stack([squash(_mask(cohort, i).astype(np.float32)) > 0.5 for i in rows])
    out = np.array([held_out(patient) for patient in cohort.samples["patient"].iloc[rows]])
    return Pairs(cohort.name, films, masks, out, EXTENTS.index("whole" if cohort.layout in WHOLE else "visible"))


def _mask(cohort: Cohort, row: int) -> np.ndarray:
    mask = cohort.mask(row, "lungs")
    assert mask is not None
    return mask


def batches(sources: list[Pairs], generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """One augmented epoch: standardised films and masks, float ``(B, 1, SIZE, SIZE)``, and extents ``(B,)``."""
    films = torch.from_numpy(np.concatenate([source.films[~source.held_out] for source in sources]))[:, None]
    masks = torch.from_numpy(np.concatenate([source.masks[~source.held_out] for source in sources]))[:, None]
    extents = torch.cat([torch.full((int((~source.held_out).sum()),), source.extent) for source in sources])
    for rows in torch.randperm(len(films), generator=generator).split(BATCH):
        strength = torch.rand(len(rows), 1, 1, 1, generator=generator)
        film, mask = move(films[rows].float() / 255, masks[rows].float(), strength, generator)
        film = shade(film, mask, strength, generator)
        for i in range(len(rows)):
            if torch.rand((), generator=generator) < NO_CHEST:
                film[i], mask[i] = no_chest(film[i], generator), 0.0
        yield standardise(film), (mask > 0.5).float(), extents[rows]


def train(sources: list[Pairs], epochs: int, seed: int = 0) -> dict[str, Tensor]:
    """Train from nothing; returns the state in half precision."""
    from monai.losses.dice import DiceCELoss  # of requirements-dev.txt: whoever only looks for lungs needs none of it

    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = network().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    overlap = DiceCELoss(sigmoid=True, batch=True)
    for epoch in range(epochs):
        started, losses = time.perf_counter(), []
        for films, masks, extents in batches(sources, generator):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(films.contiguous(memory_format=torch.channels_last))
            loss = _loss(logits.float(), masks, extents, overlap)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        schedule.step()
        print(
            f"epoch {epoch + 1}/{epochs}  loss {np.mean(losses):.4f}  {time.perf_counter() - started:.1f} s", flush=True
        )
    return {name: value.half().contiguous() for name, value in model.state_dict().items()}


def _loss(logits: Tensor, masks: Tensor, extents: Tensor, overlap: nn.Module) -> Tensor:
    """Each film teaches the channel of its source's habit, and the last channel which habit that is."""
    taught = logits[torch.arange(len(logits)), extents][:, None]
    told = F.binary_cross_entropy_with_logits(logits[:, -1].mean((1, 2)), extents.float())
    loss: Tensor = overlap(taught, masks) + HABIT_WEIGHT * told
    return loss


def habit(state: dict[str, Tensor], sources: list[Pairs]) -> dict[str, Tensor]:
    """Fit the regression that tells which extent a film's source would draw, on the training films; its two tensors."""
    from sklearn.linear_model import LogisticRegression

    model = network().eval()
    model.load_state_dict({name: value.float() for name, value in state.items()})
    films = np.concatenate([source.films[~source.held_out] for source in sources])
    extents = np.concatenate([np.full((~source.held_out).sum(), source.extent) for source in sources])
    with torch.no_grad():
        parts = torch.from_numpy(films.astype(np.float32))[:, None].split(BATCH)
        channel = torch.cat([model(standardise(part))[:, -1] for part in parts]).numpy()
    features = np.stack([habit_features(*pair) for pair in zip(films, channel, strict=True)])
    mean, scale = features.mean(0), features.std(0)
    fitted = LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000).fit((features - mean) / scale, extents)
    weight = fitted.coef_[0] / scale
    bias = fitted.intercept_ - weight @ mean
    return {"habit.weight": torch.tensor(weight).float(), "habit.bias": torch.tensor(bias).float()}


def dice(found: np.ndarray, true: np.ndarray) -> float:
    """Twice the overlap of two masks over the sum of their areas; two empty masks agree."""
    total = int(found.sum()) + int(true.sum())
    return 2.0 * int((found & true).sum()) / total if total else 1.0


def measure(finder: LungFinder, cohort: Cohort) -> dict[str, float]:
    """Mean Dice in the films' own frame on the held-out fifth, its 95 % interval (bootstrap by patient), and speed."""
    patients, scores, seconds = [], [], []
    for i, (mask, patient) in enumerate(zip(cohort.samples["lungs"], cohort.samples["patient"], strict=True)):
        if not mask or not held_out(patient):
            continue
        film = cohort.film(i)
        started = time.perf_counter()
        lungs = finder.find(film)
        seconds.append(time.perf_counter() - started)
        scores.append(dice(lungs.mask, _mask(cohort, i)))
        patients.append(patient)
    low, high = of_mean(np.array(scores), np.array(patients), share=True)
    return {
        "films": len(scores),
        "patients": len(set(patients)),
        "dice": round(float(np.mean(scores)), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "worst": round(min(scores), 4),
        "milliseconds_a_film": round(1000 * float(np.median(seconds)), 1),
    }


def save(folder: Path, state: dict[str, Tensor], card: dict[str, Any]) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "model.safetensors") as part:
        save_file(state, part)
    write_whole(folder / "card.json", json.dumps(card, indent=1, ensure_ascii=False) + "\n")


def card_of(metrics: dict[str, dict[str, float]], sources: list[Pairs], epochs: int) -> dict[str, Any]:
    """What the card says of these weights, beside the measured figures."""
    return {
        "name": "lungs",
        "title": "Lung fields of a frontal chest film",
        "network": "core.lungs.unet.UNet",
        "channels": list(CHANNELS),
        "size": SIZE,
        "parameters": sum(parameter.numel() for parameter in network().parameters()),
        "epochs": epochs,
        "trained_on": {source.name: int((~source.held_out).sum()) for source in sources},
        "held_out": metrics,
        "interval": "95 %, bootstrap by patient",
        "made_by": "python -m core.lungs.train",
        "licence": "The weights, like Hilum; the films and masks they learned from keep their own licences.",
        "intended_use": "Research and teaching: where on a frontal chest film the lung fields are.",
        "limitations": [
            "Montgomery, Shenzhen and drawn masks stop at the heart; covid-chestxray masks go on behind heart and "
            "diaphragm. Both extents are found; `mask` is the one whose sources the film looks like, which may change "
            "with its exposure; `visible` is always the first.",
            "No masks of children's films were available; lateral films are not meant.",
        ],
    }


def cohorts(phantoms: int) -> list[Cohort]:
    """The two public sources, and as many drawn films as asked for."""
    root = data_root()
    real = [open_cohort(root / "montgomery-shenzhen"), open_cohort(root / "covid-chestxray-dataset")]
    drawn = [open_cohort("phantom:fair")] if phantoms else []
    return [*real, *(cohort.take(range(min(phantoms, len(cohort)))) for cohort in drawn)]


def main() -> None:
    """Train, measure on the held-out fifths, save."""
    parser = argparse.ArgumentParser(description="Train the lung finder and write its weights and card.")
    parser.add_argument("--out", type=Path, required=True, help="folder for model.safetensors and card.json")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--phantoms", type=int, default=150, help="drawn films to learn from and to be judged on")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # batches this small lose more to waiting threads than they win
    chosen = cohorts(arguments.phantoms)
    sources = [pairs(cohort) for cohort in chosen]
    state = train(sources, arguments.epochs)
    state |= habit(state, sources)
    save(arguments.out, state, card_of({}, sources, arguments.epochs))
    finder = LungFinder(arguments.out)
    metrics = {cohort.name: measure(finder, cohort) for cohort in chosen}
    save(arguments.out, state, card_of(metrics, sources, arguments.epochs))
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
