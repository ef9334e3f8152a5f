"""The Compare page: every model in a line, curves, and two models on the same films and on one film."""

from dataclasses import replace
from shutil import rmtree

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.model.checkpoint import load, save
from tests.conftest import REPOSITORY
from tests.pages.evaluated_films import COHORT, checkpoints
from tests.pages.test_report import sound

PAGE = "pages/model/compare.py"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    checkpoints(root)
    return root


@pytest.fixture
def page(weights, monkeypatch):
    monkeypatch.setenv("HILUM_WEIGHTS", str(weights))
    st.cache_data.clear()
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params.update({"cohort": COHORT, "model": "tiny-a"})
    app.switch_page(PAGE).run()
    sound(app)
    return app


def test_every_model_has_a_line_with_intervals(page):
    table = page.dataframe[0].value.set_index("Model")
    assert {"Model A", "Model B"} <= set(table.index)
    assert "[" in table.loc["Model A", "Accuracy"]
    assert table.loc["Model A", "Published"] == "accuracy 0.9"
    assert table.loc["Model A", "Test films"] == 80
    assert "ms per film" not in table


def test_a_model_without_an_evaluation_has_dashes_and_not_the_word_none(page, weights):
    kept = load(weights / "tiny-b")
    folder = save(
        replace(kept, card=replace(kept.card, name="tiny-d", title="Model D", published={})), weights / "tiny-d"
    )
    sound(page.run())
    rmtree(folder)
    shown = page.dataframe[0]
    line = shown.value.set_index("Model").loc["Model D"]
    assert line["Accuracy"] == "not kept"
    assert line[["Test films", "Published"]].isna().all()
    assert shown.proto.placeholder == "–"


def test_models_of_other_classes_are_not_shown_a_cohort_in_vain(page, weights):
    other = load(weights / "tiny-b")
    classes = ("Normal", "Mild", "Moderate", "Severe")
    card = replace(other.card, name="tiny-c", title="Model C", classes=classes, thresholds={})
    folder = save(replace(other, card=card), weights / "tiny-c")
    page.segmented_control(key="compare view").set_value("Two on the same films").run()
    page.selectbox(key="second model").set_value("tiny-c").run()
    rmtree(folder)
    sound(page)
    assert "Only models of the same classes" in page.info[0].value
    assert not any(button.label.startswith("Show ") for button in page.button)


def test_speed_is_measured_here(page):
    page.button[[b.label for b in page.button].index("Measure milliseconds per film here")].click().run()
    sound(page)
    assert (page.dataframe[0].value["ms per film"] > 0).all()


def test_training_curves(page):
    page.segmented_control(key="compare view").set_value("Training").run()
    sound(page)
    page.multiselect(key="curves of").set_value(["tiny-b"]).run()
    sound(page)


def test_two_models_on_the_same_films(page):
    page.segmented_control(key="compare view").set_value("Two on the same films").run()
    sound(page)
    page.selectbox(key="second model").set_value("tiny-b").run()
    sound(page)
    assert any("80 films" in text.value and "by chance with p" in text.value for text in page.markdown)
    table = page.dataframe[0].value.set_index("Figure")
    assert float(table.loc["Accuracy", "Second less first"].split()[0]) > 0


def test_two_models_on_one_film(page):
    page.segmented_control(key="compare view").set_value("Two on this film").run()
    sound(page)
    page.selectbox(key="second model").set_value("tiny-b").run()
    sound(page)
    shown = " ".join(text.value for text in page.markdown)
    assert "Model A" in shown
    assert "Model B" in shown


def test_the_leaderboard_ranks_on_the_same_films(page):
    page.segmented_control(key="compare view").set_value("Leaderboard").run()
    page.multiselect(key="ranked").set_value(["tiny-a", "tiny-b"]).run()
    sound(page)
    assert any("80 films" in text.value for text in page.markdown)
    table = page.dataframe[0].value
    assert table["Model"].tolist() == ["Model B", "Model A"]
    assert table["Tied with the best"].tolist() == [True, False]
    assert "[" in table["Accuracy"].iloc[0]
    assert "CSV" in [button.proto.label for button in page.get("download_button")]
    page.selectbox(key="ranked by").set_value("log_loss").run()
    sound(page)
    assert page.dataframe[0].value["Model"].tolist() == ["Model B", "Model A"]
    page.multiselect(key="ranked").set_value(["tiny-a"]).run()
    sound(page)
    assert "two models or more" in page.info[0].value


def test_train_and_test_reports_stand_side_by_side_where_both_are_kept(page, weights):
    page.segmented_control(key="compare view").set_value("Training").run()
    sound(page)
    assert not [frame for frame in page.dataframe if "Figure" in frame.value]  # validation and test films only
    file = weights / "tiny-a" / "evaluation.parquet"
    before = file.read_bytes()
    table = pd.read_parquet(file)
    table.assign(split=table["split"].replace("validation", "train")).to_parquet(file)
    page.run()
    sound(page)
    file.write_bytes(before)
    shown = page.dataframe[-1].value
    assert list(shown.columns[:4]) == ["Class", "Figure", "train", "test"]
    assert set(shown["Figure"]) == {"Precision", "Recall", "F1", "Films", "Accuracy"}


@pytest.mark.parametrize(
    ("view", "chosen"),
    [
        pytest.param("Training", {"curves of": ["tiny-b"]}, id="training"),
        pytest.param("Leaderboard", {"ranked by": "auroc"}, id="figure"),
        pytest.param("Leaderboard", {"ranked": ["tiny-b"]}, id="models"),
    ],
)
def test_the_lists_go_with_the_link(page, view, chosen):
    page.segmented_control(key="compare view").set_value(view).run()
    for key, value in chosen.items():
        (page.multiselect if isinstance(value, list) else page.selectbox)(key=key).set_value(value).run()
    other = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    other.query_params.update({name: page.query_params[name] for name in page.query_params})
    other.switch_page(PAGE).run()
    sound(other)
    assert {key: other.session_state[key] for key in chosen} == chosen
    assert [list(table.value["Model"]) for table in other.dataframe if "Model" in table.value] == [
        list(table.value["Model"]) for table in page.dataframe if "Model" in table.value
    ]
    assert not [said.value for said in other.warning if "link" in said.value]
