"""Facts of films outlive the process, stay bounded, and a damaged table harms nobody."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from core.data import film_facts


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    return tmp_path


def test_what_is_kept_comes_back(folder: Path) -> None:
    facts = {f"key {number}": np.arange(number + 1) for number in range(1200)}
    film_facts.keep(facts)
    found = film_facts.kept([*facts, "another"])
    assert found.keys() == facts.keys()
    assert all(np.array_equal(found[key], value) for key, value in facts.items())
    assert (folder / film_facts.FILE).exists()


def test_the_oldest_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_facts, "MOST", 3)
    for number in range(5):
        film_facts.keep({f"key {number}": np.ones(1)})
    assert sorted(film_facts.kept([f"key {number}" for number in range(5)])) == ["key 2", "key 3", "key 4"]


def test_several_at_once(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: film_facts.keep({f"key {number}": np.full(4, number)}), range(40)))
    assert len(film_facts.kept([f"key {number}" for number in range(40)])) == 40


def test_a_damaged_table_keeps_nothing_and_harms_nobody(folder: Path) -> None:
    (folder / film_facts.FILE).write_bytes(b"no table" * 1000)
    film_facts.keep({"key": np.ones(1)})
    assert film_facts.kept(["key"]) == {}
