"""Who may open what: a link opens nothing new without asking, and from elsewhere only what the owner lists opens."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import access
from tests.conftest import REPOSITORY
from tests.pages.tiny import sound
from tests.squares import draw_films


@pytest.fixture
def own_films(tmp_path: Path) -> Path:
    """A cohort that no list names."""
    return draw_films(tmp_path / "films", per_class=2)


def visit(link: str) -> AppTest:
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
    app.query_params["cohort"] = link
    app.switch_page("pages/teach/shortcut.py")
    return sound(app.run())


def from_elsewhere(monkeypatch: pytest.MonkeyPatch, **headers: str) -> None:
    monkeypatch.setattr(type(st.context), "headers", property(lambda _: headers))
    monkeypatch.setattr(st, "get_option", lambda name: "127.0.0.1")


def everything_said(app: AppTest) -> str:
    parts = [*app.warning, *app.error, *app.caption, *app.markdown]
    return " ".join(str(part.value) for part in parts)


def test_a_link_to_somewhere_new_asks_first_and_opens_on_yes(own_films: Path) -> None:
    app = visit(str(own_films))
    assert app.session_state["cohort"] == "phantom:fair"
    assert "A link asks to open" in everything_said(app)
    next(button for button in app.button if button.label == "Open it").click().run()
    assert sound(app).session_state["cohort"] == str(own_films)


def test_a_link_that_is_left_alone_opens_nothing(own_films: Path) -> None:
    app = visit(str(own_films))
    next(button for button in app.button if button.label == "Leave it").click().run()
    assert sound(app).session_state["cohort"] == "phantom:fair"
    assert "A link asks" not in everything_said(app)


@pytest.mark.parametrize(
    "headers", [{"Host": "hilum.example"}, {"Host": "localhost:8501", "X-Forwarded-For": "1.2.3.4"}]
)
def test_from_elsewhere_only_the_owners_list_opens(own_films: Path, monkeypatch: pytest.MonkeyPatch, headers) -> None:
    from_elsewhere(monkeypatch, **headers)
    app = visit(str(own_films))
    assert app.session_state["cohort"] == "phantom:fair"
    assert "not on this server's list" in everything_said(app)
    assert str(own_films) not in everything_said(app)
    monkeypatch.setenv("HILUM_COHORTS", str(own_films))
    assert visit(str(own_films)).session_state["cohort"] == str(own_films)


@pytest.mark.parametrize("path", ["/etc/passwd", "/srv", "x" * 300, "~nosuchuser/x", b"a\\0b".decode("unicode_escape")])
def test_hostile_links_say_nothing_of_the_machine(path: str) -> None:
    said = everything_said(visit(path))
    assert "root:" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("headers", "here"),
    [
        ({}, True),
        ({"Host": "localhost:8501"}, True),
        ({"Host": "[::1]:8501"}, True),
        ({"Host": "127.0.0.1"}, True),
        ({"Host": "rebound.example:8501"}, False),
        ({"Host": "127.0.0.1:8501", "X-Real-Ip": "10.0.0.7"}, False),
    ],
)
def test_a_visitor_is_at_this_machine_only_by_a_loopback_name_without_a_proxy(monkeypatch, headers, here) -> None:
    from_elsewhere(monkeypatch, **headers)
    assert access.at_this_machine() is here


def test_a_server_that_listens_on_all_addresses_has_no_visitor_at_this_machine(monkeypatch) -> None:
    monkeypatch.setattr(
        access, "st", SimpleNamespace(context=SimpleNamespace(headers={}), get_option=lambda _: "0.0.0.0")
    )
    assert not access.at_this_machine()
