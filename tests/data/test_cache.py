"""The cache holds thumbnails of patients: it is its owner's alone."""

import stat
import sys
from pathlib import Path

import pytest

from core.data import cache
from core.data.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_cache_that_is_made_is_its_owners_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "new" / "cache"))
    assert mode(cache.cache_dir()) == 0o700


def test_the_usual_cache_of_earlier_versions_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HILUM_CACHE", raising=False)
    monkeypatch.setattr(cache, "_platform_cache", lambda: tmp_path)
    (tmp_path / "hilum").mkdir(mode=0o755)
    assert mode(cache.cache_dir()) == 0o700


@pytest.mark.parametrize("kind", ["a file", "below a file", "no home"])
def test_without_a_cache_work_goes_on_and_it_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    monkeypatch.setenv("HILUM_CACHE", str({"a file": taken, "below a file": taken / "cache"}.get(kind, "")))
    if kind == "no home":
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home directory")))
    store = Store("facts")
    store.write([("key", b"value")])
    assert Store("facts").read(["key"]) == {"key": b"value"}
    assert mode(cache.cache_dir()) == 0o700
    assert "nothing is kept between runs" in cache.trouble()


def test_a_good_cache_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    assert cache.trouble() == ""


def test_a_chosen_folder_keeps_its_rights_and_its_files_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    store = Store("facts")
    store.write([("key", b"value")])
    assert mode(tmp_path) == 0o755
    assert store.read(["key"]) == {"key": b"value"}
    assert mode(store.path) == 0o600


def test_asking_a_store_for_nothing_opens_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    store = Store("facts")
    assert store.read([]) == {}
    assert store.known([]) == set()
    assert not store.path.exists()
