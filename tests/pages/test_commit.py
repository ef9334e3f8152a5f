"""Commit first: nothing of the model before the reader has answered, and no evidence before the model has."""

from tests.pages.conftest import OpenPage
from tests.pages.tiny import sound


def _click(app, label: str) -> None:
    sound(next(button for button in app.button if button.label == label).click().run())


def test_the_reader_answers_before_the_model(open_page: OpenPage) -> None:
    app = open_page("case/predict.py", case="5", commit="1")
    assert app.toggle(key="commit").value
    assert not app.header  # no answer, no neighbours
    assert not app.get("plotly_chart")
    key = next(radio.key for radio in app.radio if radio.key.startswith("commit "))
    app.radio(key=key).set_value("something else").run()
    _click(app, "Commit")
    assert len(app.header) >= 1  # the model's answer
    assert not app.get("plotly_chart")
    box = next(box for box in app.selectbox if box.label == "Your answer now")
    box.set_value("COVID-19").run()
    _click(app, "Show the evidence")
    assert app.get("plotly_chart")
    (kept,) = app.session_state["_commits"].values()
    assert (kept.reader, kept.sure, kept.final, kept.changed) == ("something else", "fairly sure", "COVID-19", True)
    assert kept.seconds >= 0
    assert kept.seconds_model >= 0
    assert any("changed to COVID-19" in caption.value for caption in app.caption)
    app.number_input(key="case").set_value(6).run()
    assert not app.get("plotly_chart")  # each film is asked about anew


def test_who_does_not_ask_for_it_sees_the_answer_at_once(open_page: OpenPage) -> None:
    app = open_page("case/predict.py", case="5")
    assert app.get("plotly_chart")
    assert "commit" not in app.query_params
