"""A film is inverted, turned or mirrored by hand on Live prediction, and asked again as one more upload."""

import numpy as np
import pytest

from pages.shared import resources
from tests.pages.test_predict import PAGE, encoded, upload
from tests.pages.tiny import sound


@pytest.mark.parametrize(
    ("label", "change"),
    [
        ("Invert", lambda pixels: 255 - pixels),
        ("Turn left", np.rot90),
        ("Turn right", lambda pixels: np.rot90(pixels, -1)),
        ("Mirror", lambda pixels: pixels[:, ::-1]),
    ],
    ids=["invert", "left", "right", "mirror"],
)
def test_a_film_is_inverted_turned_or_mirrored_by_hand_and_asked_again(open_page, label, change):
    app = open_page(PAGE)
    shown = resources.film("phantom:fair", app.session_state["case"] - 1)
    sound(app.button(key=f"{label} beside the film").click().run())
    (changed,) = app.session_state["uploads"]
    assert np.array_equal(changed.pixels, change(shown.pixels))
    assert app.query_params["upload"] == "1"
    assert any(f"{changed.notes[-1]}." in caption.value and "by hand" in caption.value for caption in app.caption)


def test_an_upload_mirrored_twice_is_the_upload_again(open_page):
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")))
    for shown in (2, 1):
        sound(app.button(key="Mirror beside the film").click().run())
        assert app.session_state["upload"] == shown
    assert len(app.session_state["uploads"]) == 2


def test_a_changed_film_for_which_there_is_no_room_is_refused_in_words(open_page, monkeypatch):
    monkeypatch.setattr(resources.memory(), "most_of_visitor", 100_000)  # one film, and not two
    app = upload(open_page(PAGE), ("a.png", encoded("PNG")))
    app.button(key="Mirror beside the film").click().run()
    assert not app.exception
    assert "at most" in app.error[0].value
    assert len(app.session_state["uploads"]) == 1
