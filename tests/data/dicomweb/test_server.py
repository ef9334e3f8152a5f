"""Settings of the owner: read from the environment, a file or secrets.toml; what contradicts itself is refused."""

from pathlib import Path

import pytest

from core.data.dicomweb.query import Found, Query
from core.data.dicomweb.server import Server, configured, from_table
from core.errors import PacsError

HTTPS = "https://pacs.example.org/dicom-web"


def test_nothing_is_configured_unless_the_owner_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert configured({}) is None
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/secrets.toml").write_text("[other]\na = 1\n")
    assert configured({}) is None
    (tmp_path / ".streamlit/secrets.toml").write_text(f'[dicomweb]\nurl = "{HTTPS}/"\nname = "Ward"\nseconds = 7\n')
    found = configured({})
    assert found is not None
    assert (found.url, found.name, found.seconds) == (HTTPS, "Ward", 7.0)


def test_the_variable_is_an_address_or_a_file(tmp_path: Path) -> None:
    found = configured({"HILUM_DICOMWEB": HTTPS, "HILUM_DICOMWEB_TOKEN": "t"})
    assert found is not None
    assert (found.url, found.token) == (HTTPS, "t")
    path = tmp_path / "pacs.toml"
    (tmp_path / "pass").write_text("word\n")
    path.write_text(f'url = "{HTTPS}"\nuser = "u"\npassword_file = "{tmp_path}/pass"\n')
    found = configured({"HILUM_DICOMWEB": str(path)})
    assert found is not None
    assert (found.user, found.password) == ("u", "word")
    assert "word" not in repr(found)
    assert from_table({"url": HTTPS, "token_env": "A"}, {"A": "b"}).token == "b"


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"url": "ftp://a"}, "no http"),
        ({"url": "http://"}, "no http"),
        ({"url": "http://[::1"}, "cannot be read"),
        ({}, "no url"),
        ({"url": "http://u:p@a/"}, "holds a user"),
        ({"url": HTTPS, "user": "u"}, "half given"),
        ({"url": HTTPS, "user": "u", "password": "p", "token": "t"}, "half given, or given twice"),
        ({"url": "http://pacs/", "token": "t"}, "over plain http"),
        ({"url": HTTPS, "ca": "/no/such/file"}, "no file of certificates"),
        ({"url": HTTPS, "send": True}, "log is not set"),
        ({"url": HTTPS, "seconds": 0}, "econds is 0"),
        ({"url": HTTPS, "seconds": "5"}, "seconds is str"),
        ({"url": HTTPS, "show_patient": 1}, "show_patient is int"),
        ({"url": HTTPS, "colour": "red"}, "no DICOMweb setting 'colour'"),
        ({"url": HTTPS, "token_env": "MISSING"}, "has no MISSING"),
        ({"url": HTTPS, "token_file": "/no/such/file"}, "file of the token cannot be read"),
    ],
)
def test_a_wrong_setting_is_said(table: dict, sentence: str) -> None:
    with pytest.raises(PacsError, match=sentence):
        from_table(table, {})


def test_plain_http_to_this_machine_or_where_the_owner_says_so() -> None:
    assert Server("http://127.0.0.1:8042/dicom-web", token="t").token
    assert Server("http://orthanc:8042/dicom-web", token="t", plain_http=True).token


@pytest.mark.parametrize("content", [b"url =", b"\xff\xfe", b"dicomweb = 5"])
def test_a_file_that_is_no_table_is_said(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_bytes(content)
    with pytest.raises(PacsError):
        configured({"HILUM_DICOMWEB": str(tmp_path / "pacs.toml")})
    with pytest.raises(PacsError, match="cannot be read"):
        configured({"HILUM_DICOMWEB": str(tmp_path / "none.toml")})


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "2024-01-01"}, {"since": "20240201", "until": "20240101"}, {"view": "A\nP"}, {"patient": "x" * 65},
        {"accession": "A\\B"}, {"modalities": ()}, {"modalities": ("dx",)}, {"study": "../1"},
    ],
)  # fmt: skip
def test_what_cannot_be_asked_for_is_refused(wrong: dict) -> None:
    with pytest.raises(PacsError):
        Query(**wrong)


def test_a_film_is_known_by_a_hash_that_needs_the_secret() -> None:
    found = Found("1.2", "1.2.3", "1.2.3.4")
    assert found.token("a") == found.token("a") != found.token("b")
    assert len(found.token("a")) == 32
    assert "1.2" not in found.token("a")
