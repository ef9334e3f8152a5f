"""Before and after a mending: the worst group is called as every other figure is."""

from dataclasses import replace

import numpy as np

from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX, at_points
from core.hunt import proof
from tests.evaluate.drawn import CLASSES, evaluation


def lowest(films: Evaluation, called: np.ndarray) -> float:
    groups = films.samples.assign(label=films.labels, right=called == films.labels).groupby(["label", "source"])
    return float(groups["right"].mean()[groups.size() >= proof.FEWEST].min())


def test_the_worst_group_is_called_by_the_models_own_operating_points() -> None:
    films = replace(evaluation(), point=at_points(dict(zip(CLASSES, (0.7, 0.1, 0.3), strict=True))))
    by_own, likeliest = lowest(films, films.called()), lowest(films, films.called(ARGMAX))
    assert by_own != likeliest
    assert proof._worst(films)[0] == by_own
    assert proof._worst(replace(films, point=ARGMAX))[0] == likeliest
