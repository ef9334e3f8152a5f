"""Window and level on Live prediction: all bits to look at, and an answer that stays as it is."""

import numpy as np

from core.data.phantom.cohort import cohort
from pages.shared import viewer
from tests.data.dicomweb.films import film
from tests.pages.test_predict import PAGE, upload
from tests.pages.tiny import sound

WINDOW = "_window"


def test_the_answer_does_not_change_with_the_window(open_page, monkeypatch) -> None:
    shown: list[tuple[np.ndarray, float | None]] = []
    monkeypatch.setattr(viewer, "show_film", lambda pixels, *rest: shown.append((pixels, rest[-1])))
    deep = cohort("fair").film(3).pixels.astype(np.uint16) * 16
    data = film(3, pixels=deep, bits=12, PixelSpacing=[1.5, 1.5], WindowCenter=2048, WindowWidth=4096)
    app = sound(upload(open_page(PAGE), ("mine.dcm", data)))
    before = [element.value for element in app.subheader]
    app = sound(app.toggle(key="windowed").set_value(True).run())
    (uploaded,) = app.session_state["uploads"]
    as_sent, millimetres = shown[-1]
    np.testing.assert_array_equal(as_sent, uploaded.pixels)
    assert millimetres == 1.5
    seen = [as_sent]
    for name in ("window Full range", "window As sent"):
        app = sound(app.button(key=name).click().run())
        seen.append(shown[-1][0])
    app = sound(app.slider(key="window width").set_value(500.0).run())
    seen.append(shown[-1][0])
    assert app.session_state[WINDOW][1].width == 500
    np.testing.assert_array_equal(seen[2], as_sent)
    assert (seen[3] != as_sent).mean() > 0.2
    assert len(np.unique(seen[3])) > 16  # 12 bits are there
    assert [element.value for element in app.subheader] == before
    np.testing.assert_array_equal(app.session_state["uploads"][0].pixels, uploaded.pixels)
    app = sound(app.button(key="window As sent").click().run())
    np.testing.assert_array_equal(shown[-1][0], as_sent)
    assert app.slider(key="window width").value == 4095
