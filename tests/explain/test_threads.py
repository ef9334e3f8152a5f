"""One classifier, many visitors: same answers, no leftovers."""

import gc
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from core.explain.heatmap import Heatmap, heatmaps
from core.explain.methods import METHODS
from core.model.classifier import Classifier
from tests.explain import toys

QUICK = {
    "occlusion": {"window": 32, "stride": 32},
    "integrated_gradients": {"steps": 4},
    "scorecam": {"channels": 8},
    "rise": {"masks": 8},
}
LAYERS = (None, ("layer3", "layer4"))


@pytest.mark.parametrize("torch_threads", [1, 2])
def test_sixteen_threads_get_bit_for_bit_what_one_gets(torch_threads: int) -> None:
    torch.set_num_threads(torch_threads)
    made = toys.classifier()
    jobs = list(product(toys.BORNE, range(2), made.classes, LAYERS))

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


def test_two_thousand_heatmaps_leave_memory_where_it_was_and_no_hook_behind() -> None:
    made = toys.classifier(size=32)
    instant = [name for name in toys.BORNE if METHODS[name].cost == "instant"]

    def draw(times: int) -> None:
        for number in range(times):
            heatmaps(made, toys.picture(32, seed=number % 5), instant[number % len(instant)], layer="layer3")

    draw(200)  # libraries imported, pools filled
    tensors, grown = live_tensors(), []
    for _ in range(4):
        before = resident_bytes()
        draw(500)
        grown.append(resident_bytes() - before)
    assert live_tensors() <= tensors
    assert min(grown) < 2**20, grown  # 500 maps of 4 kB kept would be twice that in every block; allocators are not
    assert hooks(made) == 0


def hooks(made: Classifier) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, kind)) for module in made.network.modules() for kind in kinds)


def live_tensors() -> int:
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


def resident_bytes() -> int:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which this system does not have")
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
