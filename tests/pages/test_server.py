"""The Server page: what is held, for the owner and nobody else."""

import pytest

from pages.shared import access
from pages.shared.resources import memory

PAGE = "server/memory.py"


def test_the_owner_sees_what_is_held_and_no_name(open_page, monkeypatch):
    monkeypatch.setenv("HILUM_SERVER_PAGE", "1")
    app = open_page(PAGE)
    shown = {metric.label: metric.value for metric in app.metric}
    assert {"Kept", "May be kept", "Of it uploads", "Networks at work", "Waiting"} == set(shown)
    assert shown["Networks at work"] == f"0 of {memory().turns.places}"
    table = app.dataframe[0].value
    assert table["What"].tolist() == [row.name for row in memory().held()]
    assert "shared by all visitors" in table["What"].tolist()


def test_nobody_else_finds_the_page(open_page, monkeypatch):
    monkeypatch.delenv("HILUM_SERVER_PAGE", raising=False)
    monkeypatch.setattr(access, "at_this_machine", lambda: False)
    app = open_page("case/predict.py")
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        app.switch_page(f"pages/{PAGE}")
