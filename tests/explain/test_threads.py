"""One classifier, many visitors: same answers, no leftovers."""

import gc
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
import torch

from core.explain.heatmap import Heatmap, heatmaps
from core.explain.methods import METHODS
from core.model.classifier import Classifier
from tests.explain import toys

QUICK = {"occlusion": {"window": 32, "stride": 32}, "integrated_gradients": {"steps": 4}, "scorecam": {"channels": 8}}
MAP = 32 * 32 * 4  # bytes of a heatmap of the smallest classifier here
LAYERS = (None, ("layer3", "layer4"))


@pytest.mark.parametrize("torch_threads", [1, 2])
def test_sixteen_threads_get_bit_for_bit_what_one_gets(torch_threads: int) -> None:
    torch.set_num_threads(torch_threads)
    made = toys.classifier()
    jobs = list(product(METHODS, range(2), made.classes, LAYERS))

    def answer(job: tuple) -> Heatmap:
        method, film, name, layer = job
        picture = toys.picture(seed=film)
        return heatmaps(made, picture, method, classes=[name], layer=layer, **QUICK.get(method, {}))[name]

    alone = [answer(job) for job in jobs]
    order = np.random.default_rng(0).permutation(len(jobs))  # neighbours in time ask for different things
    with ThreadPoolExecutor(16) as pool:
        together = dict(zip(order, pool.map(answer, [jobs[n] for n in order]), strict=True))
    for number, (job, expected) in enumerate(zip(jobs, alone, strict=True)):
        found = together[number]
        assert found.values.tobytes() == expected.values.tobytes(), job
        assert (found.probability, found.blank, found.layer) == (expected.probability, expected.blank, expected.layer)


def test_heatmaps_leave_memory_where_it_was_and_no_hook_behind() -> None:
    made = toys.classifier(size=32)
    instant = [row.name for row in METHODS.values() if row.cost == "instant"]

    def draw(times: int) -> list[Heatmap]:
        """The maps of many films, of every kind."""
        drawn = []
        for number in range(times):
            film, method = toys.picture(32, seed=number % 5), instant[number % len(instant)]
            drawn += heatmaps(made, film, method, layer="layer3").values()
        return drawn

    draw(50)  # libraries imported, pools filled
    tensors = live_tensors()
    assert growth(lambda: draw(100)) > 100 * MAP  # maps that somebody keeps are seen
    assert growth(lambda: len(draw(500))) < 50 * MAP
    assert live_tensors() <= tensors
    assert hooks(made) == 0


def hooks(made: Classifier) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in made.network.modules() for kind in kinds)


def live_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def growth(work: Callable[[], object]) -> int:
    """Bytes that Python and NumPy hold more after some work, its result included."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        del kept
        return held
    finally:
        tracemalloc.stop()
