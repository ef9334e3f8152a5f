"""The frame: one case for all pages, links that reproduce it, and links that ask for what is not there."""

import pytest
from streamlit.testing.v1 import AppTest

from core.data.phantom.cohort import cohort
from tests.conftest import REPOSITORY
from tests.pages.tiny import sound

PAGES = ("case/predict.py", "case/heatmaps.py", "data/explore.py", "data/augment.py", "teach/quiz.py")
LINK = {
    "case": "40",
    "class": "COVID-19",
    "method": "layercam",
    "layer": "layer2",
    "opacity": "0.35",
    "threshold": "0.2",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_fresh_visit_of_any_page_is_sound(open_page, path):
    app = open_page(path)
    assert app.title[0].value
    assert any("not for diagnosis" in caption.value for caption in app.main.caption)


def test_a_link_reproduces_what_its_sender_saw(open_page):
    app = open_page("case/heatmaps.py", **LINK)
    assert app.number_input(key="case").value == 40
    assert app.segmented_control(key="class").value == "COVID-19"
    assert app.selectbox(key="method").value == "layercam"
    assert app.selectbox(key="layer").value == "layer2"
    assert app.slider(key="opacity").value == 0.35
    assert app.slider(key="threshold").value == 0.2
    assert {key: app.query_params[key] for key in LINK} == LINK


def test_choices_survive_a_visit_to_another_page(open_page):
    app = open_page("case/heatmaps.py", **LINK)
    app.switch_page("pages/data/explore.py").run()
    app.switch_page("pages/case/heatmaps.py").run()
    assert app.slider(key="opacity").value == 0.35
    assert app.segmented_control(key="class").value == "COVID-19"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("opacity", "7", "The link says opacity=7, but a number from 0 to 1 was expected"),
        ("case", "first", "The link says case=first, but a film's number"),
        ("case", "999999", "asks for the case “999999”, which is not here"),
        ("class", "Measles", "asks for the class “Measles”"),
        ("method", "tea-leaves", "asks for the method “tea-leaves”"),
        ("model", "nobody", "asks for the model “nobody”"),
    ],
)
def test_a_link_that_does_not_fit_is_mended_and_said(open_page, key, value, sentence):
    app = open_page("case/heatmaps.py", **{key: value})
    assert any(sentence in warning.value for warning in app.warning), [warning.value for warning in app.warning]


@pytest.mark.parametrize("page", ["case/predict.py", "case/heatmaps.py", "data/augment.py"])
def test_a_link_to_somebody_elses_upload_gets_no_stand_in(monkeypatch, tiny_weights, page):
    monkeypatch.setenv("HILUM_WEIGHTS", str(tiny_weights))
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params.update({"cohort": "phantom:fair", "model": "other", "upload": "1"})
    app.switch_page(f"pages/{page}").run()
    assert not app.exception
    assert "stays in the session of who uploaded it" in app.error[0].value
    assert not app.header
    assert app.session_state["model"] == "honest"  # what knows the cohort, not what the upload was judged by
    buttons = [button.label for button in app.button]
    app.button[buttons.index("Show the cohort's film")].click().run()
    assert not app.error


def test_a_cohort_that_is_not_there_is_said_in_words(monkeypatch):
    monkeypatch.setattr("pages.shared.access.may_open", lambda spec: True)  # as typed: AppTest offers what is listed
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params["cohort"] = "/no/such/folder"
    app.switch_page("pages/data/explore.py").run()
    assert not app.exception
    assert 'There is no "/no/such/folder"' in app.error[0].value
    assert app.session_state["cohort"] == "phantom:fair"


def test_previous_next_and_any_film(open_page):
    app = open_page("case/predict.py", case="5")
    app.button(key="Next film").click().run()
    assert app.session_state["case"] == 6
    app.button(key="Previous film").click().run()
    assert app.session_state["case"] == 5
    app.button(key="Any film").click().run()
    sound(app)


def test_another_cohort_brings_its_own_model_and_film(open_page):
    app = open_page("case/predict.py", case="5", model="other")
    app.selectbox(key="cohort").set_value("phantom:new-hospital").run()
    sound(app)
    assert app.session_state["cohort"] == "phantom:new-hospital"
    assert app.session_state["case"] != 5


def test_a_first_visit_shows_a_clear_finding(open_page):
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    sound(app.run())
    film = cohort("fair").samples.iloc[app.session_state["case"] - 1]
    assert (film["label"], film["split"], film["band"]) == ("COVID-19", "test", "moderate")
    assert app.session_state["model"] == "honest"


def test_the_pages_that_bring_their_own_films_ask_for_none(open_page):
    assert open_page("case/heatmaps.py").number_input(key="case")
    assert not any(control.key == "case" for control in open_page("teach/quiz.py").number_input)


def test_an_alien_model_is_announced(open_page):
    app = open_page("case/predict.py")
    assert any("This model learned from nothing" in caption.value for caption in app.sidebar.caption)


def test_the_question_is_asked_until_it_is_answered(open_page):
    app = open_page("case/predict.py")
    assert any("must not guide care" in text.value for text in app.markdown)
    app.button[[button.label for button in app.button].index("I understand")].click().run()
    assert not any("must not guide care" in text.value for text in app.markdown)


def test_a_click_that_overtakes_the_first_run_of_a_link_counts(open_page, monkeypatch):
    monkeypatch.setattr("pages.shared.state.publish", lambda: None)  # as if every run were cut short
    app = open_page("case/heatmaps.py", **LINK)
    app.segmented_control(key="class").set_value("Normal").run()
    assert app.session_state["class"] == "Normal"


def test_a_click_with_the_address_of_long_ago_counts(open_page, monkeypatch):
    monkeypatch.setattr("pages.shared.state.ECHO", 0.0)  # as on a machine that takes its time
    app = open_page("case/heatmaps.py", case="40")
    app.query_params.clear()
    app.query_params["case"] = "40"
    app.number_input(key="case").set_value(7).run()
    assert app.session_state["case"] == 7
    app.query_params["case"] = "12"  # the browser's Back: another address, and nothing was clicked
    app.run()
    assert app.session_state["case"] == 12
