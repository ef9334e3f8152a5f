"""The end of a training run: its best epoch becomes a checkpoint that knows its own limits.

Everything here is measured on the weights as they are stored (half precision), because those are what will serve.
"""

import platform
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torchvision

from core import device as devices
from core.atomic import replacing
from core.data import findings
from core.data.cohort import SPLITS, Cohort
from core.data.film_id import CONTENT
from core.data.notes import note_without_names
from core.data.progress import Progress
from core.errors import CheckpointError
from core.evaluate import card_figures
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.met import WHICH
from core.evaluate.operating import of_card
from core.model import output as outputs
from core.model.bulk import precision
from core.model.card import Card
from core.model.checkpoint import DOMAIN, EVALUATION, TAUGHT, Checkpoint, as_stored, load, save
from core.model.classifier import Classifier
from core.training import kept_films
from core.training import state as states
from core.training.domain import fit as domain_fit
from core.training.films import Films
from core.training.recipe import Recipe
from core.training.run import Run

LICENCE = "Weights: CC BY-NC 4.0, for research and teaching. The films they learned from keep their own licences."
INTENDED_USE = "Research and teaching on frontal chest radiographs. Not a medical device; not for diagnosis."
LIMITATIONS = "Judged on films of its own sources; figures on films of other hospitals are usually lower."
KEPT = ["film_id", "path", "label", "patient", "source", "view", "age", "sex", "split"]  # columns of evaluation.parquet
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")  # of batch norms: no parameters


def finish(run: Run) -> Checkpoint:
    """Turn a run into a checkpoint in its folder: calibrated, judged on test films, with its in-domain gate.

    Args:
        run: from `run.begin`, trained by `fit.fit`.

    Raises:
        CheckpointError: the folder has no finished epoch of this run.
    """
    folder, divided, device, progress = run.folder, run.divided, run.device, run.progress
    state = run.state()
    if not state.best_epoch:
        raise CheckpointError(f"{folder} has no finished epoch", "a run of training.fit")
    stored = Checkpoint(_card(folder.resolve().name, divided, run.recipe, state, device), as_stored(state.best))
    films = run.films(begun=True)
    card, table = calibrated(stored.card, _score(stored, divided, films, device, progress))
    with replacing(folder / EVALUATION) as temporary:
        table.to_parquet(temporary, index=False)
    if run.lesson:
        with replacing(folder / TAUGHT) as temporary:
            _learned_unlabelled(run).to_parquet(temporary, index=False)
    limits, gate = _gate(run, stored, films)
    progress("learning what bulk scoring may round", 0, 1)
    held_out = films.pictures[torch.from_numpy(np.flatnonzero(divided.samples["split"] == "validation"))].numpy()
    model = Classifier(Checkpoint(card, stored.state), "torch")
    found = precision.measure(model.network, model.preprocess, model.probabilities, held_out)
    save(Checkpoint(replace(card, domain=limits, precision=found), {**stored.state, **gate}), folder)
    del films  # Windows removes no file that is still mapped
    for path in (run.films_path, run.taught_path, run.answers_path):
        kept_films.remove(path)
    return load(folder)


def _learned_unlabelled(run: Run) -> pd.DataFrame:
    """The films of the run's lesson, by which they are known again; their labels were not asked."""
    assert run.lesson is not None
    table = run.lesson.films.samples[list(WHICH)].copy()
    table["path"] = [Path(path).name for path in table["path"]]
    contents = run.taught(begun=True).contents
    return table.assign(**{CONTENT: contents}) if contents else table


def calibrated(
    card: Card, table: pd.DataFrame, sources: np.ndarray | None = None, offsets: bool = False
) -> tuple[Card, pd.DataFrame]:
    """The card with calibration, thresholds and sets (from validation films) and metrics (of test films).

    Args:
        card: its classes name the columns.
        table: label, split, and logit_<class> for every class.
        sources: (N,), by which each class of each source weighs the same; None: each film does.
        offsets: exclusive classes get an offset each beside the temperature.

    Returns:
        The card, and the table with a calibrated p_<class> for every class.
    """
    logits = table[[f"logit_{name}" for name in card.classes]].to_numpy(np.float64)
    output = outputs.of_card(card)
    targets = output.targets(table)
    chosen = (table["split"] == "validation").to_numpy()
    output = output.fitted(logits[chosen], targets[chosen], None if sources is None else sources[chosen], offsets)
    p = output.probabilities(logits)
    metrics = {**card.metrics, "validation_accuracy": _accuracy(p[chosen], targets[chosen])}
    card = replace(card, **output.to_card(), metrics=metrics)
    columns = pd.DataFrame(p, table.index, [f"p_{name}" for name in card.classes])
    judged = p.astype(np.float64)
    if output.exclusive:
        films = Evaluation(card.classes, targets, judged, table, logits, card.name, of_card(card))
        card = card_figures.of_own_films(card, films)
    else:
        told = FindingsEvaluation(card.classes, targets, judged, table, card.thresholds, logits, card.name)
        card = card_figures.of_own_findings(card, told)
    return card, pd.concat([table, columns], axis=1)


