"""An upload, and all that is made from it, dies with *Remove all*, with its film, or with its visitor's session."""

import gc
import weakref
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import torch

from core.data.phantom.cohort import cohort
from pages.shared.resources import memory, shelf
from pages.shared.resources.shelves import RESULTS
from tests.pages.test_predict import PAGE, encoded, upload
from tests.pages.tiny import sound

ROW = 40  # of the film, which carries the marker


def marked(seed: int) -> tuple[bytes, bytes]:
    """A film as PNG, and a row of its pixels that no other film has."""
    pixels = cohort("fair").film(3).pixels.copy()
    pixels[ROW] = np.random.default_rng(seed).integers(0, 256, pixels.shape[1], np.uint8)
    return encoded("PNG", pixels), pixels[ROW].tobytes()


def holding(marker: bytes) -> list[type]:
    """What in this process holds these bytes: arrays, tensors, buffers, or the objects that they are views of."""
    gc.collect()
    leaves = {id(leaf): leaf for thing in gc.get_objects() for leaf in gc.get_referents(thing)}
    return [type(leaf) for leaf in leaves.values() if marker is not leaf and marker in _bytes(leaf)]


def _bytes(leaf: Any) -> bytes:
    if isinstance(leaf, bytes | bytearray):
        return bytes(leaf)
    if isinstance(leaf, BytesIO):
        return b"" if leaf.closed else leaf.getvalue()
    if issubclass(type(leaf), torch.Tensor):
        return leaf.numpy(force=True).tobytes() if leaf.dtype == torch.uint8 else b""
    if isinstance(leaf, np.ndarray) and leaf.dtype == np.uint8:
        return leaf.tobytes()
    return b""


def visit(open_page, seed: int, pages: bool) -> tuple[Any, bytes, list[weakref.ref]]:
    """Upload a film and look at it, on the heatmaps' page too if ``pages``; its marker, and what follows from it."""
    film, marker = marked(seed)
    app = sound(upload(open_page(PAGE), ("mine.png", film)))
    if pages:
        sound(app.switch_page("pages/case/heatmaps.py").run())
    results = [value for one in app.session_state[RESULTS].values() for value, *_ in one._kept.values()]
    kinds = {type(value).__name__ for value in results}
    assert ({"Prediction", "Heatmap", "Trust", "Lungs", "Tensor"} if pages else {"Prediction"}) <= kinds
    keys = {key for one in app.session_state[RESULTS].values() for key in one._kept}
    assert not any(key in shelf() for key in keys), "nothing of it lies with all visitors' results"
    assert holding(marker), "the search finds what is there"
    if pages:
        app.switch_page(f"pages/{PAGE}").run()
    return app, marker, [weakref.ref(value) for value in results if not isinstance(value, dict | tuple | list)]


def alive(refs: list[weakref.ref]) -> list[str]:
    gc.collect()
    return [type(value).__name__ for ref in refs if (value := ref()) is not None]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("end", ["remove all", "taken off the list", "the session ends"])
def test_nothing_of_an_upload_is_left(open_page, end: str) -> None:
    app, marker, refs = visit(open_page, len(end), pages=end != "taken off the list")  # a list ends with its page
    if end == "remove all":
        app.button[[button.label for button in app.button].index("Remove all")].click().run()
    elif end == "taken off the list":
        app.file_uploader[0].set_value([]).run()
    else:
        app = None
    if app is not None:
        sound(app)
        assert app.session_state["uploads"] == []
    assert holding(marker) == []
    assert alive(refs) == []
    assert "uploaded films" not in [row.name for row in memory().held() if row.results]


def test_an_upload_beyond_the_quota_is_refused_in_words(open_page, monkeypatch) -> None:
    monkeypatch.setattr(memory(), "most_of_visitor", 100_000)
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")), ("b.png", marked(1)[0]))
    (said,) = app.error
    assert "A film of" in said.value
    assert "at most" in said.value
    assert len(app.session_state["uploads"]) == 1
    app.button[[button.label for button in app.button].index("Remove all")].click().run()
    sound(upload(app, ("b.png", marked(1)[0])))


def test_a_file_that_was_lost_on_its_way_is_said_and_nothing_else_is(open_page) -> None:
    from streamlit.runtime.uploaded_file_manager import DeletedFile

    from pages.shared import uploads

    app = sound(upload(open_page(PAGE), ("a.png", encoded("PNG"))))
    lost = [DeletedFile("gone")]

    class Session(dict):
        pass

    session = Session(files=lost)
    monkey = pytest.MonkeyPatch()
    monkey.setattr(uploads.st, "session_state", session)
    try:
        uploads.take_in("files")
        assert session["_refused"] == ["A file was lost on its way to the server. Choose it again."]
    finally:
        monkey.undo()
    sound(app.run())
    assert len(app.session_state["uploads"]) == 1
