"""The leaderboard: the same films for all, ties by the paired interval."""

import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluate.compare import compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.leaderboard import leaderboard, on_common_films
from tests.evaluate.drawn import CLASSES, evaluation, probabilities, spoilt


def models() -> dict[str, Evaluation]:
    """Of 300 films: a good one, its twin that errs on other films, and a poor one that saw some films in training."""
    good = evaluation(strength=2.5)
    twin = Evaluation(
        CLASSES, good.labels, probabilities(good.labels, 3, 2.5, np.random.default_rng(9)), good.samples, name="twin"
    )
    poor = spoilt(good, np.arange(0, 300, 2))
    met = good.samples["split"].where(np.arange(300) >= 40, "train")
    poor = Evaluation(CLASSES, poor.labels, poor.probabilities, good.samples.assign(split=met), name="poor")
    return {"poor": poor, "good": good, "twin": twin}


def test_all_are_judged_on_the_films_that_none_learned_from() -> None:
    given = models()
    common = on_common_films(given)
    expected = given["good"].samples["path"][(given["poor"].samples["split"] == "test")]
    assert list(common) == list(given)
    for shown in common.values():
        assert shown.samples["path"].tolist() == expected.tolist()
    board = leaderboard(given, "accuracy")
    assert board.films == len(expected) < 170


@pytest.mark.parametrize("key", ["accuracy", "auroc", "log_loss"])
def test_they_are_ranked_and_only_the_poor_one_is_told_apart(key: str) -> None:
    board = leaderboard(models(), key)
    names = [place.name for place in board.places]
    assert names[2] == "poor"
    assert [board.places[0].rank, board.places[2].rank] == [1, 3]
    values = [place.figure.value for place in board.places]
    assert values == sorted(values, reverse=key != "log_loss")
    assert [place.tied for place in board.places] == [True, True, False]
    assert board.places[0].gap is None
    shown = on_common_films(models())
    expected = compare(shown["poor"], shown[names[0]]).differences[key]
    assert board.places[2].gap == expected


def test_equal_models_share_a_rank() -> None:
    good = evaluation()
    board = leaderboard({"one": good, "other": good}, "accuracy")
    assert [(place.rank, place.tied) for place in board.places] == [(1, True), (1, True)]


def test_it_leaves_as_a_table() -> None:
    board = leaderboard(models(), "balanced_accuracy")
    table = board.table()
    assert table["model"].tolist() == [place.name for place in board.places]
    assert table["balanced_accuracy"].tolist() == [place.figure.value for place in board.places]
    assert table["tied_with_best"].tolist() == [True, True, False]
    assert (table["films"] == board.films).all()
    assert table["gap_low"].isna().tolist() == [True, False, False]


def test_what_cannot_be_ranked_is_refused() -> None:
    given = models()
    with pytest.raises(EvaluationError, match=r"1 model came"):
        leaderboard({"good": given["good"]}, "accuracy")
    with pytest.raises(EvaluationError, match="oudness came"):
        leaderboard(given, "loudness")
    seen = given["good"].samples.assign(split="train")
    seen_all = Evaluation(CLASSES, given["good"].labels, given["good"].probabilities, seen)
    with pytest.raises(EvaluationError, match="ther has no film that it did not learn from"):
        leaderboard({"good": given["good"], "other": seen_all}, "accuracy")
    with pytest.raises(EvaluationError, match="same classes"):
        leaderboard({"good": given["good"], "two": evaluation(classes=("Normal", "COVID-19"))}, "accuracy")
