"""A value worked out at first use: kept in its instance, and no instance waits for another."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from core.lazy import cached_property


class Film:
    """Whose prediction waits until another film's is asked for as well."""

    both = Barrier(2, timeout=20)

    @cached_property
    def prediction(self) -> int:
        """It is here that a visitor waits for a turn."""
        return self.both.wait()

    @cached_property
    def made(self) -> list[int]:
        """A new list."""
        return []


def test_two_instances_work_side_by_side() -> None:
    """With Python 3.11's own, the second waits for the first, and here both for ever."""
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda film: film.prediction, (Film(), Film()))) == [0, 1]


def test_a_value_is_kept_and_can_be_set() -> None:
    film = Film()
    assert film.made is film.made
    assert Film().made is not film.made
    film.prediction = 7
    assert film.prediction == 7
    assert Film.made.__doc__ == "A new list."
