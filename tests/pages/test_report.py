"""The Report page: one operating point moves every figure, a cell shows its films, a link reproduces it all."""

import json
from dataclasses import replace
from datetime import date
from io import StringIO

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.evaluate.scopes import OVERALL
from core.model.checkpoint import load, save
from core.report.spreadsheet import MARK
from pages.shared import evaluations
from tests.conftest import REPOSITORY
from tests.pages.evaluated_films import COHORT, checkpoints

PAGE = "pages/model/report.py"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    checkpoints(root)
    return root


@pytest.fixture
def page(weights, monkeypatch):
    """The page of model A, from a link."""
    monkeypatch.setenv("HILUM_WEIGHTS", str(weights))
    st.cache_data.clear()

    def opened(**link: str) -> AppTest:
        app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
        app.query_params.update({"cohort": COHORT, "model": "tiny-a", **link})
        app.switch_page(PAGE).run()
        sound(app)
        return app

    return opened


def sound(app: AppTest) -> None:
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def metrics(app: AppTest) -> dict[str, float]:
    return {metric.label: float(metric.value) for metric in app.metric}


def test_shows_the_test_films_figures(page):
    shown, expected = metrics(page()), evaluations.own("tiny-a")["test"].figures()
    assert shown["Accuracy"] == pytest.approx(expected[OVERALL]["accuracy"].value, abs=6e-4)
    assert shown["Sensitivity"] == pytest.approx(expected["COVID-19"]["recall"].value, abs=6e-4)


def test_it_starts_from_the_model_s_own_operating_points_and_says_so(weights, page):
    """As the headline calls a film: Report and the page of one film must not contradict each other."""
    folder = weights / "tiny-b"
    before = (folder / "card.json").read_bytes()
    checkpoint = load(folder)
    own = dict(zip(checkpoint.card.classes, (0.6, 0.1, 0.3, 0.2), strict=True))
    save(replace(checkpoint, card=replace(checkpoint.card, thresholds=own)), folder)
    try:
        app = page(model="tiny-b")
        test = evaluations.own("tiny-b")["test"]
        called = (test.probabilities / np.array(list(own.values()))).argmax(1)
        likeliest = test.probabilities.argmax(1)
        assert metrics(app)["Accuracy"] == pytest.approx((called == test.labels).mean(), abs=6e-4)
        assert (called == test.labels).mean() != (likeliest == test.labels).mean()
        assert app.segmented_control(key="operating mode").value == "The model's own operating points"
        assert any("whose probability exceeds its own operating point" in c.value for c in app.caption)
        app.segmented_control(key="operating mode").set_value("Most likely class").run()
        sound(app)
        assert metrics(app)["Accuracy"] == pytest.approx((likeliest == test.labels).mean(), abs=6e-4)
        assert any("Called: the most likely class" in caption.value for caption in app.caption)
    finally:
        (folder / "card.json").write_bytes(before)


def test_another_cohort_in_the_sidebar_is_the_one_that_is_meant(page):
    app = page(cohort="phantom:new-hospital")
    assert not app.metric  # nothing is shown of other films in its place
    assert any(button.label.startswith("Show") and "films to Model A" in button.label for button in app.button)


def test_an_operating_point_moves_every_figure_and_the_address(page):
    app = page()
    before = metrics(app)
    app.segmented_control(key="operating mode").set_value("One operating point").run()
    app.slider(key="cutoff").set_value(0.05).run()
    sound(app)
    after = metrics(app)
    assert after["Sensitivity"] > before["Sensitivity"]
    assert after["Specificity"] < before["Specificity"]
    assert after["AUROC"] == before["AUROC"]
    assert app.query_params["cutoff"] in ("0.05", ["0.05"])


def test_a_link_reproduces_the_operating_point(page):
    app = page(cutoff="0.05", **{"class": "Viral Pneumonia"})
    assert app.slider(key="cutoff").value == 0.05
    assert app.selectbox(key="class").value == "Viral Pneumonia"
    assert any("Viral Pneumonia" in caption.value for caption in app.caption)


def test_a_wished_sensitivity_sets_the_cut_off_from_validation_films(page):
    app = page(cutoff="0.5")
    next(b for b in app.button if b.label == "Set by sensitivity").click().run()
    sound(app)
    validation = evaluations.own("tiny-a")["validation"]
    found = validation.probabilities[validation.labels == 1, 1]
    assert (found >= app.session_state["cutoff"]).mean() >= 0.95


def test_costs_set_the_cut_off(page):
    app = page(cutoff="0.5")
    app.number_input(key="cost ratio").set_value(9.0).run()
    next(b for b in app.button if b.label == "Set by costs").click().run()
    assert app.session_state["cutoff"] == pytest.approx(0.1)


def test_a_cut_off_finer_than_the_slider_stays_exact_and_is_shown(page):
    app = page(cutoff="0.5")
    app.number_input(key="cost ratio").set_value(300.0).run()
    next(b for b in app.button if b.label == "Set by costs").click().run()
    sound(app)
    assert app.session_state["cutoff"] == pytest.approx(1 / 301, rel=1e-12)
    assert any("exactly 0.00332226" in caption.value for caption in app.caption)


