"""The Method lab: nothing is marked unasked, marks are kept, and a cohort without known findings is said to be one."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import localisation, resources
from tests.pages.conftest import OpenPage
from tests.pages.tiny import small_cohort, sound


def _mark(app: AppTest) -> AppTest:
    return sound(next(button for button in app.button if button.label.startswith("Mark ")).click().run())


def test_methods_are_marked_when_asked_and_only_once(open_page: OpenPage) -> None:
    app = open_page("teach/methods.py")
    app.multiselect(key="lab methods").set_value(["gradcam", "randomcam"])
    app.select_slider[0].set_value(4)
    sound(app.run())
    assert not app.dataframe
    _mark(app)
    found = app.dataframe[0].value
    assert set(found["method"]) == {"Grad-CAM", "Random CAM (control)"}
    assert set(found.columns) == {"method", "COVID-19", "Viral Pneumonia", "Lung Opacity"}
    again = open_page("teach/methods.py")
    again.multiselect(key="lab methods").set_value(["randomcam"])
    again.select_slider[0].set_value(4)
    assert len(sound(again.run()).dataframe) == 1


def test_the_first_click_counts_though_a_mark_was_made_since_the_button_was_drawn(open_page: OpenPage) -> None:
    """As after a cancel, when the last heatmap is finished a moment later."""

    class StoppedError(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0:
            raise StoppedError

    resources.shelf().clear()
    app = open_page("teach/methods.py")
    app.multiselect(key="lab methods").set_value(["hirescam"])
    app.select_slider[0].set_value(4)
    sound(app.run())
    drawn = next(button.label for button in app.button if button.label.startswith("Mark "))
    model = resources.classifier("tiny")
    films = localisation.films(model, resources.cohort("phantom:fair"), 4)
    with pytest.raises(StoppedError):
        localisation.mark(model, films, ["hirescam"], stop)
    assert drawn != f"Mark {len(films) - len(localisation.marks(model, films, ['hirescam'])):,} heatmaps"
    _mark(app)
    assert app.dataframe


def test_the_misses_can_be_looked_at(open_page: OpenPage) -> None:
    app = open_page("teach/methods.py")
    app.multiselect(key="lab methods").set_value(["eigencam"])
    app.select_slider[0].set_value(4)
    app.run()
    if not app.dataframe:
        _mark(app)
    sound(app.selectbox(key="misses tiny").set_value("eigencam").run())
    assert "misses. Green: the finding." in " ".join(caption.value for caption in app.caption)


def test_a_cohort_without_known_findings_is_said_to_be_one(open_page: OpenPage, tmp_path) -> None:
    app = open_page("teach/methods.py", cohort=small_cohort(tmp_path, films=1))
    assert "does not say where its findings are" in app.info[0].value
