"""The shelf: found again by key, bounded by bytes, whole under many threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from core.shelf import LEAST, Shelf, size_of


def test_made_once_and_found_again_even_if_it_is_none() -> None:
    shelf, made = Shelf(), []
    for _ in range(2):
        assert shelf.keep("a", lambda: made.append(1)) is None
    assert made == [1]
    assert "a" in shelf
    assert shelf.get("b", 5) == 5


def test_what_was_not_asked_for_longest_goes_first() -> None:
    shelf = Shelf(3 * LEAST)
    for key in "abc":
        shelf.put(key, key)
    shelf.get("a")
    shelf.put("d", "d")
    assert [key in shelf for key in "abcd"] == [True, False, True, True]
    shelf.put("big", np.zeros(10 * LEAST, np.uint8))  # larger than the shelf: it stays alone
    assert len(shelf) == 1
    shelf.put("a", "a")
    assert "big" not in shelf
    assert shelf.bytes == LEAST


def test_put_again_counts_once() -> None:
    shelf = Shelf()
    for _ in range(3):
        shelf.put("a", np.zeros(5000, np.uint8))
    assert shelf.bytes == 5000
    shelf.clear()
    assert (len(shelf), shelf.bytes) == (0, 0)


def test_sizes_are_those_of_the_arrays_inside() -> None:
    @dataclass
    class Result:
        map_: np.ndarray
        name: str

    one = Result(np.zeros(5000, np.float32), "x")
    assert size_of(one) == 20001
    assert size_of({"a": one, "b": [one]}) == 40002
    assert size_of(None) == LEAST


def test_threads_meet_no_half_shelf() -> None:
    shelf = Shelf(50 * LEAST)

    def visit(number: int) -> bool:
        for step in range(300):
            key = str((number * 7 + step) % 80)
            if shelf.keep(key, lambda key=key: key) != key:  # type: ignore[misc]
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(visit, range(8)))
    assert shelf.bytes == len(shelf) * LEAST <= 50 * LEAST
