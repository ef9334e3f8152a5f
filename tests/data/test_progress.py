"""Work on all cores: no product of matrices wakes threads of its own meanwhile, and afterwards it is as before."""

from threading import Barrier, Thread

import numpy as np
from threadpoolctl import threadpool_info

from core.data.progress import in_batches, one_thread_each


def threads() -> set[int]:
    """How many threads each library of linear algebra would use."""
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_one_thread_each_and_as_before_when_the_last_is_done() -> None:
    before = threads()
    with one_thread_each():
        assert threads() == {1}
        with one_thread_each():
            pass
        assert threads() == {1}  # the outer one still works
    assert threads() == before


def test_two_that_overlap_leave_nothing_behind() -> None:
    """Each keeping what it found would leave the second's 1 behind for good."""
    before, met = threads(), Barrier(2)

    def overlapping(first: bool) -> None:
        if not first:
            met.wait()
        with one_thread_each():
            if first:
                met.wait()
                met.wait()
            else:
                met.wait()
                other.join()

    other = Thread(target=overlapping, args=(True,))
    last = Thread(target=overlapping, args=(False,))
    other.start(), last.start()
    last.join()
    assert threads() == before


def test_batches_are_worked_on_with_one_thread_each() -> None:
    found = [seen for _, some in in_batches(lambda _: threads(), range(20), "counting") for seen in some]
    assert found == [{1}] * 20
