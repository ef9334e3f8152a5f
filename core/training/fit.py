"""Recipe x Cohort -> epochs: a generator, so that the command line and a page show the same progress.

Notable choices: films are decoded once to uint8 and augmented in batches while the network learns; bf16 and
channels-last where the processor gains from them; the learning rate is a pure function of the step, and all random
numbers follow from (seed, epoch), so that a run killed at any moment resumes from its last finished epoch, bit for bit
where sums keep their order (a CPU, as many threads).
"""

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from core import device as devices
from core.errors import RecipeError
from core.model import output as outputs
from core.model.output import Output
from core.networks.network import Network
from core.training import evidence_penalty, frozen_features, teachers
from core.training import state as states
from core.training.augmented_copies import with_copies
from core.training.films import Films, batches
from core.training.learner import Learner, start
from core.training.processes import ALONE, Processes
from core.training.run import Run
from core.training.running_mean import RunningMean
from core.training.schedule import Steps
from core.training.settings import TrainingConfig
from core.transform.augment import Augment
from core.transform.preprocess import Preprocess


@dataclass(frozen=True)
class Epoch:
    """One pass over the training films."""

    epoch: int  # 1-based
    stage: int  # 1-based stretch of the schedule; 1 unless the schedule has stages
    train_loss: float  # what is minimised: weighted and smoothed cross-entropy of augmented films, plus any penalty
    train_accuracy: float  # 0 to 1, of augmented films while the network changes
    validation_loss: float  # cross-entropy, unweighted, without label smoothing or penalty
    validation_accuracy: float  # 0 to 1
    learning_rate: float  # at the epoch's end
    seconds: float  # training and validation
    images_per_second: float  # training only
    best: bool  # the best epoch so far


def fit(run: Run) -> Iterator[Epoch]:
    """Train, yielding every epoch; those finished before a kill are yielded again first, at once.

    Args:
        run: from `run.begin`; `finish.finish` makes its checkpoint afterwards.

    Raises:
        CohortError: a film has changed since the run learned from it. CheckpointError: the folder holds another run.
        RecipeError: no such device or stage, or the training diverged.
    """
    recipe, config, progress, processes = run.recipe, run.recipe.training, run.progress, run.processes
    state = run.state()
    yield from (Epoch(**row) for row in state.history)
    if state.finished:
        return
    where = devices.pick(run.device)
    network, optimiser = start(recipe, state, where)
    outlines = evidence_penalty.read(run.divided.split("train"), recipe.preprocess) if config.outlines else None
    films = run.films(begun=bool(state.history))
    split = run.divided.samples["split"].to_numpy()
    training, validation = films.where(split == "train"), films.where(split == "validation")
    if outlines is not None:
        training = replace(training, outlines=outlines)
    if run.lesson:
        training = teachers.joined(
            run.lesson, training, run.taught(bool(state.history)), recipe, run.answers_path, where, progress
        )
    augment = Augment(recipe.augment)
    if config.augmented_copies:
        training = with_copies(training, config.augmented_copies, recipe.classes, augment, config.seed)
        augment = Augment(())
    learning = network
    if kept := frozen_features.usable(recipe) and not run.lesson:
        fixed, learning = frozen_features.head_alone(network)
        training, validation = (
            frozen_features.seen(fixed, part, recipe.preprocess, where, progress, f"frozen features, {name}")
            for name, part in (("training", run.shown(training, 1)), ("validation", validation))
        )
    mean = RunningMean(network, config.average, state.mean) if config.average else None
    output = outputs.new(recipe.output, recipe.classes)
    weights = output.weights(training.labels).to(where) if config.class_weights else None
    learner = Learner(learning, processes.together(learning), optimiser, mean)
    for epoch in range(len(state.history) + 1, config.epochs + 1):
        began = time.perf_counter()
        torch.manual_seed(config.seed * 100_003 + epoch + 7919 * processes.rank)  # dropout
        steps = Steps(config, len(training), epoch)
        shown = training if kept else run.shown(training, epoch)
        trained = _train(learner, output, weights, shown, run, augment, steps, where)
        spent = time.perf_counter() - began
        judged = judge(learner.judged, output, validation, recipe.preprocess, where, processes)
        if not math.isfinite(trained[0] + judged[0]):
            remedy = 'Lower training.learning_rate, or let it rise slowly with training.schedule = "onecycle"'
            raise RecipeError(f"training diverged: the loss of epoch {epoch} is not a number", remedy=remedy)
        row = Epoch(
            epoch=epoch,
            stage=steps.stage,
            train_loss=trained[0],
            train_accuracy=trained[1],
            validation_loss=judged[0],
            validation_accuracy=judged[1],
            learning_rate=optimiser.param_groups[0]["lr"],
            seconds=time.perf_counter() - began,
            images_per_second=len(training) / spent,
            best=_is_better(judged, state, config),
        )
        _remember(state, row, network, mean, optimiser, config)
        if processes.first:
            states.save(state, run.folder)
        yield row
        if state.finished:
            return


