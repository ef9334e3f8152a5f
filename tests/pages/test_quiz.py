"""The Quiz: cases the model can be asked about fairly, and a score that speaks both languages."""

import re
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from shutil import rmtree

import pandas as pd
import pytest

from core.data.phantom.cohort import cohort
from core.model.checkpoint import load, save
from tests.pages.conftest import OpenPage
from tests.pages.tiny import small_cohort, sound, tiny_checkpoint


@pytest.fixture
def of_other_words(tiny_weights: Path) -> Iterator[str]:
    """A model that calls every pneumonia one, and knows no lung opacity."""
    found = load(tiny_checkpoint(tiny_weights / "words"))
    classes = ("Normal", "COVID-19", "Pneumonia", "Else")
    labels = {"Normal": "Normal", "COVID-19": "COVID-19", "Viral Pneumonia": "Pneumonia"}
    card = replace(found.card, classes=classes, recipe={"labels": labels}, thresholds={})
    save(replace(found, card=card), tiny_weights / "words")
    yield "words"
    rmtree(tiny_weights / "words")


def _click(app, label: str) -> None:
    sound(next(button for button in app.button if button.label == label).click().run())


def test_a_model_is_right_in_its_own_words(open_page: OpenPage, of_other_words: str) -> None:
    app = open_page("teach/quiz.py", model=of_other_words, seed="3")
    drawn = cohort("fair").samples["label"]
    assert "Lung Opacity" not in {drawn.iloc[row] for row in app.session_state["_quiz"][2]}
    for case in range(10):
        app.radio(key="guess").set_value("Viral Pneumonia").run()
        _click(app, "Next: mark the region")
        _click(app, "Nothing to mark")
        _click(app, "Show the evidence")
        answer = app.session_state["_answers"][case]
        assert answer.expected == {"Viral Pneumonia": "Pneumonia"}.get(answer.label, answer.label)
        words = next(text.value for text in app.markdown if text.value.startswith("It is "))
        assert words.endswith(f"{'right' if answer.model == answer.expected else 'not right'}**.")
        _click(app, "Next case")
    given = app.session_state["_answers"]
    model = sum(answer.model == answer.expected for answer in given)
    assert app.metric[2].value == f"{model} of 10"
    missed = sum(answer.missed for answer in given)
    assert 0 < missed <= 10
    words = next(text.value for text in app.markdown if "were missed" in text.value)
    assert words.startswith(f"**{missed} of 10 cases were missed")
    assert sum(text.value.startswith("Truth: ") for text in app.markdown) == missed


def test_who_marks_nothing_has_no_box(open_page: OpenPage) -> None:
    app = open_page("teach/quiz.py", seed="7")
    app.radio(key="guess").set_value("COVID-19").run()
    _click(app, "Next: mark the region")
    _click(app, "Nothing to mark")
    _click(app, "Show the evidence")
    shown = " ".join(text.value for text in [*app.markdown, *app.caption])
    assert "Your box overlaps" not in shown
    assert "Yellow" not in shown


def test_a_cohort_of_other_labels_is_said_to_be_one(open_page: OpenPage, of_other_words: str, tmp_path: Path) -> None:
    folder = Path(small_cohort(tmp_path, films=1))
    for number, name in enumerate(("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")):
        (folder / name).rename(folder / f"Ward {number}")
    app = open_page("teach/quiz.py", model=of_other_words, cohort=str(folder))
    assert "No film of" in app.info[0].value


