"""Every figure against scikit-learn, scipy or torchmetrics."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest
from sklearn import metrics as sk
from torchmetrics.functional.classification import multiclass_calibration_error

from core.evaluate import calibration, metrics
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED
from core.intervals import wilson
from tests.evaluate.drawn import CLASSES, evaluation


@pytest.fixture(scope="module", params=[0, 1, 2])
def drawn(request):
    return evaluation(strength=0.5 + request.param, seed=request.param)


def test_per_class_figures_are_scikit_learns(drawn):
    called, figures = drawn.called(), drawn.figures()
    precision, recall, f1, support = sk.precision_recall_fscore_support(drawn.labels, called)
    for index, name in enumerate(CLASSES):
        truth, guess = drawn.labels == index, called == index
        expected = {
            "precision": precision[index],
            "recall": recall[index],
            "f1": f1[index],
            "specificity": sk.recall_score(~truth, ~guess),
            "npv": sk.precision_score(~truth, ~guess),
            "auroc": sk.roc_auc_score(truth, drawn.probabilities[:, index]),
            "average_precision": sk.average_precision_score(truth, drawn.probabilities[:, index]),
            "prevalence": support[index] / len(drawn),
        }
        assert {key: figure.value for key, figure in figures[name].items()} == pytest.approx(expected)


@pytest.mark.parametrize(("scope", "average"), [(MACRO, "macro"), (WEIGHTED, "weighted")])
def test_averages_are_scikit_learns(drawn, scope, average):
    figures = drawn.figures()[scope]
    precision, recall, f1, _ = sk.precision_recall_fscore_support(drawn.labels, drawn.called(), average=average)
    auroc = sk.roc_auc_score(drawn.labels, drawn.probabilities, multi_class="ovr", average=average)
    found = [figures[key].value for key in ("precision", "recall", "f1", "auroc")]
    assert found == pytest.approx([precision, recall, f1, auroc])


def test_overall_figures_are_the_libraries(drawn):
    labels, called, p = drawn.labels, drawn.called(), drawn.probabilities
    torch_p, torch_labels = torch.from_numpy(p), torch.from_numpy(labels)
    expected = {
        "accuracy": sk.accuracy_score(labels, called),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, called),
        "mcc": sk.matthews_corrcoef(labels, called),
        "kappa": sk.cohen_kappa_score(labels, called),
        "log_loss": sk.log_loss(labels, p),
        "brier": sk.brier_score_loss(labels, p, scale_by_half=False),
        "ece": multiclass_calibration_error(torch_p, torch_labels, len(CLASSES), n_bins=calibration.BINS).item(),
    }
    found = {key: figure.value for key, figure in drawn.figures()[OVERALL].items() if key != "ece_floor"}
    assert found == pytest.approx(expected, rel=1e-5)


def test_brier_of_two_classes_is_scikit_learns():
    two = evaluation(classes=("no", "yes"))
    expected = sk.brier_score_loss(two.labels, two.probabilities[:, 1])
    assert metrics.briers(two.labels, two.probabilities).mean() == pytest.approx(expected)


def test_confusion_is_scikit_learns(drawn):
    assert (drawn.confusion() == sk.confusion_matrix(drawn.labels, drawn.called())).all()


def test_tied_scores_share_a_threshold():
    scores = np.round(evaluation().probabilities[:, 0], 1)
    truth = evaluation().labels == 0
    threshold, tp, fp = metrics.sweep(scores, truth, np.ones((len(truth), 1), np.float32))
    fpr, tpr, expected = sk.roc_curve(truth, scores, drop_intermediate=False)
    assert threshold == pytest.approx(expected)
    assert tp[:, 0] / truth.sum() == pytest.approx(tpr)
    assert fp[:, 0] / (~truth).sum() == pytest.approx(fpr)
    assert metrics.auroc(tp, fp)[0] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert metrics.average_precision(tp, fp)[0] == pytest.approx(sk.average_precision_score(truth, scores))


def test_a_weight_is_the_same_as_repeating_the_film():
    drawn, rng = evaluation(films=80), np.random.default_rng(3)
    weights = rng.integers(0, 3, 80)
    again = np.repeat(np.arange(80), weights)
    column = weights[:, None].astype(np.float32)
    _, tp, fp = metrics.sweep(drawn.probabilities[:, 1], drawn.labels == 1, column)
    truth, scores = drawn.labels[again] == 1, drawn.probabilities[again, 1]
    assert metrics.auroc(tp, fp)[0] == pytest.approx(sk.roc_auc_score(truth, scores))
    assert metrics.average_precision(tp, fp)[0] == pytest.approx(sk.average_precision_score(truth, scores))
    matrix = metrics.confusion(drawn.labels, drawn.called(), 3, column)[0]
    assert (matrix == sk.confusion_matrix(drawn.labels[again], drawn.called()[again])).all()


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 10), (499, 500), (1, 1)])
def test_wilson_is_scipys(hits, n):
    expected = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_wilson_of_nothing_is_undefined():
    assert all(math.isnan(limit) for limit in wilson(0, 0))


def test_predictive_values_are_bayes_rule_on_imagined_patients():
    sensitivity, specificity, sick, healthy = 0.9, 0.8, 50, 950
    ppv, npv = metrics.predictive_values(np.array(sensitivity), np.array(specificity), 0.05)
    assert ppv == pytest.approx(sick * sensitivity / (sick * sensitivity + healthy * (1 - specificity)))
    assert npv == pytest.approx(healthy * specificity / (healthy * specificity + sick * (1 - sensitivity)))


def test_reliability_counts_every_film_once(drawn):
    for name in (None, *CLASSES):
        assert drawn.reliability(name)["n"].sum() == len(drawn)


def test_reliability_adds_up_to_the_calibration_error(drawn):
    bins = drawn.reliability()
    weighted = (bins["n"] * (bins["said"] - bins["came_true"]).abs()).sum() / bins["n"].sum()
    assert drawn.figures()[OVERALL]["ece"].value == pytest.approx(weighted)


def test_calibration_floor_is_what_honest_probabilities_show():
    rng = np.random.default_rng(0)
    said = rng.uniform(0.3, 1, 400)
    floor = calibration.calibration_floor(said)
    ones = np.ones((400, 1))
    honest = [calibration.calibration_error(said, rng.random(400) < said, ones)[0] for _ in range(200)]
    assert floor.mean() == pytest.approx(np.mean(honest), rel=0.1)
