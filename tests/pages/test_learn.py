"""Learn: every step runs by itself from its link, and its control changes what is shown."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import REPOSITORY
from tests.pages.tiny import sound


def opened(step: int) -> AppTest:
    """The page at a step, as a link opens it."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params["learn-step"] = str(step)
    return sound(app.switch_page("pages/learn/learn.py").run())


def figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_grad_cams_own_weights_make_its_map() -> None:
    app = opened(1)
    before = float(app.metric[0].value)
    sound(next(button for button in app.button if button.label.startswith("Take Grad-CAM")).click().run())
    assert float(app.metric[0].value) > before + 0.02
    for slider in [one for one in app.slider if one.key.startswith("learn channel")]:
        slider.set_value(-1.0)
    assert float(sound(app.run()).metric[0].value) <= 0.0


def test_hiding_the_brightest_costs_more_than_elsewhere() -> None:
    changes = [float(metric.delta) for metric in opened(3).metric]
    assert changes[0] < changes[1] - 0.1


def test_a_temperature_changes_confidence_and_no_call() -> None:
    app = opened(5)
    before = figures(app)
    sound(app.slider(key="learn temperature").set_value(8.0).run())
    after = figures(app)
    gap = "Mean gap between confidence and truth"
    assert after["Right calls"] == before["Right calls"]
    assert float(after[gap]) > float(before[gap]) + 0.1


def test_larger_promises_make_larger_sets() -> None:
    app = opened(6)
    sizes = []
    for promise in (60, 95):
        sound(app.slider(key="learn promise").set_value(promise).run())
        sizes.append(float(figures(app)["Mean size of a set"]))
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize("step", [2, 4, 7])
def test_the_other_steps_run_and_ask(step: int) -> None:
    app = opened(step)
    assert app.query_params["learn-step"] == str(step)
    assert any(text.value.startswith("**") and text.value.endswith("?**") for text in app.markdown)


def test_what_was_moved_goes_with_the_link() -> None:
    app = opened(5)
    sound(app.slider(key="learn temperature").set_value(2.5).run())
    other = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    other.query_params.update({name: app.query_params[name] for name in app.query_params})
    assert figures(sound(other.switch_page("pages/learn/learn.py").run())) == figures(app)
    assert not [said.value for said in other.warning if "link" in said.value]
