"""The leaderboard: the same films for all, ties by the paired interval."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.errors import EvaluationError
from core.evaluate.compare import compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.leaderboard import known_to_all, leaderboard, leaderboard_of_findings, on_common_films
from tests.evaluate.drawn import CLASSES, evaluation, probabilities, spoilt
from tests.evaluate.test_findings import drawn as drawn_findings


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


def of_findings() -> dict[str, FindingsEvaluation]:
    """A good model, one that is right less often and knows a finding more, in another order of films and findings."""
    good = drawn_findings(unknown=0.2)
    rng = np.random.default_rng(5)
    p = np.clip(good.probabilities + rng.normal(0, 0.5, good.probabilities.shape), 0, 1)
    films, findings = rng.permutation(len(good)), [2, 0, 3, 1]
    names = (*(good.classes[c] for c in findings), "Rib fracture")
    targets = np.column_stack([good.targets[films][:, findings], np.full(len(good), np.nan)])
    p = np.column_stack([p[films][:, findings], np.full(len(good), 0.5)])
    points = {**good.operating_points, "Rib fracture": 0.5}
    poor = FindingsEvaluation(names, targets, p, good.samples.iloc[films].reset_index(drop=True), points)
    return {"poor": poor, "good": good}


def test_models_of_findings_are_ranked_by_the_mean_over_those_that_all_know() -> None:
    given = of_findings()
    board = leaderboard_of_findings(given, "auroc")
    assert [(place.name, place.rank, place.tied) for place in board.places] == [("good", 1, True), ("poor", 2, False)]
    assert known_to_all([given["poor"].classes, given["good"].classes]) == ("Mass", "Effusion", "Hernia", "Edema")
    areas = {}
    for name, one in given.items():
        known = {finding: ~np.isnan(one.targets[:, one.classes.index(finding)]) for finding in given["good"].classes}
        areas[name] = np.mean([
            roc_auc_score(one.targets[k, one.classes.index(f)], one.probabilities[k, one.classes.index(f)])
            for f, k in known.items()
        ])  # fmt: skip
    for place in board.places:
        assert place.figure.value == pytest.approx(areas[place.name])
    gap = board.places[1].gap
    assert gap is not None
    assert gap.value == pytest.approx(areas["good"] - areas["poor"])
    assert gap.low < gap.value < gap.high


def test_one_finding_alone_and_a_model_and_its_like() -> None:
    given = of_findings()
    alone = leaderboard_of_findings(given, "auroc", "Edema")
    assert alone.findings == ("Edema",)
    k = ~np.isnan(given["good"].targets[:, 1])
    best = roc_auc_score(given["good"].targets[k, 1], given["good"].probabilities[k, 1])
    assert alone.places[0].figure.value == pytest.approx(best)
    twins = leaderboard_of_findings({"one": given["good"], "other": given["good"]}, "average_precision")
    assert [(place.rank, place.tied) for place in twins.places] == [(1, True), (1, True)]
    with pytest.raises(EvaluationError, match="Rib fracture is not known to all models"):
        leaderboard_of_findings(given, "auroc", "Rib fracture")
    with pytest.raises(EvaluationError, match="ccuracy came to rank findings by"):
        leaderboard_of_findings(given, "accuracy")
    good = given["good"]
    other = FindingsEvaluation(good.classes, 1 - good.targets, good.probabilities, good.samples, good.operating_points)
    with pytest.raises(EvaluationError, match="other findings for other"):
        leaderboard_of_findings({"good": good, "other": other}, "auroc")
    strangers = FindingsEvaluation(("X",), good.targets[:, :1], good.probabilities[:, :1], good.samples, {"X": 0.5})
    with pytest.raises(EvaluationError, match="no finding in common"):
        leaderboard_of_findings({"good": good, "strangers": strangers}, "auroc")