@pytest.mark.parametrize(("key", "other"), [("class", "Normal"), ("model", "tiny-b")])
def test_a_cut_off_of_one_class_or_model_never_goes_on_for_another(page, key, other):
    app = page(cutoff="0.05", **{"class": "COVID-19"})
    app.selectbox(key=key).set_value(other).run()
    sound(app)
    assert app.session_state["cutoff"] is None
    assert app.segmented_control(key="operating mode").value == "The model's own operating points"
    assert any("set for another class or model" in warning.value for warning in [*app.warning, *app.info])


def test_a_link_s_cut_off_for_a_class_that_is_not_here_is_nobody_s(page):
    app = page(cutoff="0.05", **{"class": "Scoliosis"})
    assert app.selectbox(key="class").value == "COVID-19"
    assert app.session_state["cutoff"] is None
    assert metrics(app) == metrics(page())


def test_prevalence_adds_its_predictive_values(page):
    app = page()
    assert not any(name.startswith("PPV at") for name in metrics(app))
    app.number_input(key="prevalence").set_value(1.0).run()
    sound(app)
    assert metrics(app)["PPV at 1 %"] < metrics(app)["Precision (PPV)"]


def test_a_prevalence_belongs_to_its_class(page):
    app = page()
    app.number_input(key="prevalence").set_value(1.0).run()
    app.selectbox(key="class").set_value("Normal").run()
    assert not any(name.startswith("PPV at") for name in metrics(app))
    app.selectbox(key="class").set_value("COVID-19").run()
    assert "PPV at 1 %" in metrics(app)


@pytest.mark.parametrize("view", ["Curves", "Calibration", "Slices", "Errors", "Doubtful labels", "Export"])
def test_every_view(page, view):
    app = page()
    app.segmented_control(key="report view").set_value(view).run()
    sound(app)
    if view == "Slices":
        for column in app.selectbox(key="slice by").options:
            app.selectbox(key="slice by").set_value(column).run()
            sound(app)
    if view == "Curves":
        for curve in ("Precision-recall", "Cumulative gains"):
            app.segmented_control(key="report curve").set_value(curve).run()
            sound(app)
        assert any(caption.value.startswith("Lift") for caption in app.caption)


def test_a_cell_shows_its_films_with_their_heatmaps_and_the_mean(page):
    app = page()
    app.selectbox(key="cell label").set_value("COVID-19").run()
    app.selectbox(key="cell called").set_value("Normal").run()
    sound(app)
    evaluation = evaluations.own("tiny-a")["test"]
    count = evaluation.confusion()[1, 0]
    assert app.header[0].value == f"COVID-19 called Normal: {count}"
    opener = next(b for b in app.button if b.key and b.key.startswith("cell "))
    opener.click().run()
    assert app.session_state["case"] == int(opener.key.split()[1]) + 1


def test_percent_and_splits(page):
    app = page()
    app.toggle(key="percent").set_value(True).run()
    app.segmented_control(key="split").set_value("validation").run()
    sound(app)
    expected = evaluations.own("tiny-a")["validation"].figures()
    assert metrics(app)["Accuracy"] == pytest.approx(expected[OVERALL]["accuracy"].value, abs=6e-4)


def test_a_model_without_an_evaluation_says_so(page, weights):
    file = weights / "tiny-a" / "evaluation.parquet"
    kept = file.read_bytes()
    file.unlink()
    try:
        app = page()
        assert any("no evaluation.parquet" in info.value for info in app.info)
    finally:
        file.write_bytes(kept)


def test_exports_hold_what_the_page_shows(page, monkeypatch):
    offered = {}
    monkeypatch.setattr(
        st, "download_button", lambda label, make, file, *_, **__: offered.update({label: (file, make)})
    )
    app = page()
    app.segmented_control(key="operating mode").set_value("One operating point").run()
    app.slider(key="cutoff").set_value(0.05).run()
    app.segmented_control(key="report view").set_value("Export").run()
    sound(app)
    file, make = offered["Everything .json"]
    assert file.endswith(f"-tiny-a-everything-{date.today():%Y-%m-%d}.json")
    assert len({name for name, _ in offered.values()}) == 4
    data, shown = json.loads(make()), metrics(app)
    figures = data["splits"]["test"]["figures"]
    assert shown["Sensitivity"] == pytest.approx(figures["COVID-19"]["recall"]["value"], abs=6e-4)
    assert shown["Specificity"] == pytest.approx(figures["COVID-19"]["specificity"]["value"], abs=6e-4)
    table = pd.read_csv(StringIO(offered["Figures .csv"][1]().removeprefix(MARK))).set_index(
        ["split", "scope", "figure"]
    )
    assert table.loc[("test", "COVID-19", "recall"), "value"] == figures["COVID-19"]["recall"]["value"]


def test_a_link_carries_split_view_cell_and_prevalence(page):
    app = page()
    app.segmented_control(key="split").set_value("validation").run()
    app.segmented_control(key="report view").set_value("Curves").run()
    app.segmented_control(key="report curve").set_value("Precision-recall").run()
    app.selectbox(key="cell label").set_value("COVID-19").run()
    app.number_input(key="prevalence").set_value(1.0).run()
    app.segmented_control(key="operating mode").set_value("One operating point").run()
    sound(app)
    link = {name: app.query_params[name] for name in app.query_params}
    other = page(**link)
    kept = ("split", "report view", "report curve", "cell label", "prevalence", "operating mode", "cutoff")
    assert {key: other.session_state[key] for key in kept} == {key: app.session_state[key] for key in kept}
    assert metrics(other) == metrics(app)
    assert not [said.value for said in other.warning if "link" in said.value]
