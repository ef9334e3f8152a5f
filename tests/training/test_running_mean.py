"""The running mean of the weights: what it is after known steps, and that a run keeps and resumes it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from core.data.cohort import Cohort
from core.networks.network import Network
from core.training.finish import finish
from core.training.fit import fit
from core.training.recipe import Recipe
from core.training.run import Run, begin
from core.training.running_mean import RunningMean
from core.training.state import FILE


def one_weight(value: float) -> Network:
    line = nn.Linear(1, 1, bias=False)
    nn.init.constant_(line.weight, value)
    return Network(nn.Sequential(), nn.Sequential(line, nn.BatchNorm1d(1)))


def test_later_steps_weigh_more_and_the_moments_of_norms_follow() -> None:
    network = one_weight(0.0)
    mean = RunningMean(network, 0.75, {})
    for value in (4.0, 8.0, 0.0):  # 4, then 4 * 0.75 + 8 * 0.25 = 5, then 5 * 0.75 = 3.75
        nn.init.constant_(network.head[0].weight, value)
        network.head[1].running_mean.fill_(value)
        mean.follow(network)
    state = mean.network.state_dict()
    assert float(state["head.0.weight"]) == pytest.approx(3.75)
    assert float(state["head.1.running_mean"]) == pytest.approx(3.75)
    assert float(network.head[0].weight.detach()) == 0  # what learns is not touched

    again = RunningMean(network, 0.75, state)
    again.follow(network)  # goes on from the earlier mean and does not begin anew
    assert float(again.network.state_dict()["head.0.weight"]) == pytest.approx(3.75 * 0.75)


def averaged(recipe: Recipe) -> Recipe:
    return replace(recipe, training=replace(recipe.training, average=0.9, monitor="last"))


def run_of(squares: Cohort, recipe: Recipe, folder: Path) -> Run:
    run = begin(squares, recipe, folder, "cpu")
    for _ in fit(run):
        pass
    return run


def test_the_mean_is_what_is_judged_and_kept(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    plain, mean = (run_of(squares, r, tmp_path / r.training.monitor) for r in (tiny_recipe, averaged(tiny_recipe)))
    state = mean.state()
    for key, value in plain.state().network.items():
        assert torch.equal(value, state.network[key]), key  # the steps are the same
    assert any(not torch.equal(state.mean[key], value) for key, value in state.network.items())
    assert state.best_epoch == 3
    assert all(torch.equal(state.best[key], value) for key, value in state.mean.items())
    losses = [[row["validation_loss"] for row in r.state().history] for r in (plain, mean)]
    assert losses[0] != losses[1]
    stored = finish(mean).state["head.classifier.weight"]
    assert torch.allclose(stored, state.mean["head.classifier.weight"], atol=1e-3)


def test_a_run_that_stopped_goes_on_with_its_mean(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    straight = run_of(squares, averaged(tiny_recipe), tmp_path / "straight").state()
    stopped = begin(squares, averaged(tiny_recipe), tmp_path / "stopped", "cpu")
    epochs = fit(stopped)
    next(epochs)
    epochs.close()
    resumed = run_of(squares, averaged(tiny_recipe), tmp_path / "stopped").state()
    assert len(resumed.history) == 3
    assert all(torch.equal(resumed.mean[key], value) for key, value in straight.mean.items())


def test_runs_from_before_there_was_a_mean_go_on(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    epochs = fit(begin(squares, tiny_recipe, tmp_path, "cpu"))
    next(epochs)
    epochs.close()
    kept = torch.load(tmp_path / FILE, weights_only=True)
    del kept["mean"]  # as such a run left it
    torch.save(kept, tmp_path / FILE)
    state = run_of(squares, tiny_recipe, tmp_path).state()
    assert (len(state.history), state.mean) == (3, {})
    assert averaged(tiny_recipe).fingerprint != tiny_recipe.fingerprint
    assert "average" in tiny_recipe.to_dict()["training"]  # a card tells it