def judge(
    network: Network,
    output: Output,
    films: Films,
    preprocess: Preprocess,
    device: torch.device,
    processes: Processes = ALONE,
) -> tuple[float, float]:
    """Mean cross-entropy and share of right answers (0 to 1) over all known labels, without augmentation.

    Args:
        processes: this one among those that judge a part of the films each; all are told the same.
    """
    network.eval()
    total, right, known = 0.0, 0.0, 0.0
    part = processes.part(len(films))
    with torch.inference_mode(), devices.autocast(device):
        for pictures, labels in zip(films.pictures[part].split(64), films.labels[part].split(64), strict=True):
            if not len(labels):
                continue
            logits = network(to_input(pictures, preprocess, device)).float().cpu()
            cost, told = output.loss(logits, labels)
            total, right, known = total + cost.item(), right + output.right(logits, labels), known + told
    total, right, known = processes.summed(total, right, known)
    return total / max(known, 1), right / max(known, 1)


def to_input(pictures: torch.Tensor, preprocess: Preprocess, device: torch.device) -> torch.Tensor:
    """uint8 (B, S, S) -> float32 (B, 3, S, S) on the device, channels last; kept features pass as they are."""
    if pictures.dtype != torch.uint8:
        return pictures.to(device)
    return preprocess.tensor(pictures.to(device)).contiguous(memory_format=torch.channels_last)


def _train(
    learner: Learner,
    output: Output,
    weights: torch.Tensor | None,
    films: Films,
    run: Run,
    augment: Augment,
    steps: Steps,
    device: torch.device,
) -> tuple[float, float]:
    """One epoch; mean loss and share of right answers over the known labels of the films as they were seen."""
    recipe, processes = run.recipe, run.processes
    learner.network.train()
    seen, known, total, right = 0, 0, torch.zeros((), device=device), 0
    served = batches(films, recipe.training, augment, steps.epoch, processes)
    for step, (pictures, labels, *masks) in enumerate(served):
        told_of = masks.pop().to(device) if films.said is not None else None  # of labelled films the label again
        for group in learner.optimiser.param_groups:
            group["lr"] = steps.rate(step)
        images, labels = to_input(pictures, recipe.preprocess, device), labels.to(device)
        if steps.epoch <= recipe.training.half_size_epochs:
            images = nn.functional.avg_pool2d(images, 2)
        with devices.autocast(device):
            map_, logits = learner.both(images)
        meant = labels if told_of is None else told_of
        summed, told = output.loss(logits.float(), meant, weights, recipe.training.label_smoothing)
        told, films_seen = (round(number) for number in processes.summed(told, len(labels)))
        cost = summed * processes.world / max(told, 1)  # gradients are averaged over the processes
        if masks:
            inside = [mask.to(device) for mask in masks]
            cost = cost + evidence_penalty.misplaced(learner.network, map_.float(), labels, inside, recipe.training)
        learner.step(cost)
        seen += films_seen
        total += cost.detach() * told
        right, known = right + output.right(logits, labels if told_of is None else told_of.argmax(1)), known + told
        run.progress(f"epoch {steps.epoch} of {recipe.training.epochs}", seen, len(films))
    whole, right_of_all = processes.summed(float(total), right)
    return whole / processes.world / max(known, 1), right_of_all / max(known, 1)


def _is_better(judged: tuple[float, float], state: states.State, config: TrainingConfig) -> bool:
    if not state.best_epoch or config.monitor == "last":
        return True
    best = state.history[state.best_epoch - 1]
    if config.monitor == "validation_accuracy":
        return (judged[1], -judged[0]) > (best["validation_accuracy"], -best["validation_loss"])
    better: bool = judged[0] < best["validation_loss"]
    return better


def _remember(
    state: states.State,
    row: Epoch,
    network: Network,
    mean: RunningMean | None,
    optimiser: torch.optim.Optimizer,
    config: TrainingConfig,
) -> None:
    state.history.append(asdict(row))
    state.network = _copied(network)
    state.mean = _copied(mean.network) if mean else {}
    state.optimiser = optimiser.state_dict()
    if row.best:
        state.best, state.best_epoch = state.mean or state.network, row.epoch
    waited = row.epoch - state.best_epoch
    state.finished = row.epoch == config.epochs or bool(config.patience and waited >= config.patience)


def _copied(network: Network) -> dict[str, torch.Tensor]:
    return {key: value.cpu().clone() for key, value in network.state_dict().items()}
