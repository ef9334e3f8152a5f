"""What logits mean, for exclusive classes and for findings that occur together."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax
from torch.nn import functional

from core.errors import CheckpointError
from core.model import output
from core.model.card import Card
from core.transform.preprocess import Preprocess

NAMES = ("Effusion", "Edema", "Mass")


def card(**changes) -> Card:
    usual = {"name": "m", "title": "M", "classes": NAMES, "network": "resnet_small", "preprocess": Preprocess(size=64)}
    return Card(**usual | {"recipe": {}, "parameters": 1, "created": "2026-01-01"} | changes)


def test_an_old_card_is_of_exclusive_classes():
    values = card(temperature=2.0, thresholds={"Edema": 0.2}).to_dict()
    del values["output"], values["platt"]
    found = output.of_card(Card.from_dict(values))
    assert found == output.Softmax(NAMES, (1 / 3, 0.2, 1 / 3), 2.0)


@pytest.mark.parametrize(
    "known",
    [
        output.Softmax(NAMES, (0.3, 0.4, 0.2), 1.7),
        output.Sigmoid(NAMES, (0.3, 0.4, 0.02), ((1.5, -2.0), (1.0, 0.0), (0.3, 4.0))),
    ],
)
def test_a_card_says_all_of_it(known):
    assert output.of_card(Card.from_dict(card(**known.to_card()).to_dict())) == known


def test_an_unknown_kind_is_refused():
    with pytest.raises(CheckpointError, match="softmin"):
        output.new("softmin", NAMES)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_probabilities_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 8, (5, 3)).astype(np.float32)
    p = output.Softmax(NAMES, (0.3,) * 3, 1.7).probabilities(logits)
    np.testing.assert_allclose(p, softmax(logits.astype(np.float64) / 1.7, axis=1), atol=1e-6)
    p = output.Sigmoid(NAMES, (0.3,) * 3, ((2.0, -1.0), (1.0, 0.0), (0.5, 3.0))).probabilities(logits)
    np.testing.assert_allclose(p, expit(logits * np.array([2.0, 1.0, 0.5]) + np.array([-1.0, 0.0, 3.0])), atol=1e-6)


def test_what_is_called():
    """One class, the largest multiple of its operating point; but every finding at or above its own."""
    p = np.array([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8]], np.float32)
    exclusive = output.Softmax(NAMES, (0.6, 0.2, 0.5))
    assert exclusive.called(p).tolist() == [[False, True, False], [False, False, True]]
    assert [exclusive.answer(row) for row in p] == ["Edema", "Mass"]
    several = output.Sigmoid(NAMES, (0.6, 0.2, 0.9))
    assert several.called(p).tolist() == [[True, True, False], [False, False, False]]
    assert [several.answer(row) for row in p] == ["Effusion|Edema", "none"]
    assert several.first(p).tolist() == [1, 2]  # log-odds above the operating point: 0.54 of Edema, 0 of Effusion


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_called_finding_comes_first(seed):
    rng = np.random.default_rng(seed)
    several = output.Sigmoid(NAMES, tuple(rng.uniform(0.01, 0.99, 3)))
    p = rng.random((20, 3)).astype(np.float32)
    called, first = several.called(p), several.first(p)
    assert (called[np.arange(20), first] == called.any(axis=1)).all()


def findings(seed: int, films: int = 40, unknown: float = 0.4) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(films, 3, generator=generator) * 3
    targets = (torch.rand(films, 3, generator=generator) < 0.3).float()
    targets[torch.rand(films, 3, generator=generator) < unknown] = torch.nan
    return logits, targets


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_unknown_findings_teach_nothing(seed):
    """The loss is torch's own over the known labels, and no gradient reaches the logit of an unknown one."""
    logits, targets = findings(seed)
    known = ~targets.isnan()
    kind = output.new("sigmoid", NAMES)
    weights = kind.weights(targets)
    logits.requires_grad_(True)
    summed, told = kind.loss(logits, targets, weights)
    own = weights.expand_as(logits)[known]
    wanted = functional.binary_cross_entropy_with_logits(logits[known], targets[known], pos_weight=own, reduction="sum")
    assert told == int(known.sum())
    assert summed.item() == pytest.approx(wanted.item(), rel=1e-5)
    summed.backward()
    assert logits.grad is not None
    assert (logits.grad[~known] == 0).all()
    assert (logits.grad[known] != 0).any()
    assert kind.right(logits, targets) == int(((logits > 0) == (targets > 0.5))[known].sum())


def test_a_present_finding_weighs_as_much_as_the_absent_ones():
    targets = torch.tensor([[1.0, 0, torch.nan], [0, 0, 0], [0, 1, 0], [0, 1, torch.nan]])
    assert output.new("sigmoid", NAMES).weights(targets).tolist() == [3.0, 1.0, 2.0]
    rare = torch.zeros(100, 3)
    rare[0] = 1
    assert output.new("sigmoid", NAMES).weights(rare).tolist() == [output.HEAVIEST] * 3


@pytest.mark.parametrize(("slope", "offset"), [(0.5, -3.0), (1.0, 0.0), (2.0, 1.0)])
def test_the_slope_and_offset_that_made_the_labels_are_found(slope, offset):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 3))
    targets = (rng.random((20_000, 3)) < expit(slope * logits + offset)).astype(float)
    targets[rng.random((20_000, 3)) < 0.3] = np.nan
    found = output.new("sigmoid", NAMES).fitted(logits, targets)
    np.testing.assert_allclose(found.platt, [(slope, offset)] * 3, atol=0.08)
    assert replace(found, operating_points=(0.5,) * 3).probabilities(logits).mean() == pytest.approx(
        float(np.nanmean(targets)), abs=0.01
    )


def test_unknown_labels_move_no_operating_point():
    """Whatever unknown films score, calibration and operating points stay; taken for absent, they would move."""
    rng = np.random.default_rng(1)
    targets = (rng.random((300, 3)) < 0.3).astype(float)
    logits = rng.normal(0, 1, (300, 3)) + 2 * targets
    unknown = rng.random((300, 3)) < 0.3
    targets[unknown] = np.nan
    other = np.where(unknown, 20.0, logits)
    kind = output.new("sigmoid", NAMES)
    assert kind.fitted(logits, targets) == kind.fitted(other, targets)
    assert kind.fitted(logits, targets) != kind.fitted(other, np.nan_to_num(targets))


def test_a_finding_without_films_keeps_what_it_had():
    logits = np.random.default_rng(0).normal(size=(50, 3))
    targets = np.full((50, 3), np.nan)
    targets[:, 0] = logits[:, 0] > 0
    targets[:, 1] = 0
    found = output.new("sigmoid", NAMES).fitted(logits, targets)
    assert found.platt[1:] == ((1.0, 0.0), (1.0, 0.0))
    assert found.operating_points[1:] == (0.5, 0.5)
    assert found.platt[0][0] > 1
