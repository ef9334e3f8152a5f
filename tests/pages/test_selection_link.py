"""Filters and picked films go into the link, come back from it, and a link that makes none of them is said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from pages.shared.selection_link import films_asked, films_told, filters_asked, filters_told
from tests.pages.conftest import OpenPage
from tests.pages.test_data_pages import key, link
from tests.pages.tiny import small_cohort, sound


def selected(app: AppTest) -> str:
    """How many films pass."""
    return next(text.value for text in app.markdown if "selected" in text.value)


@given(some.sets(some.integers(0, 3000)))
def test_picked_films_are_read_as_they_were_told(rows: set[int]) -> None:
    assert films_asked(films_told(rows)) == sorted(rows)


def test_picked_films_are_told_as_numbers_from_1_in_runs() -> None:
    assert films_told([8, 2, 5, 4, 6]) == "3,5-7,9"


@pytest.mark.parametrize("text", ["0", "3-1", "a", "-3", "1-99999999999", "1-90000,1-90000", "²"])
def test_no_film_is_picked_by(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        films_asked(text)


def test_filters_are_read_as_they_were_told() -> None:
    chosen = {"label": ["COVID-19", "Δ|,"], "age": (20.0, 40.5), "patient": 'F"0'}
    assert filters_asked(filters_told(chosen)) == {"label": ["COVID-19", "Δ|,"], "age": [20.0, 40.5], "patient": 'F"0'}
    assert filters_asked(filters_told({})) == {}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[]", id="a list"),
        pytest.param("{", id="cut off"),
        pytest.param('{"a":1}', id="a number"),
        pytest.param('{"a":[1]}', id="one end of a span"),
        pytest.param('{"a":[1,"b"]}', id="a number and a word"),
        pytest.param('{"a":[NaN,1]}', id="no number"),
        pytest.param('{"a":null}', id="nothing"),
        pytest.param('{"a":[1,1' + "0" * 400 + "]}", id="too large"),
        pytest.param("[" * 3000, id="too deep"),
        pytest.param('{"a":"' + "b" * 5000 + '"}', id="too long"),
    ],
)
def test_no_filter_is_read_from(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        filters_asked(text)


def test_filters_and_lasso_go_with_the_link(open_page: OpenPage) -> None:
    app = open_page("data/explore.py")
    app.multiselect(key=key("label", app)).set_value(["COVID-19", "Normal"]).run()
    app.slider(key=key("age", app)).set_range(30.0, 50.0).run()
    app.text_input(key=key("file name", app)).set_value("F0").run()
    app.session_state["lasso"] = "1-900"
    before = selected(sound(app.run()))
    assert not before.startswith("**2,000")
    other = open_page("data/explore.py", **link(app))
    assert selected(other) == before
    assert not other.warning
    assert other.multiselect(key=key("label", other)).value == ["COVID-19", "Normal"]
    assert other.slider(key=key("age", other)).value == (30.0, 50.0)
    assert link(other) == link(app)
    other.button[[button.label for button in other.button].index("Clear")].click().run()
    assert selected(sound(other)) == "**2,000 of 2,000 films** selected"
    assert not {"filters", "lasso"} & link(other).keys()


def test_a_filter_that_does_not_fit_the_cohort_is_said(open_page: OpenPage) -> None:
    asked = '{"label":["Gout"],"weather":["wet"],"age":["old"],"view":["AP"]}'
    app = open_page("data/explore.py", filters=asked)
    assert [said.value for said in app.warning if "label, weather, age, which is not here" in said.value]
    assert link(app)["filters"] == '{"view":["AP"]}'
    app = open_page("data/explore.py", filters='{"view":7}')
    assert [said.value for said in app.warning if "filters by column was expected" in said.value]


def test_what_may_name_somebody_stays_out_of_the_link(open_page: OpenPage, tmp_path: Path) -> None:
    app = open_page("data/explore.py", cohort=small_cohort(tmp_path))
    app.text_input(key=key("file name", app)).set_value("Mustermann").run()
    assert selected(sound(app)).startswith("**0 of")
    assert "filters" not in link(app)
    assert any("may name somebody" in said.value for said in app.caption)
    app.checkbox(key="names in downloads").check().run()
    assert "Mustermann" in link(app)["filters"]
