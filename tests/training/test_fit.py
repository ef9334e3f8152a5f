"""Training: it learns, it stops early, it balances classes, and a killed run goes on bit for bit."""

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.cohort import Cohort
from core.errors import CheckpointError, CohortError, RecipeError
from core.model import output as outputs
from core.training import films, state
from core.training.fit import Epoch, fit
from core.training.recipe import NetworkConfig, Recipe, Stage, TrainingConfig
from core.training.run import begin
from core.training.schedule import Steps
from core.transform.augment import Augment

TIMES = ("seconds", "images_per_second")


def without_times(epochs: list[Epoch]) -> list[dict]:
    return [{key: value for key, value in asdict(e).items() if key not in TIMES} for e in epochs]


def saved(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / state.FILE, weights_only=True)["network"]


def test_it_learns(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(tiny_recipe, training=TrainingConfig(epochs=8, batch=8, learning_rate=3e-3, optimiser="adamw"))
    told: list[tuple[str, int, int]] = []
    epochs = list(fit(begin(squares, recipe, tmp_path, progress=lambda *what: told.append(what))))
    assert [e.epoch for e in epochs] == list(range(1, 9))
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert max(e.validation_accuracy for e in epochs) >= 0.75
    assert {what for what, _, _ in told} >= {"decoding films", "epoch 8 of 8"}
    assert all(done <= total for _, done, total in told)


def test_the_same_seed_gives_the_same_run_and_another_does_not(
    squares: Cohort, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    runs = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, epochs=2, seed=seed))
        runs.append(without_times(list(fit(begin(squares, recipe, tmp_path / folder)))))
    assert runs[0] == runs[1] != runs[2]


KILLED = """
import os, signal, sys
from core.data.readers import open_cohort
from core.training.fit import fit
from core.training.recipe import load
from core.training.run import begin

def progress(what, done, total):
    if what.startswith(sys.argv[4]) and done > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

for epoch in fit(begin(open_cohort(sys.argv[1]), load(sys.argv[2]), sys.argv[3], "cpu", progress)):
    pass
"""


def test_a_killed_run_goes_on_bit_for_bit(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    root = Path(squares.samples["path"][0]).parents[1]
    (tmp_path / "tiny.toml").write_text(as_toml(tiny_recipe))
    arguments = [str(root), str(tmp_path / "tiny.toml"), str(tmp_path / "killed"), "epoch 3"]
    threads = str(torch.get_num_threads())  # sums depend on how many share them
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "OMP_NUM_THREADS": threads}
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], env=environment, capture_output=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert len(state.load(tmp_path / "killed", run_of(squares, tiny_recipe)).history) == 2

    resumed = list(fit(begin(squares, tiny_recipe, tmp_path / "killed", "cpu")))
    straight = list(fit(begin(squares, tiny_recipe, tmp_path / "straight", "cpu")))
    assert without_times(resumed) == without_times(straight)
    one, other = saved(tmp_path / "killed"), saved(tmp_path / "straight")
    assert all(torch.equal(one[key], other[key]) for key in other)


def run_of(cohort: Cohort, recipe: Recipe) -> str:
    return state.run_fingerprint(recipe.fingerprint, films.prepare(cohort, recipe).fingerprint)


def as_toml(recipe: Recipe) -> str:
    """Enough TOML for ``tiny_recipe``."""
    return f"""
title = "Tiny"
classes = ["A", "B"]
network = {{ name = "resnet_small", dropout = {recipe.network.dropout} }}
preprocess = {{ size = 32, mean = [0.5, 0.5, 0.5], std = [0.25, 0.25, 0.25] }}
split = {{ validation = 0.2, test = 0.2 }}
training = {{ epochs = 3, batch = 8, schedule = "onecycle", label_smoothing = 0.1 }}
{Augment(recipe.augment).as_toml()}
"""