def _accuracy(p: np.ndarray, targets: np.ndarray) -> float:
    """The share of films whose likeliest class is theirs, or of known findings on the right side of a half."""
    if targets.ndim == 1:
        return float((p.argmax(1) == targets).mean())
    known = ~np.isnan(targets)
    return float(((p >= 0.5) == (targets >= 0.5))[known].mean())


def _score(
    checkpoint: Checkpoint, divided: Cohort, films: Films, device: str | None, progress: Progress
) -> pd.DataFrame:
    """Every film: its row with logit_<class>, computed in float32."""
    where = devices.pick(device)
    network, preprocess = checkpoint.network().to(where), checkpoint.card.preprocess
    logits: list[torch.Tensor] = []
    with torch.inference_mode():
        for pictures in films.pictures.split(64):
            logits.append(network(preprocess.tensor(pictures.to(where))).cpu())
            progress("judging films", sum(map(len, logits)), len(films))
    table = divided.samples[[*KEPT, *map(findings.column, divided.findings)]].copy()
    table["path"] = [Path(path).name for path in table["path"]]
    if films.contents:
        table[CONTENT] = films.contents
    columns = [f"logit_{name}" for name in checkpoint.card.classes]
    return pd.concat([table, pd.DataFrame(torch.cat(logits).numpy(), table.index, columns)], axis=1)


def _gate(run: Run, checkpoint: Checkpoint, films: Films) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The in-domain check of films as the network was shown them: what the card keeps of it, and its tensors."""
    run.progress("learning which films are known", 0, 1)
    splits = run.divided.samples["split"].to_numpy()
    train = run.shown(films.where(splits == "train"), 1).pictures.numpy()
    validation = films.pictures.numpy()[splits == "validation"]
    limits, tensors = domain_fit.fit(checkpoint.network(), checkpoint.card.preprocess, train, validation)
    return limits, {DOMAIN + name: value for name, value in tensors.items()}


def _card(name: str, divided: Cohort, recipe: Recipe, state: states.State, device: str | None) -> Card:
    """All that is known before the films are judged."""
    counts = counts_by_split(divided)
    kept = replace(recipe, network=replace(recipe.network, weights=Path(recipe.network.weights).name))  # no folders
    return Card(
        name=name,
        title=recipe.title,
        classes=recipe.classes,
        network=recipe.network.name,
        output=recipe.output,
        preprocess=recipe.preprocess,
        recipe=kept.to_dict(),
        parameters=sum(v.numel() for k, v in state.best.items() if not k.endswith(BUFFERS)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        data={
            "name": divided.name,
            "fingerprint": divided.fingerprint,
            "layout": divided.layout,
            "splits": counts,
            "sources": divided.samples["source"].value_counts().astype(int).to_dict(),
            "notes": [note_without_names(note) for note in divided.notes],  # a card is passed on
        },
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
            "processor": devices.describe(devices.pick(device)),
        },
        history=[{**row, "chosen": row["epoch"] == state.best_epoch} for row in state.history],
        published=dict(recipe.published),
        licence=LICENCE,
        intended_use=INTENDED_USE,
        limitations=recipe.limitations or LIMITATIONS,
    )


def counts_by_split(divided: Cohort) -> dict[str, dict[str, int]]:
    """Films of each class, or that show each finding, by split."""
    if not divided.findings:
        counts = divided.counts()
        return {str(split): _plain(counts[split]) for split in counts}
    parts = {split: divided.split(split).samples for split in SPLITS if (divided.samples["split"] == split).any()}
    return {split: _plain(findings.counts(part)["present"]) for split, part in parts.items()}


def _plain(counts: "pd.Series[Any]") -> dict[str, int]:
    return {str(name): int(films) for name, films in counts.items()}