def test_nothing_is_asked_about_the_place_of_nothing_and_a_refresh_keeps_all(open_page: OpenPage) -> None:
    app = open_page("teach/quiz.py", seed="7")
    app.radio(key="guess").set_value("Normal").run()
    _click(app, "Next: the model's answer")
    assert any("The model says" in text.value for text in app.markdown)
    assert not any(text.value.startswith("It is ") for text in app.markdown)  # the truth comes with the evidence
    next(box for box in app.selectbox if box.label == "Your answer now").set_value("COVID-19").run()
    _click(app, "Show the evidence")
    _click(app, "Next case")
    app.radio(key="guess").set_value("COVID-19").run()
    app.segmented_control(key="quiz sure").set_value("certain").run()
    _click(app, "Next: mark the region")
    _click(app, "Add this box")
    app.slider(key="across").set_value((70.0, 90.0)).run()
    _click(app, "Add this box")
    _click(app, "These regions")
    _click(app, "Show the evidence")
    given = app.session_state["_answers"]
    assert [answer.said.final for answer in given] == ["COVID-19", "COVID-19"]
    assert given[1].said.boxes == ((0.35, 0.35, 0.65, 0.65), (0.7, 0.35, 0.9, 0.65))
    again = open_page("teach/quiz.py", **{name: app.query_params[name] for name in app.query_params})
    assert [(a.row, a.said.reader, a.said.final, a.said.sure, a.said.boxes, a.model, a.overlap) for a in given] == [
        (a.row, a.said.reader, a.said.final, a.said.sure, a.said.boxes, a.model, a.overlap)
        for a in again.session_state["_answers"]
    ]
    assert again.metric[0].value == "3 of 10"


@pytest.mark.parametrize("text", ["9:9:9::1,1,1", "0:0:0:50,50,10,10:1,1,1", "0", "0:0:0::x"])
def test_answers_of_a_link_that_cannot_be_read_are_said(open_page: OpenPage, text: str) -> None:
    app = open_page("teach/quiz.py", answers=text)
    assert any("answers" in warning.value for warning in app.warning)
    assert app.metric[0].value == "1 of 10"


def test_a_class_round_from_the_code_to_the_wall(open_page: OpenPage) -> None:
    teacher = open_page("teach/quiz.py", seed="7", **{"quiz-for": "Class round"})
    _click(teacher, "Open a round")
    code = teacher.metric[0].value
    pupils = [open_page("teach/quiz.py", round=code) for _ in range(2)]
    for pupil, says in zip(pupils, ("Normal", "COVID-19"), strict=True):
        pupil.radio(key="guess").set_value(says).run()
        if says != "Normal":
            _click(pupil, "Add this box")
        _click(pupil, "Send")
    pupils[0].radio(key="guess").set_value("Lung Opacity").run()
    pupils[0].radio(key="guess").set_value("Viral Pneumonia").run()
    _click(pupils[0], "Send again")
    sound(teacher.run())
    assert teacher.metric[1].value == "2"
    assert not any("Truth" in text.value for text in teacher.markdown)
    _click(teacher, "Show the answers")
    words = next(text.value for text in teacher.markdown if text.value.startswith("Truth: "))
    truth = re.findall(r"\*\*(.+?)\*\*", words)[0]
    for pupil in pupils:
        sound(pupil.run())
        assert any(text.value.startswith(f"It is **{truth}**") for text in pupil.markdown)
    _click(teacher, "Next film")
    assert teacher.metric[1].value == "0"
    pupils[1].run().radio(key="guess").set_value("Normal").run()
    _click(pupils[1], "Send")  # never shown, so in no table
    _click(teacher, "End the round")
    assert any("is over" in info.value for info in pupils[0].run().info)
    table = pd.read_csv(StringIO(teacher.session_state["_round_csv"].lstrip("\ufeff")))
    assert table[["pupil", "sending", "final", "answer", "changed"]].to_numpy().tolist() == [
        [1, 1, False, "Normal", False],
        [1, 2, True, "Viral Pneumonia", True],
        [2, 1, True, "COVID-19", False],
    ]
    assert set(table["case"]) == {1}
    assert set(table["truth"]) == {truth}
    assert re.findall("[A-Z][A-Za-z ]+(?= at)", table["labels"][1]) == ["Normal", "Lung Opacity", "Viral Pneumonia"]
    assert (table["seconds_label"] + table["seconds_regions"] - table["seconds"]).abs().max() <= 1
    assert table["seconds"][1] >= table["seconds"][0]
    assert table["boxes"].tolist() == [0, 0, 1]
    assert "CSV" in [button.proto.label for button in teacher.get("download_button")]
    _click(teacher, "Done")
    assert any(button.label == "Open a round" for button in teacher.button)
