"""Labels and names that are Markdown, or a picture from elsewhere, are shown letter by letter on every page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tiny import pictures, small_cohort, sound

EVIL = "![a](http://evil.example/a.png)", "=cmd|'/C calc'!A0 $x$ **b**"


def rendered(app: AppTest) -> Iterator[str]:
    """Everything that Streamlit renders as Markdown."""
    for kind in ("markdown", "caption", "title", "header", "info", "warning", "success", "error"):
        yield from (str(element.value) for element in getattr(app, kind))
    for kind in ("button", "radio", "toggle", "slider", "selectbox", "expander"):
        yield from (str(element.label) for element in getattr(app, kind))
    yield from (option for radio in app.radio for option in radio.options)
    yield from (picture.caption for picture in pictures(app))
    for group in app.get("button_group"):
        yield from (option.content for option in group.proto.options)


def clean(app: AppTest) -> AppTest:
    """The page, on which no word of the cohort means anything to Markdown."""
    for text in rendered(app):
        assert "![" not in text, text
        assert "$x$" not in text, text
        assert "**b**" not in text, text
    return app


def _hostile_page(kind: str) -> None:
    import numpy as np
    import streamlit as st

    evil = "![a](http://evil.example/a.png)"
    st.write("harmless")
    if kind == "picture":
        st.image(np.zeros((8, 8), np.uint8), caption=evil)
    elif kind == "option":
        st.radio("harmless", ["harmless", evil])
    elif kind == "part":
        st.segmented_control("harmless", ["harmless", evil])
    else:
        getattr(st, kind)(evil)


@pytest.mark.parametrize("kind", ["markdown", "caption", "warning", "button", "expander", "option", "part", "picture"])
def test_a_word_that_means_something_is_found(kind):
    app = AppTest.from_function(_hostile_page, kwargs={"kind": kind}, default_timeout=60).run()
    assert not app.exception
    with pytest.raises(AssertionError, match="evil"):
        clean(app)


@pytest.fixture
def hostile(tmp_path: Path) -> str:
    films = tmp_path / "films"
    films.mkdir()
    small_cohort(films, films=3)
    paths = sorted(films.rglob("*.png"))
    evil = paths[0].rename(paths[0].with_name("![b](evil.example).png"))
    rows = [f'"{path}","{EVIL[i % 2]}","{EVIL[i % 2]}"' for i, path in enumerate([evil, *paths[1:], "![c](gone).png"])]
    table = tmp_path / "films.csv"
    table.write_text("\n".join(["path,label,source", *rows]))
    return str(table)


def test_explore(open_page, hostile, tmp_path, monkeypatch):
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    app = clean(open_page("data/explore.py", cohort=hostile))
    assert any("gone" in caption.value for caption in app.caption)  # the note is shown
    for view in ("counts", "table", "distributions", "means", "audit"):
        app.segmented_control(key="explore view").set_value(view).run()
        if view == "audit":
            app.button[[button.label for button in app.button].index("Audit these films")].click().run()
        clean(sound(app))


@pytest.mark.parametrize("page", ["case/predict.py", "model/report.py", "teach/quiz.py", "model/compare.py"])
def test_other_pages(open_page, hostile, page):
    clean(open_page(page, cohort=hostile))
