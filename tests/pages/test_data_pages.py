"""Explore, Augmentation and Quiz: each control moved, each view opened."""

import json
import tomllib

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.phantom.cohort import cohort
from core.explain import robustness
from core.transform.augment import AUGMENTATIONS, Step
from pages.shared import filters
from pages.shared.explore import scored
from tests.pages.tiny import pictures, small_cohort, sound


def click(app: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    return app.button[[button.label for button in app.button].index(label)].click().run()


def link(app: AppTest) -> dict[str, str]:
    """The address as another browser would open it."""
    return {name: app.query_params[name] for name in app.query_params}


def key(column: str, app: AppTest) -> str:
    """The key of a filter's control, which changes whenever the filters are cleared."""
    return f"filter {column}{app.session_state['_filters_turn']}"


def test_filters_select_and_clear(open_page):
    app = open_page("data/explore.py")
    app.text_input(key=key("patient", app)).set_value("F0833").run()
    assert any("4 of 2,000 films" in text.value for text in app.markdown)
    click(app, "Clear")
    app.multiselect(key=key("label", app)).set_value(["COVID-19"]).run()
    assert any("500 of 2,000 films" in text.value for text in app.markdown)
    app.text_input(key="slice name").set_value("mine").run()
    click(app, "Save")
    sound(click(app, "Clear"))
    assert any("2,000 of 2,000" in text.value for text in app.markdown)
    app.pills(key="slice").set_value("mine").run()
    sound(app)
    assert not any("2,000 of 2,000" in text.value for text in app.markdown)
    assert app.pills(key="slice").value is None  # it can be taken again
    click(app, "Clear")
    assert app.multiselect(key=key("label", app)).value == []
    app.pills(key="slice").set_value("mine").run()
    assert any("500 of 2,000" in text.value for text in sound(app).markdown)


def test_filters_and_lasso_end_with_their_cohort(open_page):
    app = open_page("data/explore.py")
    app.multiselect(key=key("label", app)).set_value(["COVID-19"]).run()
    app.session_state["lasso"] = "2-4"
    app.selectbox(key="cohort").set_value("phantom:confounded").run()
    sound(app)
    assert any("2,000 of 2,000" in text.value for text in app.markdown)
    assert app.multiselect(key=key("label", app)).value == []


def test_filters_outlive_a_visit_to_another_page(open_page):
    app = open_page("data/explore.py")
    app.multiselect(key=key("label", app)).set_value(["COVID-19"]).run()
    app.switch_page("pages/case/predict.py").run()
    app.switch_page("pages/data/explore.py").run()
    assert any("500 of 2,000 films" in text.value for text in sound(app).markdown)


def test_a_number_known_of_some_films_only(open_page, tmp_path):
    small_cohort(tmp_path)
    films = sorted(tmp_path.rglob("*.png"))
    rows = [f"{film},{film.parent.name},{50 if number % 2 else ''}" for number, film in enumerate(films)]
    (tmp_path / "films.csv").write_text("\n".join(["path,label,age", *rows]))
    sound(open_page("data/explore.py", cohort=str(tmp_path / "films.csv")))


def test_the_selection_tells_nothing_of_this_machine():
    table = filters.as_csv(cohort("fair"), np.array([0, 1]))
    assert table.count("F0563-3.png") == 3  # film, lungs, truth
    assert "/" not in table


def test_a_film_of_the_grid_becomes_the_case(open_page):
    app = open_page("data/explore.py")
    sound(app.button(key="films 3 ").click().run())
    assert app.session_state["case"] == 4


def test_every_view_of_a_cohort(open_page, tmp_path, monkeypatch):
    films = tmp_path / "films"
    films.mkdir()
    spec = small_cohort(films)
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    app = open_page("data/explore.py", cohort=spec)
    for view in ("counts", "distributions", "films", "means"):
        sound(app.segmented_control(key="explore view").set_value(view).run())
    app.selectbox(key="difference of").set_value("COVID-19").run()
    app.selectbox(key="difference from").set_value("Lung Opacity").run()
    captions = [shown.caption for shown in pictures(app)]
    assert any("COVID-19 is brighter, blue: Lung Opacity" in caption for caption in captions)
    other = open_page("data/explore.py", **link(app))
    assert [shown.caption for shown in pictures(other)] == captions
    for view in ("map", "similar"):
        app.segmented_control(key="explore view").set_value(view).run()
        if any(button.label == "Show them" for button in app.button):
            click(app, "Show them")
        sound(app)
        if view == "map":
            sound(app.segmented_control(key="projection").set_value("UMAP").run())
            sound(app.selectbox(key="colour").set_value("called").run())
            other = open_page("data/explore.py", **link(app))
            assert other.segmented_control(key="projection").value == "UMAP"
            assert other.selectbox(key="colour").value == "called"
    app.segmented_control(key="explore view").set_value("audit").run()
    sound(click(app, "Audit these films"))
    assert sum(text.value.startswith(":small[:") for text in app.markdown) + len(app.expander) > 10
    said = " ".join([*(text.value for text in app.markdown), *(found.label for found in app.expander)])
    assert "Borders only" in said
    assert next(tmp_path.joinpath("cache").glob("lungs-*.sqlite"))  # lungs were looked for, and are kept between runs


def test_the_map_shows_some_films_before_all(open_page, tmp_path, monkeypatch):
    films = tmp_path / "films"
    films.mkdir()
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(scored, "FIRST", 6)
    app = open_page("data/explore.py", **{"cohort": small_cohort(films), "explore-view": "map"})

    def points() -> int:
        figure = json.loads(app.get("plotly_chart")[0].proto.spec)
        return sum(len(trace["text"]) for trace in figure["data"])

    assert not app.get("plotly_chart")
    sound(click(app, "Show them"))
    assert points() == 6
    sound(click(app, "Show all"))
    assert points() == 24
    assert not any(button.label == "Show all" for button in app.button)


def test_every_augmentation_can_be_added(open_page):
    app = open_page("data/augment.py")
    app.segmented_control(key="below").set_value("copy").run()
    for name, declared in AUGMENTATIONS.items():
        sound(app.selectbox(key="add step").set_value(name).run())
        assert any(declared.reason in caption.value for caption in app.caption)


@pytest.mark.parametrize("name", [name for name, row in AUGMENTATIONS.items() if row.parameters])
def test_every_setting_that_moves_has_a_curve(open_page, name):
    app = open_page("data/augment.py")
    app.button(key="Remove 1").click().run()
    sound(app.selectbox(key="add step").set_value(name).run())
    if robustness.sweepable(Step(name)):
        sound(app.toggle(key="whole range").set_value(True).run())


def test_a_chain_is_reordered_drawn_and_copied(open_page):
    app = open_page("data/augment.py")
    app.selectbox(key="add step").set_value("brightness").run()
    app.button(key="Earlier 2").click().run()
    app.toggle(key="random").set_value(True).run()
    sound(click(app, "Resample"))
    app.segmented_control(key="below").set_value("draws").run()
    assert "Figure" in [button.proto.label for button in app.get("download_button")]
    app.segmented_control(key="below").set_value("copy").run()
    sound(app)
    tables = tomllib.loads(app.code[1].value)["augment"]
    assert [table["name"] for table in tables] == ["brightness", "rotate"]
    app.button(key="Remove 1").click().run()
    assert [table["name"] for table in tomllib.loads(app.code[1].value)["augment"]] == ["brightness"]


def test_every_preset(open_page):
    app = open_page("data/augment.py")
    for preset in app.selectbox(key="preset").options:
        app.selectbox(key="preset").set_value(preset).run()
        sound(app)


def test_a_quiz_from_first_to_last_case(open_page):
    app = open_page("teach/quiz.py", seed="3")
    for case in range(10):
        app.radio(key="guess").set_value("COVID-19" if case % 2 else "Normal").run()
        click(app, "Next: mark the region" if case % 2 else "Next: the model's answer")
        if case % 2:
            app.slider(key="across").set_value((20.0, 60.0)).run()
            click(app, "Add this box")
            click(app, "These regions")
        sound(app)
        click(app, "Show the evidence")
        sound(app)
        click(app, "Next case")
    sound(app)
    assert "last case" in app.success[0].value
    assert app.metric[1].value.endswith("of 10")


def test_one_seed_gives_one_order(open_page):
    rows = [open_page("teach/quiz.py", seed=seed).session_state["_quiz"][2] for seed in ("7", "7", "8")]
    assert rows[0] == rows[1] != rows[2]
    assert len(rows[0]) == 10


def test_the_table_says_what_classes_mean_and_shows_every_row_by_page(open_page):
    app = open_page("data/explore.py")
    sound(app.segmented_control(key="explore view").set_value("table").run())
    meanings = app.dataframe[0].value.set_index("Class")
    assert "confirmed" in meanings.loc["COVID-19", "What it means"]
    assert meanings["Films"].sum() == 2000
    rows = app.dataframe[-1].value
    assert len(rows) == 50
    assert not rows["film"].str.contains("/").any()
    assert "path" not in rows
    app.number_input(key="table page").set_value(40).run()
    sound(app)
    assert any("Rows 1,951 to 2,000 of 2,000" in caption.value for caption in app.caption)
    assert app.dataframe[-1].value["film"].iloc[0] != rows["film"].iloc[0]


def test_a_damaged_film_empties_no_view(open_page, tmp_path, monkeypatch):
    films = tmp_path / "films"
    films.mkdir()
    spec = small_cohort(films)
    (films / "COVID-19" / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    app = open_page("data/explore.py", cohort=spec)
    assert app.session_state["explore view"] == "films"
    assert sum("cannot be read" in caption.value for caption in app.caption) == 1
    assert len(pictures(app)) == 23  # a page holds 24
    sound(app.segmented_control(key="explore view").set_value("distributions").run())
    assert any("1 films cannot be read" in caption.value for caption in app.caption)
    sound(app.segmented_control(key="explore view").set_value("means").run())
    assert any("COVID-19, mean of 6" in picture.caption for picture in pictures(app))
    for view in ("map", "similar"):
        app.segmented_control(key="explore view").set_value(view).run()
        if any(button.label == "Show them" for button in app.button):
            click(app, "Show them")
        sound(app)
        assert not any(button.label == "Show them" for button in app.button)
