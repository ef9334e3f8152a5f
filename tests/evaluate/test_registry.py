"""One row for each figure: nothing is shown, bounded, compared or explained that has none."""

import numpy as np
import pytest

from core.evaluate.compare import COMPARED, compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.glossary import GLOSSARY, Policy
from core.evaluate.resampled import Resampled
from core.intervals import TOO_FEW
from tests.evaluate.drawn import evaluation


@pytest.fixture(scope="module")
def drawn() -> Evaluation:
    return evaluation(films=90, seed=3)


def test_every_figure_has_a_row_and_every_row_a_figure(drawn):
    shown = drawn.figures(prevalence={drawn.classes[0]: 0.1})
    assert {key for group in shown.values() for key in group} == set(GLOSSARY)
    assert all(term.title and term.help for term in GLOSSARY.values())


def test_a_row_computes_what_is_shown(drawn):
    films, shown = Resampled(drawn.scores, drawn.called()), drawn.figures()
    for key, term in GLOSSARY.items():
        if not term.computed:
            with pytest.raises(TypeError, match="follows from other figures"):
                term.samples(films)
            continue
        found = term.samples(films)
        scopes = drawn.classes if term.of_class else [scope for scope in shown if str(scope) == "all films"]
        assert np.atleast_1d(found[0]).tolist() == pytest.approx(
            [shown[scope][key].value for scope in scopes], nan_ok=True
        ), key
        low, high = term.scale
        known = found[np.isfinite(found)]
        assert low - 1e-9 <= known.min() <= known.max() <= high + 1e-9, key


def test_every_estimate_says_how_its_interval_was_made(drawn):
    policies = {policy.value for policy in Policy} | {TOO_FEW}
    for group in drawn.figures(prevalence={drawn.classes[0]: 0.1}).values():
        for key, figure in group.items():
            assert figure.method in policies, key
            assert figure.bounded == (figure.method != TOO_FEW), key
    told = drawn.report()
    assert set(told["method"]) <= policies
    floor = told[told["figure"] == "ece_floor"]["method"].iloc[0]
    assert "no confidence interval" in floor


def test_models_are_compared_by_rows_of_the_registry(drawn):
    assert set(COMPARED) <= set(GLOSSARY)
    found = compare(drawn, drawn).differences
    assert set(found) == set(COMPARED)
    assert all(gap.value == 0 for gap in found.values())
