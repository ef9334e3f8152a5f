"""Where a login is asked for nothing of the dashboard runs without one, and not for everybody whom a provider knows."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import login
from tests.conftest import REPOSITORY

NOW = 1_000_000.0
ANN = {"email": "Ann@Example.org", "email_verified": True, "iat": NOW - 60}


def test_whom_the_list_allows_may_enter() -> None:
    assert login.refused(ANN, ["uni.example", "example.org"], NOW) == ""


@pytest.mark.parametrize(
    "address",
    ["eve@evil.org", "eve@example.org.evil.org", "eve@sub.example.org", "eve@evil-example.org",
     "ann@example.org@evil.org", "eve@evil.org,ann@example.org", "example.org", "@example.org", "", None],
)  # fmt: skip
def test_other_addresses_may_not(address: str | None) -> None:
    assert "may not enter" in login.refused(ANN | {"email": address}, ["example.org"], NOW)


def test_an_address_has_to_be_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = {name: value for name, value in ANN.items() if name != "email_verified"}
    for user in (ANN | {"email_verified": False}, ANN | {"email_verified": "false"}, silent):
        assert "does not say" in login.refused(user, ["example.org"], NOW)
    assert login.refused(ANN | {"email_verified": "true"}, ["example.org"], NOW) == ""
    monkeypatch.setenv("HILUM_LOGIN_VERIFIED", "assumed")  # a provider of one organisation, which is silent about it
    assert login.refused(silent, ["example.org"], NOW) == ""
    assert "does not say" in login.refused(ANN | {"email_verified": False}, ["example.org"], NOW)


def test_a_login_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_LOGIN_HOURS", "1")
    assert login.refused(ANN | {"iat": NOW - 3590}, ["example.org"], NOW) == ""
    for issued in (NOW - 3610, NOW + 3600, None, "x", float("nan")):
        assert login.refused(ANN | {"iat": issued}, ["example.org"], NOW) == login.TOO_OLD


@pytest.mark.parametrize("domains", ["example.org", ""])
def test_without_a_login_nothing_of_the_dashboard_is_there(domains: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_LOGIN", domains)
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=120).run()
    assert not app.exception
    assert [button.label for button in app.button] == ["Log in"]
    assert not app.sidebar.children
    assert not app.selectbox
