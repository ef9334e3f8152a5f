"""Heatmaps: every control moved, every comparison opened, every hiding asked about."""

import pytest

from core.explain.methods import METHODS
from tests.explain.toys import BORNE
from tests.pages.test_predict import photograph
from tests.pages.tiny import sound

PAGE = "case/heatmaps.py"
CLASSES = ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")


def captions(app) -> str:
    return "\n".join(caption.value for caption in app.caption)


def test_every_class_says_what_is_seen(open_page):
    app = open_page(PAGE)
    for name in CLASSES:
        sound(app.segmented_control(key="class").set_value(name).run())
        assert f"Grad-CAM for **{name}** (probability" in captions(app)


@pytest.mark.parametrize("method", [name for name in BORNE if METHODS[name].cost != "slow"])
def test_every_method_that_does_not_take_long(open_page, method):
    app = open_page(PAGE, method=method)
    assert METHODS[method].title in captions(app)


def test_why_one_class_and_not_another(open_page):
    app = open_page(PAGE, method="finercam")
    sound(app.segmented_control(key="class").set_value(CLASSES[1]).run())
    sound(app.selectbox(key="against").set_value(CLASSES[0]).run())
    assert f"FinerCAM for **{CLASSES[1]}** and not **{CLASSES[0]}**" in captions(app)
    sound(app.segmented_control(key="class").set_value(CLASSES[0]).run())  # against itself nothing is shown
    assert "and not" not in captions(app)


def test_every_layer(open_page):
    app = open_page(PAGE)
    for layer in app.selectbox(key="layer").options:
        sound(app.selectbox(key="layer").set_value(layer.removesuffix(" (last)")).run())


def test_display_controls(open_page):
    app = open_page(PAGE)
    for mode in ("Film", "Swipe", "Map"):
        sound(app.segmented_control(key="mode").set_value(mode).run())
    for key, value in (("opacity", 0.2), ("threshold", 0.5)):
        sound(app.slider(key=key).set_value(value).run())
    for key in ("contours", "outline", "truth"):
        sound(app.toggle(key=key).set_value(True).run())
    sound(app.selectbox(key="colormap").set_value("viridis").run())
    assert app.query_params["threshold"] == "0.5"


def test_display_choices_outlive_a_look_at_another_page(open_page):
    app = open_page(PAGE)
    for key in ("contours", "outline", "truth"):
        app.toggle(key=key).set_value(True)
    app.selectbox(key="colormap").set_value("viridis")
    app.selectbox(key="beside").set_value("class").run()
    app.switch_page("pages/teach/quiz.py").run()
    sound(app.switch_page(f"pages/{PAGE}").run())
    assert all(app.toggle(key=key).value for key in ("contours", "outline", "truth"))
    assert app.selectbox(key="colormap").value == "viridis"
    assert app.selectbox(key="beside").value == "class"


@pytest.mark.parametrize("kind", ["classes", "class", "method", "model", "film"])
def test_what_stands_beside(open_page, kind):
    app = open_page(PAGE)
    sound(app.selectbox(key="beside").set_value(kind).run())


@pytest.mark.parametrize("kind", ["box", "lungs", "outside lungs", "edges"])
def test_hiding_asks_the_model_again(open_page, kind):
    app = open_page(PAGE)
    sound(app.segmented_control(key="hide").set_value(kind).run())
    assert any(text.value.startswith("Hiding this") for text in app.markdown)
    for fill in ("mean", "black", "inpaint"):
        sound(app.selectbox(key="fill").set_value(fill).run())


def test_a_box_can_be_set_without_a_mouse(open_page):
    app = open_page(PAGE)
    app.segmented_control(key="hide").set_value("box").run()
    app.slider(key="across").set_value((0.0, 100.0)).run()
    sound(app.slider(key="down").set_value((0.0, 90.0)).run())
    assert any(text.value.startswith("Hiding this") for text in app.markdown)


def test_the_trust_card_has_its_lines_and_curves(open_page):
    app = open_page(PAGE)
    lines = "\n".join(text.value for text in app.markdown)
    assert "**Occlusion test: " in lines
    assert "**Stability: " in lines
    sound(app.toggle(key="curves").set_value(True).run())


def test_an_unknown_method_for_the_layer_is_said_not_thrown(open_page):
    app = open_page(PAGE, layer="no such layer")
    assert any("asks for the layer" in warning.value for warning in app.warning)


def test_what_stands_beside_differs_from_the_start(open_page):
    app = open_page(PAGE, case="1")
    app.selectbox(key="beside").set_value("method").run()
    assert app.selectbox(key="beside_method").value != "gradcam"
    app.selectbox(key="beside").set_value("film").run()
    assert app.number_input(key="beside_film").value == 2


def test_hiding_takes_the_place_of_what_stands_beside(open_page):
    app = open_page(PAGE)
    app.segmented_control(key="hide").set_value("box").run()
    assert app.selectbox(key="beside").disabled
    app.segmented_control(key="hide").set_value("nothing").run()
    assert not app.selectbox(key="beside").disabled


def test_what_is_no_film_has_no_map_until_it_is_asked_for(open_page):
    app = open_page("case/predict.py")
    app.file_uploader[0].set_value([("holiday.png", photograph(), "image/png")]).run()
    app.switch_page("pages/case/heatmaps.py").run()
    assert "Grad-CAM" not in captions(app)
    toggle = next(toggle for toggle in app.toggle if toggle.label == "Draw its maps all the same")
    sound(toggle.set_value(True).run())
    assert "Grad-CAM" in captions(app)


def test_where_the_evidence_lies_is_said_in_words(open_page):
    shown = captions(open_page(PAGE))
    assert any(words in shown for words in ("The evidence lies", "No lungs were found"))
