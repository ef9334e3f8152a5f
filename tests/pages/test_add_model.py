"""Compare > Add a model: a file is tried on the film of the sidebar, then kept; what is wrong with it is said."""

from collections.abc import Callable
from pathlib import Path

import torch
from streamlit.testing.v1 import AppTest

from core.model.checkpoint import load
from core.networks import sources
from tests.pages.tiny import sound

VIEW = "Add a model"


def form(open_page: Callable[..., AppTest], file: tuple[str, bytes], classes: str = "Normal\nOpacity") -> AppTest:
    app = open_page("model/compare.py")
    app.segmented_control(key="compare view").set_value(VIEW).run()
    app.file_uploader[0].set_value((*file, "application/octet-stream"))
    app.text_area[0].set_value(classes)
    next(box for box in app.selectbox if box.label == "Network").set_value("timm:test_vit")
    next(box for box in app.number_input if box.label.startswith("Side")).set_value(64)
    next(button for button in app.button if button.label == "Try it on this film").click()
    return app.run()


def test_a_model_is_tried_kept_and_open_on_the_heatmaps_page(open_page, tiny_weights: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(sources.make("timm:test_vit", 2, 3, 64).state_dict(), tmp_path / "mine.pth")
    app = sound(form(open_page, ("mine.pth", (tmp_path / "mine.pth").read_bytes())))
    assert any("Grad-CAM" in str(image.proto) for image in app.get("image"))
    assert any("Uncalibrated, no in-domain check" in caption.value for caption in app.caption)
    next(button for button in app.button if button.label == "Keep this model").click().run()
    sound(app)
    assert app.session_state["model"] == "mine"
    assert any("Uncalibrated, no in-domain check" in caption.value for caption in app.sidebar.caption)
    assert load(tiny_weights / "mine").card.network == "timm:test_vit"
    app.switch_page("pages/case/heatmaps.py").run()
    sound(app)


def test_what_is_wrong_is_said_and_nothing_is_kept(open_page, tiny_weights: Path) -> None:
    app = form(open_page, ("evil.pth", b"\x80\x04junk"))
    assert not app.exception
    assert any("cannot be read as weights" in error.value for error in app.error)
    assert not any(button.label == "Keep this model" for button in app.button)
    assert not (tiny_weights / "evil").exists()


def test_from_elsewhere_nothing_can_be_added(open_page, monkeypatch) -> None:
    monkeypatch.setattr("pages.shared.access.at_this_machine", lambda: False)
    app = open_page("model/compare.py")
    app.segmented_control(key="compare view").set_value(VIEW).run()
    sound(app)
    assert any("at the machine where this server runs" in info.value for info in app.info)
    assert not app.file_uploader or all(one.label != "Weights" for one in app.file_uploader)
