"""The bulk engine on OpenVINO: one call's pictures on several cores."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from core.model.bulk.engine import open_engine
from core.networks.zoo import build
from core.transform.preprocess import Preprocess

openvino = pytest.importorskip("openvino")


def test_many_pictures_are_shared_out_to_the_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bank of occlusions went to one core, and the others stood idle."""
    from core.model.bulk.openvino import SHARE

    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    sizes: list[int] = []
    start = openvino.InferRequest.start_async

    def counted(self, given, *args, **kwargs):
        sizes.append(len(given[0]))
        return start(self, given, *args, **kwargs)

    monkeypatch.setattr(openvino.InferRequest, "start_async", counted)
    engine = open_engine(build("resnet_small", 4).eval(), Preprocess(size=64), "openvino")
    pictures = np.random.default_rng(0).integers(0, 256, (2 * SHARE + 1, 64, 64), dtype=np.uint8)
    torch.set_num_threads(1)  # an earlier test of this process may have taken more
    alone = engine(pictures)
    assert sizes == [2 * SHARE + 1]
    torch.set_num_threads(2)
    try:
        shared = engine(pictures)
        assert sum(sizes[1:]) == 2 * SHARE + 1
        assert len(sizes[1:]) == min(2, os.cpu_count() or 1)
        for one, other in zip(alone, shared, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)
        with pytest.raises(RuntimeError):
            engine(pictures[:, :, :, None])
        assert np.array_equal(engine(pictures)[0], shared[0])  # no request was lost
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize(("mean", "std"), [(0.0, 1.0), (0.0, 0.3), (0.5, 0.5)])
def test_a_recipe_that_only_rescales_is_compiled(
    mean: float, std: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """1/255 and no mean, as the second published system has it, ended every prediction of many films in an error."""
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    network = build("resnet_small", 4).eval()
    preprocess = Preprocess(size=64, mean=(mean,) * 3, std=(std,) * 3)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 64, 64), dtype=np.uint8)
    with torch.no_grad():
        wanted = network(preprocess.tensor(pictures)).numpy()
    np.testing.assert_allclose(open_engine(network, preprocess, "openvino")(pictures)[0], wanted, atol=1e-4)
