"""FinerCAM is the library's with one comparison class, and a contrast map asks against a class of one's choice."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget

from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from tests.explain import toys


def test_equal_to_the_library_against_the_runner_up_and_against_a_named_class() -> None:
    made, picture = toys.classifier(seed=6), toys.picture()
    tensor = made.tensor(picture[None])
    with torch.no_grad():
        logits = made.network(tensor)[0].numpy()
    for against in (None, 2):
        named = {} if against is None else {"against": toys.CLASSES[against]}
        ours = heatmaps(made, picture, "finercam", **named)
        blank = 0
        for number, name in enumerate(toys.CLASSES):
            rival = max((n for n in range(3) if n != number), key=lambda n: logits[n])
            rival = rival if against in (None, number) else against
            with GradCAM(model=made.network, target_layers=[made.network.features[-1]]) as cam:
                cam.compute_input_gradient = cam.uses_gradients
                theirs = cam(tensor, [FinerWeightedTarget(number, [rival], 1.0)])[0]
            blank += ours[name].blank
            np.testing.assert_allclose(ours[name].normalised(), theirs, atol=1e-4)
        assert blank < 3


def test_strength_0_is_grad_cam() -> None:
    made, picture = toys.classifier(seed=6), toys.picture()
    plain, bare = heatmaps(made, picture), heatmaps(made, picture, "finercam", strength=0.0)
    for name in toys.CLASSES:
        np.testing.assert_allclose(bare[name].values, plain[name].values, atol=1e-6)


def test_a_class_that_does_not_exist_is_named() -> None:
    with pytest.raises(ExplainError, match="no class 'Measles'"):
        heatmaps(toys.classifier(), toys.picture(), "finercam", against="Measles")
