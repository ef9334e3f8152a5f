"""Mending: cues are dealt out evenly, contradictions are refused, and the new checkpoint knows its descent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.cli import main
from core.data.cohort import Cohort
from core.data.phantom.cohort import cohort as drawn
from core.errors import RecipeError
from core.hunt.hypothesis import Hunt
from core.hunt.mending import GENTLE, MendingRun, exchanged, recipe_of
from core.model.checkpoint import load
from core.training.films import Films
from core.transform.augment import Step

SIDE, FILMS = 64, 240


def films() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures whose corners tell their class, with two lungs, and their labels."""
    labels = np.arange(FILMS) % 3
    pictures = np.full((FILMS, SIDE, SIDE), 90, np.uint8)
    pictures[:, :8, :8] = 60 * labels[:, None, None].astype(np.uint8) + 60
    lungs = np.zeros((FILMS, SIDE, SIDE), np.uint8)
    lungs[:, 16:44, 14:28] = lungs[:, 16:44, 36:50] = 255
    pictures[lungs > 0] = 30
    return pictures, lungs, labels


def test_after_the_exchange_the_corner_tells_nothing_and_the_lungs_are_as_they_were() -> None:
    pictures, lungs, labels = films()
    chosen = np.arange(FILMS) < 200
    found = exchanged(pictures, lungs, labels, chosen, ["corner"])
    corner = found[:, 2, 2]
    assert set(np.unique(corner)) == {60, 120, 180}
    for label in range(3):
        shares = [(corner[chosen & (labels == label)] == grey).mean() for grey in (60, 120, 180)]
        assert max(shares) < 0.5  # it was 1
    assert np.array_equal(found[~chosen], pictures[~chosen])
    assert (found[lungs > 0] == 30).all()
    assert np.array_equal(found, exchanged(pictures, lungs, labels, chosen, ["corner"]))


def test_each_epoch_sees_other_cues_and_a_run_resumed_sees_the_same(tmp_path: Path) -> None:
    cohort = drawn("fair", films=8, size=96)
    recipe = recipe_of(load("cheat"), ["hide"], ["corner"], 2, 0, cohort)
    run = MendingRun(recipe, cohort, tmp_path, cues=("corner",))
    training = Films(*map(torch.from_numpy, (films()[0], films()[2])), lungs=torch.from_numpy(films()[1]))
    first, again, second = (run.shown(training, epoch).pictures for epoch in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first != second).flatten(1).any(1).float().mean() > 0.4
    assert run.shown(training, 1).masks == ()  # a mask more would be a price more
    assert MendingRun(recipe, cohort, tmp_path).shown(training, 1) is training


def test_a_run_against_other_cues_is_another_run(tmp_path: Path) -> None:
    """Its folder is refused: the words of a recipe are no part of a run's fingerprint, and they alone told the cues."""
    cohort = drawn("fair", films=8, size=96)
    runs = [
        MendingRun(recipe_of(load("cheat"), ["hide"], cues, 2, 0, cohort), cohort, tmp_path, cues=cues)
        for cues in (("corner",), ("corner",), ("border",))
    ]
    assert runs[0].fingerprint == runs[1].fingerprint != runs[2].fingerprint


def test_the_position_is_exchanged_last_whatever_is_named_first() -> None:
    """It moves the lungs, and what is pasted after it would lie where they were."""
    pictures, lungs, labels = films()
    few = slice(0, 30)
    chosen = np.ones(30, bool)
    one, other = (
        exchanged(pictures[few], lungs[few], labels[few], chosen, cues)
        for cues in (["position", "corner"], ["corner", "position"])
    )
    assert np.array_equal(one, other)


def test_a_film_whose_lungs_are_unknown_stays_as_it_is() -> None:
    pictures, lungs, labels = films()
    lungs[0] = 255
    found = exchanged(pictures, lungs, labels, np.ones(FILMS, bool), ["corner", "exposure"])
    assert np.array_equal(found[0], pictures[0])


