"""Compare > Add a model: a file is tried on the film of the sidebar, then kept; what is wrong with it is said."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from streamlit.testing.v1 import AppTest

from core.model.checkpoint import load
from core.networks import sources
from tests.networks.test_hf import saved
from tests.networks.test_onnx import exported
from tests.pages.tiny import small_cohort, sound

VIEW, VIT = "Add a model", "timm:test_vit"


def form(
    open_page: Callable[..., AppTest], *files: tuple[str, bytes], classes: str = "Normal\nOpacity", network: str = VIT,
    cohort: str = "phantom:fair",
) -> AppTest:  # fmt: skip
    app = open_page("model/compare.py", cohort=cohort)
    app.segmented_control(key="compare view").set_value(VIEW).run()
    app.file_uploader[0].set_value([(*file, "application/octet-stream") for file in files])
    app.text_area[0].set_value(classes)
    next(box for box in app.selectbox if box.label == "Network").set_value(network)
    next(box for box in app.number_input if box.label.startswith("Side")).set_value(64 if network == VIT else 0)
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


def test_an_onnx_file_comes_with_its_data_and_is_calibrated_before_it_is_kept(
    open_page, tiny_weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "films").mkdir()
    cohort = small_cohort(tmp_path / "films", films=8)
    exported(tmp_path / "program.onnx", torch.nn.Softmax(dim=1), external=True, outputs=4)
    files = [(name, (tmp_path / name).read_bytes()) for name in ("program.onnx", "program.onnx.data")]
    classes = "Normal\nCOVID-19\nViral Pneumonia\nLung Opacity"
    app = sound(form(open_page, *files, classes=classes, network="recognised from the file", cohort=cohort))
    assert any("Occlusion" in str(image.proto) for image in app.get("image"))
    sound(next(button for button in app.button if button.label.startswith("Calibrate")).click().run())
    assert any(caption.value.startswith("Calibrated on films") for caption in app.caption)
    sound(next(button for button in app.button if button.label == "Keep this model").click().run())
    assert load(tiny_weights / "program").card.caveat == ""
    assert (tiny_weights / "program" / "evaluation.parquet").is_file()
    shutil.rmtree(tiny_weights / "program")


def test_a_folder_is_found_by_its_path(open_page, tiny_weights: Path, tmp_path: Path) -> None:
    saved(tmp_path / "vit", names=("Normal", "Opacity", "Mass"))
    app = open_page("model/compare.py")
    app.segmented_control(key="compare view").set_value(VIEW).run()
    next(box for box in app.text_input if box.label.startswith("or a path")).set_value(str(tmp_path / "vit"))
    sound(next(button for button in app.button if button.label == "Try it on this film").click().run())
    assert any("vit" in caption.value and "parameters" in caption.value for caption in app.caption)
    next(box for box in app.text_input if box.label.startswith("or a path")).set_value(str(tmp_path / "nothing"))
    next(button for button in app.button if button.label == "Try it on this film").click().run()
    assert any("nothing at" in error.value for error in app.error)


def test_a_program_that_may_run_code_is_refused(open_page, tiny_weights: Path) -> None:
    app = form(open_page, ("evil.pt2", b"PK"), network="recognised from the file")
    assert any("can run code of whoever wrote it" in error.value for error in app.error)
    assert not any(button.label == "Keep this model" for button in app.button)


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
