"""The Quiz: cases the model can be asked about fairly, and a score that speaks both languages."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

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
        answer = app.session_state["_answers"][case]
        assert answer.expected == {"Viral Pneumonia": "Pneumonia"}.get(answer.label, answer.label)
        words = next(text.value for text in app.markdown if text.value.startswith("It is "))
        assert words.endswith(f"{'right' if answer.model == answer.expected else 'not right'}**.")
        _click(app, "Next case")
    model = sum(answer.model == answer.expected for answer in app.session_state["_answers"])
    assert app.metric[2].value == f"{model} of 10"


def test_who_marks_nothing_has_no_box(open_page: OpenPage) -> None:
    app = open_page("teach/quiz.py", seed="7")
    app.radio(key="guess").set_value("Normal").run()
    _click(app, "Next: mark the region")
    _click(app, "Nothing to mark")
    shown = " ".join(text.value for text in [*app.markdown, *app.caption])
    assert "Your box overlaps" not in shown
    assert "Yellow" not in shown


def test_a_cohort_of_other_labels_is_said_to_be_one(open_page: OpenPage, of_other_words: str, tmp_path: Path) -> None:
    folder = Path(small_cohort(tmp_path, films=1))
    for number, name in enumerate(("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")):
        (folder / name).rename(folder / f"Ward {number}")
    app = open_page("teach/quiz.py", model=of_other_words, cohort=str(folder))
    assert "No film of" in app.info[0].value