@pytest.mark.parametrize(
    ("how", "cues"),
    [
        pytest.param([], ["corner"], id="no way"),
        pytest.param(["pray"], ["corner"], id="unknown way"),
        pytest.param(["hide"], [], id="no cue"),
        pytest.param(["hide"], ["hat"], id="unknown cue"),
        pytest.param(["hide", "evidence"], ["position"], id="outlines that would move"),
    ],
)
def test_what_cannot_be_meant_is_refused(how: list[str], cues: list[str]) -> None:
    with pytest.raises(RecipeError):
        recipe_of(load("cheat"), how, cues, 2, 0, drawn("fair", films=8, size=96))


def test_a_model_without_a_recipe_is_refused() -> None:
    model = load("cheat")
    bare = replace(model, card=replace(model.card, recipe={}))
    with pytest.raises(RecipeError, match="no recipe"):
        recipe_of(bare, ["hide"], ["corner"], 2, 0, drawn("fair", films=8, size=96))


def test_the_recipe_starts_from_the_old_weights_and_says_so() -> None:
    model, cohort = load("cheat"), drawn("fair", films=8, size=96)
    last = recipe_of(model, ["last-layer"], ["corner"], 3, 0, cohort)
    assert last.network.freeze is True
    assert last.network.weights == str(model.path)
    assert last.reference == "Mended from cheat by last-layer against what lies in the corners."
    assert (last.training.outlines, last.training.lungs) == (0, 0)
    priced = recipe_of(model, ["evidence"], [], 3, 0, cohort)
    assert priced.network.freeze is False
    assert priced.training.outlines > 0  # drawn films know their findings
    assert last.augment == ()  # frozen features are worked out once
    assert priced.augment == GENTLE
    own = replace(model, card=replace(model.card, recipe={**model.card.recipe, "augment": [{"name": "rotate"}]}))
    assert recipe_of(own, ["evidence"], [], 3, 0, cohort).augment == (Step("rotate"),)


def by_turns(cohort: Cohort) -> list[str]:
    """Of each class one film of six for validation and one for the test: few films, dealt by patient, lack a class."""
    turn = cohort.samples.groupby("label").cumcount() % 6
    return list(turn.map({0: "validation", 1: "test"}).fillna("train"))


def test_films_of_another_hospital_that_are_not_there_are_said_before_hours_of_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = "phantom:new-hospital", str(tmp_path / "nowhere")
    asked = ["--how", "hide", "--cues", "corner", "--out", str(tmp_path / "mended")]
    assert main(["mend", "cheat", "--data", here, "--elsewhere", there, *asked]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "mended").exists()


def test_the_command_writes_a_checkpoint_with_both_sides_in_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole way on few films, some 10 s; that the hunter hunts is tested beside it."""
    given = {"here": drawn("fair", films=64, seed=2, size=64), "there": drawn("new-hospital", films=16, size=64)}
    monkeypatch.setattr("core.training.films.split", lambda cohort, *_: cohort.with_splits(by_turns(cohort)))
    monkeypatch.setattr("core.cli.cohorts.several", lambda paths, *_: [given[paths[0]]])
    nothing = Hunt("cheat", "here", 24, 1.0, 0.9, 1.0, 0.25, lung_share=0.1)
    monkeypatch.setattr("core.hunt.proof.hunt", lambda *_: nothing)
    folder = tmp_path / "mended"
    asked = ["--how", "last-layer", "--cues", "corner", "--epochs", "2", "--films", "24", "--out", str(folder)]
    assert main(["mend", "cheat", "--data", "here", "--elsewhere", "there", *asked]) == 0
    assert "accuracy elsewhere" in capsys.readouterr().out
    card = load(folder).card
    told = card.metrics["mending"]
    assert told["from"] == "cheat"
    assert told["from_weights"] == load("cheat").weights
    assert (told["how"], told["cues"]) == (["last-layer"], ["corner"])
    assert 0 <= told["before"]["home"]["value"] < 0.9  # no marker to go by
    assert set(told["before"]) == set(told["after"])
    assert card.recipe["network"]["weights"] == "cheat"
    old, new = load("cheat").state, load(folder).state
    assert all(np.array_equal(old[key], new[key]) for key in old if key.startswith("features.") and "num_b" not in key)