def test_a_finished_run_is_not_trained_again(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    first = list(fit(begin(squares, tiny_recipe, tmp_path)))
    written = (tmp_path / state.FILE).stat().st_mtime_ns
    assert list(fit(begin(squares, tiny_recipe, tmp_path))) == first
    assert (tmp_path / state.FILE).stat().st_mtime_ns == written


def test_another_run_in_the_folder_is_refused(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    next(fit(begin(squares, tiny_recipe, tmp_path)))
    with pytest.raises(CheckpointError, match="another recipe or other films"):
        next(fit(begin(squares, replace(tiny_recipe, augment=()), tmp_path)))
    with pytest.raises(CheckpointError, match="another recipe or other films"):
        next(fit(begin(squares.take(range(38)), tiny_recipe, tmp_path)))
    (tmp_path / state.FILE).write_bytes(b"PK not really")
    with pytest.raises(CheckpointError, match="damaged"):
        next(fit(begin(squares, tiny_recipe, tmp_path)))


def test_early_stopping_keeps_the_best_epoch(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    settings = TrainingConfig(epochs=40, batch=8, learning_rate=1.0, optimiser="sgd", patience=2)
    epochs = list(fit(begin(squares, replace(tiny_recipe, training=settings), tmp_path)))
    assert len(epochs) < 40
    best = min(epochs, key=lambda e: e.validation_loss)
    assert epochs[-1].epoch - best.epoch == 2
    assert [e.epoch for e in epochs if e.best][-1] == best.epoch


def test_half_size_epochs_see_half_the_side(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path, monkeypatch) -> None:
    from core.networks.zoo import build
    from core.training import learner

    sides = []

    def watched(*args, **kwargs):
        network = build(*args, **kwargs)
        network.features.stem.register_forward_pre_hook(lambda _, x: sides.append((network.training, x[0].shape[-1])))
        return network

    monkeypatch.setattr(learner, "build", watched)
    recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, half_size_epochs=2))
    epochs = fit(begin(squares, recipe, tmp_path))
    seen = []
    for _ in epochs:
        seen.append({side for training_mode, side in sides if training_mode})
        assert {side for training_mode, side in sides if not training_mode} == {32}
        sides.clear()
    assert seen == [{16}, {16}, {32}]


def test_missing_classes_and_splits_are_named(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="no film of B"):
        next(fit(begin(squares.where(squares.samples["label"] == "A"), tiny_recipe, tmp_path)))
    alone = squares.where((squares.samples["label"] == "A") | (squares.samples.index == len(squares) - 1))
    with pytest.raises(CohortError, match=r"B has [01] training films and [01] validation films"):
        next(fit(begin(alone, tiny_recipe, tmp_path)))


def test_frozen_networks_train_their_head_only(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    from core.model.checkpoint import Card, Checkpoint, save
    from core.networks.zoo import build

    start = build("resnet_small", 2).state_dict()
    card = Card("s", "S", ("A", "B"), "resnet_small", tiny_recipe.preprocess, {}, 0, "")
    folder = save(Checkpoint(card, start), tmp_path / "start")
    network = NetworkConfig("resnet_small", weights=str(folder), freeze=True)
    next(fit(begin(squares, replace(tiny_recipe, network=network), tmp_path / "run")))
    after = saved(tmp_path / "run")
    for key, value in after.items():
        assert torch.allclose(value.float(), start[key].float(), atol=1e-3) == key.startswith("features."), key


def test_missing_weights_and_outlines_are_refused_before_films_are_decoded(
    squares: Cohort, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    told: list[str] = []
    missing = replace(tiny_recipe, network=NetworkConfig("resnet_small", weights=str(tmp_path / "nothing")))
    with pytest.raises(CheckpointError, match="no checkpoint folder"):
        next(fit(begin(squares, missing, tmp_path / "run", progress=lambda what, *_: told.append(what))))
    local = NetworkConfig("resnet_local")
    penalised = replace(tiny_recipe, network=local, training=replace(tiny_recipe.training, outlines=1.0))
    with pytest.raises(CohortError, match="where its findings are"):
        next(fit(begin(squares, penalised, tmp_path / "run", progress=lambda what, *_: told.append(what))))
    assert not told


def test_a_loss_that_is_no_number_ends_the_run(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from core.networks.zoo import build

    start = build("resnet_small", 2).state_dict()
    start["features.stem.0.weight"].fill_(torch.nan)
    (tmp_path / "start").mkdir()
    save_file(start, tmp_path / "start" / "model.safetensors")
    recipe = replace(tiny_recipe, network=NetworkConfig("resnet_small", weights=str(tmp_path / "start")))
    with pytest.raises(RecipeError, match=r"epoch 1 is not a number.*learning_rate"):
        next(fit(begin(squares, recipe, tmp_path / "run")))
    assert not (tmp_path / "run" / state.FILE).exists()


def test_weighted_sampling_draws_every_class_equally_often() -> None:
    labels = torch.tensor([0] * 900 + [1] * 100)
    pictures = torch.zeros(1000, 4, 4, dtype=torch.uint8)
    config = TrainingConfig(sampling="weighted", batch=50)
    drawn = [y for e in range(5) for _, y in films.batches(films.Films(pictures, labels), config, Augment(()), e)]
    assert abs(torch.cat(drawn).float().mean() - 0.5) < 0.03


def test_a_small_hospital_counts_for_more_than_its_films() -> None:
    labels, sources = torch.tensor([0] * 900 + [1] * 100), torch.tensor([0] * 875 + [1] * 25 + [0] * 100)
    served = films.Films(torch.arange(1000).remainder(251).to(torch.uint8)[:, None, None], labels, sources)
    config, generator = TrainingConfig(sampling="sources"), torch.Generator()
    order = torch.cat([films._order(served, config, generator) for _ in range(9)])
    assert abs(labels[order].float().mean() - 0.5) < 0.03
    normal = order[labels[order] == 0]
    assert abs(sources[normal].float().mean() - 25**0.5 / (25**0.5 + 875**0.5)) < 0.02


def test_every_film_is_seen_once_and_no_batch_has_a_single_film() -> None:
    pictures = torch.arange(33, dtype=torch.uint8)[:, None, None].expand(33, 4, 4)
    served = list(films.batches(films.Films(pictures, torch.arange(33)), TrainingConfig(batch=8), Augment(()), 1))
    assert [len(labels) for _, labels in served] == [8] * 4
    seen = torch.cat([labels for _, labels in served])
    assert len(set(seen.tolist())) == 32
    assert torch.equal(torch.cat([p for p, _ in served])[:, 0, 0], seen.to(torch.uint8))


def test_schedules() -> None:
    def rates(**settings) -> np.ndarray:
        config = TrainingConfig(epochs=10, batch=10, learning_rate=1.0, **settings)
        return np.array([Steps(config, 100, epoch).rate(step) for epoch in range(1, 11) for step in range(10)])

    assert (rates() == 1).all()
    cosine, cycle = rates(schedule="cosine"), rates(schedule="onecycle")
    assert cosine[0] == 1
    assert (np.diff(cosine) < 0).all()
    assert cosine[-1] < 0.001
    assert cycle.argmax() == 20
    assert cycle[0] == pytest.approx(0.04)
    assert cycle[-1] < 0.001
    stages = rates(schedule="stages", stages=(Stage(7, 0.4), Stage(3, 0.2)))
    assert (stages[:70] == 0.4).all()
    assert (stages[70:] == 0.2).all()


def test_weighted_classes_count_alike_over_the_batches() -> None:
    """Inverse frequencies are meant to give each class a third; torch's own mean over a batch gives 44, 38 and 18 %."""
    rng = np.random.default_rng(0)
    labels = torch.from_numpy(rng.permutation(np.repeat([0, 1, 2], [2400, 640, 160])))
    output = outputs.new("softmax", ("A", "B", "C"))
    weights = output.weights(labels)

    def ours(logits: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        summed, known = output.loss(logits, batch, weights)
        return summed / known

    torchs = torch.nn.CrossEntropyLoss(weights)
    for loss, alike in ((ours, True), (torchs, False)):
        share = torch.zeros(3)
        for batch in labels.split(32):
            logits = torch.zeros(len(batch), 3, requires_grad=True)
            loss(logits, batch).backward()
            assert logits.grad is not None
            share.index_add_(0, batch, logits.grad.abs().sum(1))
        assert torch.allclose(share / share.sum(), torch.full((3,), 1 / 3), atol=0.02) == alike
