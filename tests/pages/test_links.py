"""A link carries everything that was set: set it, read the address, open it elsewhere, and the same is shown."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choices import in_address
from tests.conftest import REPOSITORY
from tests.pages.conftest import OpenPage
from tests.pages.tiny import sound

WIDGETS = ("segmented_control", "selectbox", "slider", "select_slider", "toggle", "number_input", "multiselect")
SET: dict[str, tuple[str, dict[str, Any]]] = {
    "a hidden box": (
        "case/heatmaps.py",
        {"hide": "box", "across": (10.0, 40.0), "fill": "black", "mode": "Swipe", "outline": True},
    ),
    "another film beside": ("case/heatmaps.py", {"beside": "film", "beside_film": 7, "colormap": "viridis"}),
    "a class and not another": ("case/heatmaps.py", {"method": "finercam", "against": "COVID-19"}),
    "a view of the cohort": ("data/explore.py", {"explore view": "counts"}),
    "what a cohort is counted against": ("data/explore.py", {"explore view": "counts", "counts against": "view"}),
    "a page of a table": ("data/explore.py", {"explore view": "table", "table page": 3}),
    "a figure of all models": ("model/compare.py", {"figure": "auroc"}),
    "a page of Compare": ("model/compare.py", {"compare view": "Training"}),
    "what is hunted": ("model/strategies.py", {"hunt films": 64, "hunt class": "COVID-19"}),
    "methods": ("teach/methods.py", {"lab methods": ["gradcam", "randomcam"], "lab films": 4}),
    "another film in the chain": ("data/augment.py", {"below": "draws", "random": True, "heat": False}),
}


def choose(app: AppTest, key: str, value: Any) -> None:
    """Use the widget of a key."""
    for kind in WIDGETS:
        for widget in app.get(kind):
            if widget.key == key:
                sound(widget.set_value(value).run())
                return
    raise AssertionError(f"no widget has the key {key}")


@pytest.mark.parametrize("story", SET)
def test_a_link_carries_what_was_set(open_page: OpenPage, story: str) -> None:
    path, chosen = SET[story]
    app = open_page(path, case="40")
    for key, value in chosen.items():
        choose(app, key, value)
    link = {name: app.query_params[name] for name in app.query_params}
    assert {in_address(key) for key in chosen} <= link.keys()
    other = open_page(path, **link)
    assert {name: other.query_params[name] for name in other.query_params} == link
    assert {key: other.session_state[key] for key in chosen} == chosen
    assert not [said.value for said in other.warning if "link" in said.value]


def test_a_chain_of_augmentations_is_in_the_link_with_its_values(open_page: OpenPage) -> None:
    app = open_page("data/augment.py")
    app.selectbox(key="add step").set_value("gamma").run()
    number = app.session_state["chain"][-1][0]
    app.slider(key=f"step {number} gamma").set_value(1.5).run()
    link = {name: app.query_params[name] for name in app.query_params}
    other = open_page("data/augment.py", **link)
    steps = json.loads(other.query_params["steps"])
    assert [step["name"] for step in steps] == ["rotate", "gamma"]
    assert steps[1]["gamma"] == 1.5
    assert other.query_params["steps"] == app.query_params["steps"]


@pytest.mark.parametrize("chain", ['[{"name":"rm"}]', "[1]", "{", '[{"name":"rotate","angle":9e9}]', "[" * 3000])
def test_a_chain_that_does_not_fit_is_said(open_page: OpenPage, chain: str) -> None:
    app = open_page("data/augment.py", steps=chain)
    assert any("a chain of augmentations was expected" in warning.value for warning in app.warning)
    assert [name for _, name in app.session_state["chain"]] == ["rotate"]


def test_the_shortcut_lab_is_linked_with_step_and_film() -> None:
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params.update({"shortcut-step": "2", "shortcut-film": "3"})
    sound(app.switch_page("pages/teach/shortcut.py").run())
    assert app.segmented_control(key="shortcut step").value == 2
    assert app.session_state["shortcut film"] == 3
    assert app.query_params["shortcut-film"] == "3"


def test_a_choice_of_another_page_is_kept_and_not_in_the_address(open_page: OpenPage) -> None:
    app = open_page("data/explore.py", **{"explore-view": "counts"})
    app.switch_page("pages/case/predict.py").run()
    assert "explore-view" not in app.query_params
    app.switch_page("pages/data/explore.py").run()
    assert app.segmented_control(key="explore view").value == "counts"
