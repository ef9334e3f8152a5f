"""The table that menus, help texts and checks are made from."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from core.explain.methods import METHODS, find
from tests.explain.toys import CLASSES, classifier, picture


def test_every_row_says_what_it_shows_how_it_misleads_and_where_it_is_from() -> None:
    for key, row in METHODS.items():
        assert row.name == key
        for sentence in (row.shows, row.weakness):
            assert sentence.endswith("."), key
            assert len(sentence) < 140, key
        assert row.title
        assert row.paper
    assert {row.title for row in METHODS.values() if row.signed} >= {"Occlusion", "Integrated gradients"}


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    assert find("layercam").title == "Layer-CAM"
    with pytest.raises(ExplainError, match="gradcam, gradcam\\+\\+"):
        find("cam")


def test_a_new_layered_method_runs_its_own_function_and_never_another(monkeypatch) -> None:
    toy, film = classifier(), picture()

    def ones(asked):
        return np.ones((len(asked.indices), *asked.cut.feature_map.shape[-2:]), np.float32), asked.cut.upper(
            asked.cut.feature_map
        )[0]

    row = replace(METHODS["eigencam"], name="ones", title="Ones", function=ones)
    monkeypatch.setitem(METHODS, "ones", row)
    assert (heatmaps(toy, film, "ones", [CLASSES[0]])[CLASSES[0]].values == 1).all()
