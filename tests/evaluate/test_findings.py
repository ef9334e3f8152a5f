"""Figures of several findings with unknown labels, against scikit-learn and torchmetrics."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk
from torchmetrics.functional.classification import multilabel_auroc, multilabel_exact_match, multilabel_f1_score

from core.errors import EvaluationError
from core.evaluate.findings import FindingsEvaluation, from_parquet
from core.evaluate.pooled import Pooled

NAMES = ("Effusion", "Edema", "Mass", "Hernia")
RATES, CUT_OFFS = np.array([0.4, 0.25, 0.15, 0.1]), {"Effusion": 0.5, "Edema": 0.4, "Mass": 0.3, "Hernia": 0.2}


def drawn(seed: int = 0, films: int = 150, unknown: float = 0.3) -> FindingsEvaluation:
    rng = np.random.default_rng(seed)
    targets = (rng.random((films, 4)) < RATES).astype(float)
    p = np.clip(rng.normal(0.3 + 0.3 * targets, 0.15), 0, 1).round(2)  # ties
    targets[rng.random((films, 4)) < unknown] = np.nan
    samples = pd.DataFrame({"path": [f"{i}.png" for i in range(films)], "split": "test", "source": "here"})
    samples["patient"] = [f"p{i // 2}" for i in range(films)]
    return FindingsEvaluation(NAMES, targets, p, samples, CUT_OFFS)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.7]))
@settings(max_examples=2, deadline=None)
def test_macro_and_micro_are_those_of_torchmetrics_and_scikit_learn(seed: int, unknown: float) -> None:
    one = drawn(seed, films=1500, unknown=unknown)  # enough that no draw leaves a finding out of the mean
    pooled, known = Pooled(one), one.known
    p = torch.from_numpy(one.probabilities)
    truth = torch.from_numpy(np.nan_to_num(one.targets, nan=-1)).long()
    assert pooled.averaged == one.judged == NAMES
    for average, found in (("macro", pooled.macro), ("micro", pooled.micro)):
        theirs = multilabel_auroc(p, truth, 4, average=average, ignore_index=-1, validate_args=False)
        assert found["auroc"].value == pytest.approx(float(theirs), abs=1e-6)
    areas = [sk.average_precision_score(one.targets[k, c], one.probabilities[k, c]) for c, k in enumerate(known.T)]
    assert pooled.macro["average_precision"].value == pytest.approx(np.mean(areas), abs=1e-6)
    assert pooled.micro["average_precision"].value == pytest.approx(
        sk.average_precision_score(one.targets[known], one.probabilities[known]), abs=1e-6
    )
    called = one.called()
    for key, score in (("recall", sk.recall_score), ("precision", sk.precision_score), ("f1", sk.f1_score)):
        each = [score(one.targets[k, c], called[k, c]) for c, k in enumerate(known.T)]
        assert pooled.macro[key].value == pytest.approx(np.mean(each), abs=1e-6)
        assert pooled.micro[key].value == pytest.approx(score(one.targets[known], called[known]), abs=1e-6)
    assert pooled.micro["f1"].value == pytest.approx(
        float(multilabel_f1_score(torch.from_numpy(called).int(), truth, 4, average="micro", ignore_index=-1)), abs=1e-6
    )


def test_whole_films() -> None:
    one = drawn(unknown=0.0)
    films, called = Pooled(one).films, one.called()
    truth = torch.from_numpy(one.targets).long()
    assert films["exact_match"].value == pytest.approx(
        float(multilabel_exact_match(torch.from_numpy(called).int(), truth, 4))
    )
    assert films["hamming"].value == pytest.approx(sk.hamming_loss(one.targets.astype(int), called.astype(int)))
    assert films["called_per_film"].value == pytest.approx(called.sum(axis=1).mean())
    assert films["present_per_film"].value == pytest.approx(one.targets.sum(axis=1).mean())
    for figure in films.values():
        assert figure.low <= figure.value <= figure.high


@given(st.integers(0, 10_000))
@settings(max_examples=2, deadline=None)
def test_what_is_unknown_changes_no_figure(seed: int) -> None:
    """Other probabilities where nothing is known leave every figure as it was; but for what is called per film."""
    one = drawn(seed)
    other = np.where(one.known, one.probabilities, 1 - one.probabilities)
    two = FindingsEvaluation(NAMES, one.targets, other, one.samples, CUT_OFFS)
    for first, second in ((Pooled(one).macro, Pooled(two).macro), (Pooled(one).micro, Pooled(two).micro)):
        assert first == second
    for key in ("exact_match", "hamming"):
        assert Pooled(one).films[key] == Pooled(two).films[key]
    for name in NAMES:
        assert (one.matrix(name) == two.matrix(name)).all()
        assert (one.of(name).probabilities == two.of(name).probabilities).all()


def test_each_finding_is_judged_where_it_is_known() -> None:
    one = drawn()
    counts = one.counts
    for c, name in enumerate(NAMES[:2]):
        k = one.known[:, c]
        assert counts.loc[name].tolist() == [k.sum(), (one.targets[k, c] == 1).sum(), (one.targets[k, c] == 0).sum()]
        wanted = sk.confusion_matrix(one.targets[k, c], one.called()[k, c])
        assert (one.matrix(name) == wanted).all()
        assert len(one.of(name)) == k.sum()
        area = one.of(name).figures()[name]["auroc"]
        assert area.value == pytest.approx(sk.roc_auc_score(one.targets[k, c], one.probabilities[k, c]), abs=1e-6)
        assert area.low < area.value < area.high


def test_what_occurs_together() -> None:
    targets = np.array([[1, 1, 0, np.nan], [1, 0, 0, 0], [0, 1, np.nan, 0], [1, np.nan, 0, 0]], float)
    samples = pd.DataFrame({"path": list("abcd"), "split": "test", "patient": ""})
    one = FindingsEvaluation(NAMES, targets, np.nan_to_num(targets), samples, CUT_OFFS)
    found = one.together(targets)
    assert found.loc["Effusion", "Edema"] == 0.5  # of two films with an effusion where edema is known
    assert found.loc["Edema", "Effusion"] == 0.5
    assert found.loc["Effusion", "Hernia"] == 0
    assert np.isnan(found.loc["Hernia"]).all()
    assert one.judged == ("Effusion", "Edema")
    assert one.together(one.called()).loc["Edema", "Edema"] == 1


def test_a_macro_average_says_what_it_holds() -> None:
    """A finding that four patients show has no say in the mean, and one that nobody shows no figure."""
    one = drawn(unknown=0.0)
    targets = one.targets.copy()
    targets[:, 3] = 0
    targets[:, 2] = np.arange(150) < 8
    two = FindingsEvaluation(NAMES, targets, one.probabilities, one.samples, CUT_OFFS)
    pooled = Pooled(two)
    assert two.judged == NAMES[:3]
    assert pooled.averaged == NAMES[:2]
    areas = [sk.roc_auc_score(targets[:, c], one.probabilities[:, c]) for c in (0, 1)]
    assert pooled.macro["auroc"].value == pytest.approx(np.mean(areas))
    with pytest.raises(EvaluationError, match="no finding 'Nodule'"):
        two.of("Nodule")


def test_the_interval_of_a_macro_mean_is_narrower_than_a_single_findings() -> None:
    one = drawn(films=400)
    mean = Pooled(one).macro["auroc"]
    single = [one.of(name).figures()[name]["auroc"] for name in NAMES]
    assert mean.high - mean.low < max(figure.high - figure.low for figure in single)
    assert mean.bounded


def test_splits_and_files(tmp_path) -> None:
    one = drawn()
    table = one.samples.assign(**{f"finding: {n}": one.targets[:, c] for c, n in enumerate(NAMES)})
    table = table.assign(**{f"p_{n}": one.probabilities[:, c] for c, n in enumerate(NAMES)})
    table.loc[:79, "split"] = "train"
    table.to_parquet(tmp_path / "evaluation.parquet")
    two = from_parquet(tmp_path / "evaluation.parquet", CUT_OFFS)
    assert two.classes == NAMES
    np.testing.assert_array_equal(two.targets, one.targets)
    assert {name: len(part) for name, part in two.by_split(own=True).items()}.keys() == {"train", "test"}
    assert len(two.split("train")) == 80
    with pytest.raises(EvaluationError, match="no validation films"):
        two.split("validation")
    table.drop(columns="finding: Mass").to_parquet(tmp_path / "evaluation.parquet")
    with pytest.raises(EvaluationError, match="lacks findings"):
        from_parquet(tmp_path / "evaluation.parquet", CUT_OFFS)


@pytest.mark.parametrize(
    ("targets", "p", "told"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), "targets"),
        (np.full((2, 4), np.nan), np.zeros((2, 4)), "all are unknown"),
        (np.full((2, 4), 0.5), np.zeros((2, 4)), "neither 1, 0"),
        (np.zeros((2, 4)), np.full((2, 4), 1.5), "between 0 and 1"),
        (np.zeros((2, 4)), np.full((2, 4), np.nan), "between 0 and 1"),
    ],
)
def test_nonsense_is_refused(targets, p, told) -> None:
    with pytest.raises(EvaluationError, match=told):
        FindingsEvaluation(NAMES, targets, p, pd.DataFrame({"path": ["a", "b"]}), CUT_OFFS)


@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"no table"])
def test_a_damaged_file_is_said_in_a_sentence(tmp_path, damage):
    path = tmp_path / "evaluation.parquet"
    pd.DataFrame({"label": ["A"] * 9}).to_parquet(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(EvaluationError, match="cannot be read"):
        from_parquet(path, {})
