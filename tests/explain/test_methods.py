"""The table that menus, help texts and checks are made from."""

import pytest

from core.errors import ExplainError
from core.explain.heatmap.cam import LIBRARY
from core.explain.methods import METHODS, find


def test_every_row_says_what_it_shows_how_it_misleads_and_where_it_is_from() -> None:
    assert len(METHODS) == 13
    for key, row in METHODS.items():
        assert row.name == key
        for sentence in (row.shows, row.weakness):
            assert sentence.endswith("."), key
            assert len(sentence) < 140, key
        assert row.title
        assert row.paper
    assert {row.title for row in METHODS.values() if row.signed} == {"Occlusion", "Integrated gradients"}
    assert set(LIBRARY) <= set(METHODS)


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    assert find("layercam").title == "Layer-CAM"
    with pytest.raises(ExplainError, match="gradcam, gradcam\\+\\+"):
        find("cam")
