"""The Shortcut lab: every step runs, and what it says is what the cards measured."""

import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.data.phantom.shortcuts import KINDS, SHORTCUTS
from core.explain.hide import SEAMLESS
from core.hunt.exchange import LEAST
from core.model.checkpoint import load
from pages.shared import corners, resources, shipped
from pages.teach import unlearned
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


def test_every_step_runs_and_the_cheat_fails_in_the_new_hospital(lab: AppTest) -> None:
    assert len(lab.segmented_control(key="shortcut step").options) == 7
    for step in (1, 2, 3, 4, 6, 7, 5):
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
    for name in corners.MODELS:
        model = resources.classifier(name)
        found = shipped.without_corners(corners.shipped_key(fingerprint, model, SEAMLESS))
        assert found is not None  # else: python -m benchmarks.corners
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


def test_the_mended_model_holds_in_the_new_hospital(lab: AppTest) -> None:
    """What ships is what the mending measured: python -m benchmarks.mend --lab FOLDER."""
    sound(lab.segmented_control(key="shortcut step").set_value(6).run())
    told = shipped.mended("cheat")
    assert told is not None
    shown = {metric.label.split(": ")[1]: metric.value for metric in lab.metric}
    assert shown == {title: f"{shipped.value(told['after'], key):.0%}" for key, title in unlearned.FIGURES.items()}
    assert shipped.value(told["after"], "elsewhere") > shipped.value(told["before"], "elsewhere") + 0.3
    assert shipped.value(told["after"], "lung_share") > shipped.value(told["before"], "lung_share") + 0.3


def test_the_cheat_follows_the_corners_that_are_chosen(lab: AppTest) -> None:
    sound(lab.segmented_control(key="shortcut step").set_value(6).run())
    for name in ("Normal", "COVID-19"):
        sound(lab.segmented_control(key="shortcut donor").set_value(name).run())
        told = next(text.value for text in lab.markdown if "not yet mended" in text.value)
        assert f"and **{name}** once" in told


def test_what_the_cheat_says_of_the_pasted_film_is_what_it_calls(lab: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was the likeliest class, beside the one called of the film itself."""
    output = resources.classifier("cheat").output
    points = dict(zip(output.classes, output.operating_points, strict=True))
    likeliest, called = max(points, key=points.__getitem__), min(points, key=points.__getitem__)
    assert points[likeliest] / points[called] > 0.49 / 0.47
    said = dict.fromkeys(output.classes, 0.02) | {likeliest: 0.49, called: 0.47}
    monkeypatch.setattr(resources, "probabilities", lambda *_: said)
    sound(lab.segmented_control(key="shortcut step").set_value(6).run())
    told = next(text.value for text in lab.markdown if "not yet mended" in text.value)
    assert f"and **{called}** once it has the donor's corners (0.47)" in told


def test_figures_of_other_weights_are_not_shown(lab: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = json.loads(shipped.MENDED.read_text(encoding="utf-8")) | {"from_weights": 64 * "0"}
    monkeypatch.setattr(shipped, "MENDED", tmp_path / "mended.json")
    shipped.MENDED.write_text(json.dumps(other), encoding="utf-8")
    sound(lab.segmented_control(key="shortcut step").set_value(6).run())
    assert not lab.metric
    assert "of other weights" in lab.info[0].value


def test_each_kind_of_shortcut_is_shown_with_what_was_said_of_it(lab: AppTest) -> None:
    """python -m benchmarks.shortcuts --write"""
    told = shipped.battery()
    assert told is not None
    assert list(told["kinds"]) == list(KINDS)
    assert len(told["clean"]) >= 3
    sound(lab.segmented_control(key="shortcut step").set_value(7).run())
    assert len(lab.selectbox(key="shortcut kind").options) == len(KINDS)
    found_out = {kind: row["hypotheses"] > 0 for kind, row in told["kinds"].items()}
    silent = next(kind for kind, row in told["kinds"].items() if row["hunter"] < LEAST)
    for kind in (KINDS[0], silent, "wire"):
        sound(lab.selectbox(key="shortcut kind").set_value(kind).run())
        words = " ".join(text.value for text in lab.main.markdown)
        assert SHORTCUTS[kind].carried in words
        assert ("**Found out.**" in words) == found_out[kind]
        assert ("no exchange moved the answer" in words) == (told["kinds"][kind]["hunter"] < LEAST)
        assert ("**A lead, no hypothesis.**" in words) == (kind == "wire")
        home, elsewhere = (told["kinds"][kind][name] for name in ("home", "elsewhere"))
        assert [metric.value for metric in lab.metric] == [f"{home:.0%}", f"{elsewhere:.0%}"]


def test_a_kind_that_was_not_measured_has_no_figures(
    lab: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = json.loads(shipped.BATTERY.read_text(encoding="utf-8"))
    del told["kinds"]["wire"]
    monkeypatch.setattr(shipped, "BATTERY", tmp_path / "battery.json")
    shipped.BATTERY.write_text(json.dumps(told), encoding="utf-8")
    sound(lab.segmented_control(key="shortcut step").set_value(7).run())
    sound(lab.selectbox(key="shortcut kind").set_value("wire").run())
    assert not lab.metric
    assert "No figures of this kind" in lab.info[0].value
