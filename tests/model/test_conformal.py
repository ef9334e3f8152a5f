"""Prediction sets keep their promise on films like the fitted ones, break it on others, and are silent when unsure."""

import hashlib
import json
from typing import Any

import numpy as np
import pytest

from core.errors import CheckpointError, EvaluationError
from core.model import conformal
from core.model.card import Card
from core.transform.preprocess import Preprocess

RARE = np.array([0.7, 0.25, 0.05])


def drawn(count: int, seed: int, sharpness: float = 2.0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels in the shares of `RARE`, and softmax probabilities that point to them; ``shift`` makes them point away."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, count, p=RARE)
    logits = generator.normal(size=(count, 3)) + (sharpness - shift) * np.eye(3)[labels]
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True), labels


@pytest.mark.parametrize("price", [0.0, 0.1])
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_every_class_is_covered_as_promised_the_rare_one_too(level: float, price: float) -> None:
    found = []
    for seed in range(40):
        sets = conformal.fit(*drawn(3000, seed), level, price)
        p, labels = drawn(3000, 1000 + seed)
        found.append(conformal.coverage(sets.of(p, seed), labels))
    assert np.abs(np.mean(found, axis=0) - level).max() < 0.015


def test_the_promise_ends_where_films_differ() -> None:
    sets = conformal.fit(*drawn(4000, 0))
    p, labels = drawn(4000, 1, shift=2.0)
    assert conformal.coverage(sets.of(p), labels).min() < 0.8


def test_one_limit_for_all_would_leave_the_rare_class_out() -> None:
    """The control: classes that are told apart unequally well need limits of their own."""
    p, labels = drawn(4000, 0)
    p[labels == 2] = p[labels == 2][:, [2, 1, 0]]  # the rare class is mostly taken for the first
    own = conformal.scores(p)[np.arange(len(labels)), labels]
    together = conformal.scores(p) <= np.quantile(own, 0.9)
    assert conformal.coverage(together, labels)[2] < 0.6
    assert conformal.coverage(conformal.fit(p, labels).of(p), labels)[2] == pytest.approx(0.9, abs=0.02)


def test_better_probabilities_make_smaller_sets() -> None:
    sizes = []
    for sharpness in (1.0, 4.0):
        p, labels = drawn(2000, 0, sharpness)
        sizes.append(conformal.fit(p, labels).of(p).sum(1).mean())
    assert sizes[1] < sizes[0] - 0.5


def test_a_class_of_few_films_is_never_ruled_out() -> None:
    p, labels = drawn(200, 0)
    kept = (labels != 2) | (np.cumsum(labels == 2) <= 5)
    sets = conformal.fit(p[kept], labels[kept])
    assert sets.films[2] <= 5
    assert np.isinf(sets.limits[2])
    assert sets.of(p)[:, 2].all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(EvaluationError, match=r"labels \(3,\)"):
        conformal.fit(np.ones((4, 2)) / 2, np.zeros(3, int))
    with pytest.raises(EvaluationError, match="coverage of 1"):
        conformal.fit(np.ones((4, 2)) / 2, np.zeros(4, int), level=1.0)


def test_triage_says_negative_only_where_it_is_nearly_always_right() -> None:
    wrong, calls = 0, []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        positive = generator.random(600) < 0.4
        finding = 1 / (1 + np.exp(-generator.normal(np.where(positive, 1.5, -1.5), 1.0)))
        rule = conformal.triage(finding[:300], positive[:300])
        negative = finding <= rule.limit
        calls.append(rule.called)
        if negative[300:].any():
            big = np.random.default_rng(10_000 + seed)
            p = big.random(20_000) < 0.4
            f = 1 / (1 + np.exp(-big.normal(np.where(p, 1.5, -1.5), 1.0)))
            wrong += bool((~p[f <= rule.limit]).mean() < 0.95)
    assert wrong / 200 <= 0.13  # 90 % confidence, and what 200 trials leave open
    assert np.mean(calls) > 0.2


def test_triage_abstains_where_scores_say_nothing() -> None:
    generator = np.random.default_rng(0)
    rule = conformal.triage(generator.random(500), generator.random(500) < 0.4)
    assert (rule.limit, rule.called) == (-1.0, 0.0)


def test_a_film_gets_the_same_set_everywhere_and_a_card_keeps_the_limits() -> None:
    sets, names = conformal.fit(*drawn(4000, 7)), ("A", "B", "C")
    again = conformal.Sets.from_card(json.loads(json.dumps(sets.to_card(names, "4,000 drawn films"))), names)
    assert again is not None
    p, labels = drawn(1000, 1)
    hashes = [hashlib.sha256(str(row).encode()).hexdigest() for row in range(1000)]
    found = np.array([again.of_film(one, name) for one, name in zip(p, hashes, strict=True)])
    assert (found == np.array([sets.of_film(one, name) for one, name in zip(p, hashes, strict=True)])).all()
    assert found[np.arange(1000), labels].mean() == pytest.approx(0.9, abs=0.03)
    assert conformal.Sets.from_card({}, names) is None


def card(**changes: object) -> dict[str, Any]:
    p, labels = drawn(400, 7)
    names = ("A", "B", "C")
    sets = conformal.fit(p, labels).to_card(names, "400 drawn films")
    plain = Card("x", "X", names, "resnet_small", Preprocess(), {}, 0, "").to_dict()
    return json.loads(json.dumps(plain | {"conformal": sets} | changes))


def test_a_card_says_what_its_sets_were_fitted_on() -> None:
    good = card()
    assert Card.from_dict(good).conformal == good["conformal"]
    del good["conformal"]["fitted_on"]
    with pytest.raises(CheckpointError, match="fitted_on"):
        Card.from_dict(good)


def test_findings_that_occur_together_have_no_sets_of_exclusive_classes() -> None:
    with pytest.raises(CheckpointError, match="findings that occur together"):
        Card.from_dict(card(output="sigmoid"))
