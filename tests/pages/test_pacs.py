"""From the PACS and back, on the page: against a real Orthanc, by who may and who may not."""

import json
import re
from pathlib import Path

import pytest

from core.data.dicomweb.query import Found
from core.data.phantom.cohort import cohort
from pages.shared import access
from pages.shared.resources import shelf
from tests.data.dicomweb.films import NAME, NUMBER, film, uids
from tests.orthanc import Orthanc, needs_orthanc
from tests.pages.tiny import sound

PAGE = "case/predict.py"


@pytest.fixture
def configured(orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server in the settings, with three films; the folder of its log."""
    for number in (1, 2, 3):
        orthanc.put(film(number, pixels=cohort("fair").film(number).pixels))
    path = tmp_path / "pacs.toml"
    path.write_text(f'url = "{orthanc.url}"\nname = "Ward"\nsend = true\nlog = "{tmp_path}/sent"\nsecret = "s"\n')
    monkeypatch.setenv("HILUM_DICOMWEB", str(path))
    monkeypatch.setattr(access, "at_this_machine", lambda: True)
    return tmp_path


def said(app) -> str:
    """All that the page says."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.success, app.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def searched(app, **given: str):
    for key, value in given.items():
        next(box for box in app.text_input if box.key == f"pacs {key}").set_value(value)
    next(button for button in app.button if button.label == "Search").click()
    return app.run()


def listed(app):
    return next(frame.value for frame in app.dataframe if "modality" in frame.value)


def token_of(number: int) -> str:
    return Found(*uids(number)).token("s")


def test_without_settings_it_says_so(open_page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_DICOMWEB", "")
    app = open_page(PAGE)
    assert "Not configured" in said(app)
    monkeypatch.setenv("HILUM_DICOMWEB", "http://u:p@nowhere/")
    assert "holds a user" in said(app.run())


@needs_orthanc
def test_search_open_by_link_and_send(open_page, configured: Path, orthanc: Orthanc) -> None:
    app = searched(open_page(PAGE))
    table = listed(app)
    assert sorted(table["id"]) == sorted(token_of(number)[:8] for number in (1, 2, 3))
    assert set(table["view"]) == {"PA"}
    assert table["film"].str.startswith("data:image/png").all()
    assert list(listed(searched(app, patient=f"{NUMBER}-2"))["id"]) == [token_of(2)[:8]]
    assert "No film matches" in said(searched(app, patient="nobody"))
    assert NUMBER not in str(dict(app.query_params))

    app = open_page(PAGE, pacs=token_of(2))
    assert f"DX {token_of(2)[:8]}" in said(app)
    assert token_of(2) in str(app.query_params["pacs"])
    assert not re.search(f"{re.escape(NAME)}|{NUMBER}|{re.escape(uids(2)[2])}", said(app))
    assert "Ward" in said(app)
    next(button for button in app.button if button.label == "Send to Ward").click()
    app = sound(app.run())
    assert "Stored in Ward" in said(app)
    sent = {h["Modality"]: h for h in orthanc.headers() if h.get("Manufacturer") == "Hilum"}
    assert "SR" in sent
    assert {h["StudyInstanceUID"] for h in sent.values()} == {uids(2)[0]}
    (line,) = [json.loads(line) for line in (configured / "sent").read_text().splitlines()]
    assert set(line["objects"].values()) == {h["SOPInstanceUID"] for h in sent.values()}
    assert NUMBER not in json.dumps(line)
    next(button for button in app.button if button.label == "Send to Ward").click()
    sound(app.run())
    assert len([h for h in orthanc.headers() if h.get("Manufacturer") == "Hilum"]) == len(sent)


@needs_orthanc
def test_a_link_shows_nothing_to_who_may_not_search(
    open_page, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched(open_page(PAGE))
    monkeypatch.setattr(access, "at_this_machine", lambda: False)
    app = open_page(PAGE, pacs=token_of(1))
    assert token_of(1)[:8] not in said(app)
    assert "cannot be shown here" in said(app)
    assert "Log in to search" in said(app)
    assert "pacs" not in app.query_params
    monkeypatch.setattr(access, "at_this_machine", lambda: True)
    assert "cannot be shown here" in said(open_page(PAGE, pacs="0" * 32))
    assert "a film of the PACS was expected" in said(open_page(PAGE, pacs="../../x"))


@needs_orthanc
def test_a_server_that_is_away_is_a_sentence(open_page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_DICOMWEB", "http://127.0.0.1:9/dicom-web")
    monkeypatch.setattr(access, "at_this_machine", lambda: True)
    assert "PACS cannot be reached" in said(searched(open_page(PAGE)))


@needs_orthanc
def test_whose_film_it_was_is_shown_to_who_may_see_it_and_kept_nowhere(
    open_page, configured: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = configured / "pacs.toml"
    settings.write_text(settings.read_text() + "show_patient = true\n")
    shelf().clear()
    app = searched(open_page(PAGE))
    assert set(listed(app)["patient"]) == {NAME}  # the list may say it, and the search finds it there
    app = sound(open_page(PAGE, pacs=token_of(2)))
    assert [found.uid for found in app.session_state["_pacs_films"].values()] == [uids(2)[2]]
    kept = [(key, value) for key, (value, *_) in shelf()._kept.items()]
    assert sum(isinstance(value, Found) for _, value in kept) == 3
    held = [app.session_state["_pacs_films"], kept, app.session_state["uploads"], dict(app.query_params)]
    assert not re.search(f"{re.escape(NAME)}|{NUMBER}", repr(held).replace("\\", ""))
    app.button[[button.label for button in app.button].index("Remove all")].click().run()
    assert app.session_state["uploads"] == []
    assert "_pacs_films" not in app.session_state
    assert "pacs" not in app.query_params
    printed = "".join(capfd.readouterr()) + caplog.text
    assert not re.search(f"{re.escape(NAME)}|{NUMBER}", printed)
