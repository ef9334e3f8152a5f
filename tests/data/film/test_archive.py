"""A zip of films: what is in it comes out, what is no film or too much does not."""

import zipfile
from io import BytesIO

import pytest

from core.data.film import archive
from core.errors import FilmError


def made(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return buffer.getvalue()


def test_files_come_by_their_base_names_without_what_systems_add() -> None:
    given = {
        "a/b/1.png": b"one",
        "../../3.png": b"up",
        "b/2.png": b"two",
        "__MACOSX/a/._1.png": b"x",
        ".DS_Store": b"x",
        "a/empty/": b"",
    }
    assert list(archive.members(made(given), "films.zip")) == [("1.png", b"one"), ("2.png", b"two")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"PK\x03\x04" + b"\0" * 60, "cannot be unpacked"),
        (made({"a.png": b"one"})[:-30], "cannot be unpacked"),
        (made({}), "holds no file"),
        (made({f"{number}.png": b"" for number in range(archive.MOST_FILES + 1)}), "holds 501 files"),
    ],
    ids=["no member", "cut off", "empty", "too many"],  # a zip holds its hour: workers would collect different tests
)
def test_what_is_no_zip_of_films_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(FilmError, match=sentence):
        list(archive.members(data, "films.zip"))


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_BYTES", 1000)
    with pytest.raises(FilmError, match="unpacks to"):
        next(archive.members(made({"a.png": bytes(2000)}), "films.zip"))


def test_only_a_zip_is_taken_for_one() -> None:
    assert archive.is_zip(made({"a.png": b"one"}))
    assert not archive.is_zip(b"\x89PNG\r\n\x1a\n")
