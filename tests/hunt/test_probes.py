"""An attribute that can be read and moves the answer is found; one that is only there, or only the class, is not."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from torch import nn

from core.hunt.probes import Probe, probes, used
from core.hunt.seen import Seen

FILMS = 160


def model() -> SimpleNamespace:
    """Channel k is the logit of class k, and so are two more for both of them."""
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        head[2].weight.copy_(torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1]]))
    return SimpleNamespace(classes=("a", "b"), network=SimpleNamespace(head=head), device=torch.device("cpu"))


def seen(read: bool, moves: bool) -> Seen:
    """Films of two classes and two sources; the source shows in the features, or moves the probability, or both."""
    rng = np.random.default_rng(0)
    labels, source = np.arange(FILMS) % 2, np.arange(FILMS) // 2 % 2
    features = rng.normal(0, 1, (FILMS, 4, 3, 3)).astype(np.float32)
    features[:, 0] += 3 * (1 - labels)[:, None, None]
    if read:
        features[:, 2] += 2 * source[:, None, None]
    p = np.clip(np.where(labels == 0, 0.7, 0.2) + (0.25 * source if moves else 0) + rng.normal(0, 0.02, FILMS), 0, 1)
    names = [f"p{k}" for k in range(FILMS)]
    samples = pd.DataFrame({"source": np.array(["X", "Y"])[source], "patient": names, "view": "PA"})
    cohort = SimpleNamespace(samples=samples)
    return Seen(
        cohort, tuple(range(FILMS)), labels, np.zeros((FILMS, 8, 8), np.uint8), (None,) * FILMS,  # type: ignore[arg-type]
        np.column_stack([p, 1 - p]).astype(np.float32), np.ones((FILMS, 2), bool), features, ({},) * FILMS,
    )  # fmt: skip


def of_source(read: bool, moves: bool) -> Probe:
    return next(p for p in probes(model(), seen(read, moves)) if p.class_name == "a")  # type: ignore[arg-type]


def test_what_is_read_and_used_is_relied_on() -> None:
    found = of_source(read=True, moves=True)
    assert found.relied_on
    assert found.auroc > 0.9 > found.chance
    assert abs(abs(found.effect) - 0.25) < 0.03
    assert found.low < found.effect < found.high


def test_what_can_be_read_and_moves_nothing_is_not() -> None:
    found = of_source(read=True, moves=False)
    assert found.p < 0.01
    assert abs(found.effect) < 0.05
    assert not found.relied_on


def test_what_cannot_be_read_is_not() -> None:
    found = of_source(read=False, moves=True)
    assert found.p >= 0.01
    assert not found.relied_on


def test_the_class_alone_is_no_attribute() -> None:
    films = seen(read=False, moves=False)
    films.cohort.samples["source"] = np.where(films.labels == 0, "X", "Y")  # all that it tells is the class
    found = next(p for p in probes(model(), films) if p.class_name == "a")  # type: ignore[arg-type]
    assert found.auroc > 0.9
    assert found.p >= 0.01
    assert np.isnan(found.effect)
    assert not found.relied_on


def test_what_a_class_uses_is_gradient_times_input() -> None:
    films = seen(read=True, moves=True)
    told = used(model(), films.features, 0)  # type: ignore[arg-type]
    assert np.allclose(told[:, 0], films.features[:, 0].mean((1, 2)), atol=1e-5)
    assert not told[:, [1, 3]].any()
