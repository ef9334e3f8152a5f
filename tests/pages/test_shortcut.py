"""The Shortcut lab: every step runs, and what it says is what the cards measured."""

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

from core.model.checkpoint import load
from pages.shared import corners, resources
from tests.conftest import REPOSITORY
from tests.pages.tiny import sound


@pytest.fixture(scope="module")
def lab() -> AppTest:
    """The page at its first step."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    return app.switch_page("pages/teach/shortcut.py").run()


def test_it_begins_with_the_measured_accuracy(lab: AppTest) -> None:
    measured = load("cheat").card.metrics["phantoms"]["confounded"]["accuracy"]
    assert sound(lab).metric[0].value == f"{measured:.1%}"


def test_every_step_runs_and_ends_in_the_new_hospital(lab: AppTest) -> None:
    control = lab.segmented_control(key="shortcut step")
    for step in range(1, len(control.options) + 1):
        sound(lab.segmented_control(key="shortcut step").set_value(step).run())
    cheat, honest = lab.metric
    assert float(cheat.value.rstrip("%")) + 25 < float(honest.value.rstrip("%"))


def test_the_next_step_is_a_click_away(lab: AppTest) -> None:
    control = lab.segmented_control(key="shortcut step")
    sound(control.set_value(3).run())
    sound(next(button for button in lab.button if button.label == "Next step").click().run())
    assert lab.session_state["shortcut step"] == 4
    assert [metric.label.split(":")[0] for metric in lab.metric] == ["Model A", "Model B"]


def test_in_the_new_hospital_the_letter_says_something_else(lab: AppTest) -> None:
    control = lab.segmented_control(key="shortcut step")
    sound(control.set_value(5).run())
    words = " ".join(text.value for text in lab.markdown)
    truth, meant = re.search(r"Truth: \*\*(.+?)\*\*", words), re.search(r"stood for \*\*(.+?)\*\*", words)
    assert truth
    assert meant
    assert truth[1] != meant[1]


def test_another_film_is_another_film(lab: AppTest) -> None:
    before = lab.session_state["shortcut film"]
    following = next(button for button in lab.button if button.label == "Another film")
    sound(following.click().run())
    assert lab.session_state["shortcut film"] == before + 1


def test_without_its_corners_the_cheat_knows_no_more_than_chance(lab: AppTest) -> None:
    control = lab.segmented_control(key="shortcut step")
    sound(control.set_value(4).run())
    words = next(text.value for text in lab.markdown if "corners of all" in text.value)
    cheat, honest = (int(share) for share in re.findall(r"to \*\*(\d+)%", words))
    assert cheat < 35
    assert honest > 85


def test_the_figures_without_corners_are_shipped_and_still_come_out() -> None:
    cohort, fingerprint = resources.cohort(corners.HOME), resources.fingerprint(corners.HOME)
    shipped = json.loads(corners.SHIPPED.read_text(encoding="utf-8"))
    for name in corners.MODELS:
        model = resources.classifier(name)
        found = shipped[corners.shipped_key(fingerprint, model, corners.FILL)]  # else: python -m benchmarks.corners
        assert found["films"] == (cohort.samples["split"] == "test").sum()
        few, films = corners.measure(cohort, model, films=40)
        spread = 3 * (found["accuracy"] * (1 - found["accuracy"]) / films) ** 0.5
        assert abs(few - found["accuracy"]) <= spread


def test_step_three_shows_the_map_and_keeps_its_answer_folded(lab: AppTest) -> None:
    sound(lab.segmented_control(key="shortcut step").set_value(3).run())
    assert [box.label for box in lab.expander] == ["The answer"]
    assert not lab.expander[0].proto.expanded
    told = [text.value for text in lab.main.markdown if "Only the first one asks" in text.value]
    assert told == [text.value for text in lab.expander[0].markdown]
    assert list(lab.table[0].value.columns) == ["Model A", "Model B"]


def test_presenting_hides_the_sentence_and_offers_a_way_out() -> None:
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params["present"] = "1"
    sound(app.switch_page("pages/teach/shortcut.py").run())
    leave = next(button for button in app.button if button.label == "Leave presenter mode")
    sound(leave.click().run())
    assert "present" not in app.query_params
    assert not any(button.label == "Leave presenter mode" for button in app.button)
