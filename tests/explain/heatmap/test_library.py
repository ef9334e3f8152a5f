"""Hilum's maps are those of the `grad-cam` library hooked on the whole network at the same tensor."""

import numpy as np
import pytest
import torch
import torchvision
from pytorch_grad_cam import (
    AblationCAM,
    EigenCAM,
    EigenGradCAM,
    GradCAM,
    GradCAMElementWise,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    ScoreCAM,
    XGradCAM,
)
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from core.explain.heatmap import heatmaps
from core.model.classifier import Classifier
from core.networks.zoo import NETWORKS
from tests.explain import toys

GRADIENT = {
    "gradcam": GradCAM,
    "gradcam++": GradCAMPlusPlus,
    "xgradcam": XGradCAM,
    "layercam": LayerCAM,
    "hirescam": HiResCAM,
    "gradcam_elementwise": GradCAMElementWise,
    "eigengradcam": EigenGradCAM,
}
TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=list(NETWORKS))
def zoo(request: pytest.FixtureRequest) -> tuple[Classifier, np.ndarray]:
    for seed in range(6, 12):  # random weights leave some maps without any positive evidence
        made = toys.classifier(request.param, size=96, seed=seed)
        picture = toys.picture(made.preprocess.size)
        maps = heatmaps(made, picture, "gradcam", layer=made.network.layers[-2])
        if not all(map_.blank for map_ in maps.values()):
            break
    return made, picture


def library(made: Classifier, picture: np.ndarray, kind: type, layers: list[nn.Module]) -> np.ndarray:
    """The library's maps (C, S, S), its hooks on the whole network."""
    tensor = made.tensor(picture[None])
    with kind(model=made.network, target_layers=layers) as cam:
        cam.compute_input_gradient = cam.uses_gradients  # the network's own parameters are frozen
        return np.concatenate([cam(tensor, [ClassifierOutputTarget(index)]) for index in range(len(made.classes))])


def ours(made: Classifier, picture: np.ndarray, method: str, **asked: object) -> np.ndarray:
    maps = heatmaps(made, picture, method, **asked)
    assert not all(map_.blank for map_ in maps.values()), "nothing to compare"
    return np.stack([map_.normalised() for map_ in maps.values()])


@pytest.mark.parametrize("method", GRADIENT)
def test_every_gradient_method_on_every_network(zoo: tuple[Classifier, np.ndarray], method: str) -> None:
    made, picture = zoo
    theirs = library(made, picture, GRADIENT[method], [made.network.features[-1]])
    np.testing.assert_allclose(ours(made, picture, method), theirs, atol=TOLERANCE)


@pytest.mark.parametrize("method", ["gradcam", "layercam"])
def test_at_an_earlier_layer_of_every_network(zoo: tuple[Classifier, np.ndarray], method: str) -> None:
    made, picture = zoo
    layer = made.network.layers[-2]
    theirs = library(made, picture, GRADIENT[method], [getattr(made.network.features, layer)])
    np.testing.assert_allclose(ours(made, picture, method, layer=layer), theirs, atol=TOLERANCE)


def test_two_layers_fused_as_the_library_fuses_them() -> None:
    made, picture = toys.classifier(), toys.picture()
    features = made.network.features
    theirs = library(made, picture, LayerCAM, [features.layer3, features.layer4])
    np.testing.assert_allclose(ours(made, picture, "layercam", layer=["layer3", "layer4"]), theirs, atol=TOLERANCE)


@pytest.mark.parametrize(("method", "kind"), [("eigencam", EigenCAM), ("scorecam", ScoreCAM)])
def test_methods_without_gradients(method: str, kind: type) -> None:
    made, picture = toys.classifier(), toys.picture()
    theirs = library(made, picture, kind, [made.network.features.layer4])
    np.testing.assert_allclose(ours(made, picture, method), theirs, atol=TOLERANCE)


def test_ablation_where_the_library_follows_the_paper() -> None:
    """It does for maps that reach down to zero and classes whose logit is positive."""
    made, picture = toys.classifier(), toys.picture()
    positive = made.predict_pictures(picture[None])[0][0] > 0
    assert positive.any()
    theirs = library(made, picture, AblationCAM, [made.network.features.layer4])
    np.testing.assert_allclose(ours(made, picture, "ablationcam")[positive], theirs[positive], atol=TOLERANCE)


def test_densenet_hooked_before_its_in_place_relu_is_another_map() -> None:
    """Why the feature map ends after the ReLU: on torchvision's own network the library's tensor is rewritten."""
    made, picture = toys.classifier("densenet121", size=96), toys.picture(96)
    torchvisions = torchvision.models.densenet121(num_classes=len(made.classes))
    theirs, ours_ = torchvisions.state_dict(), made.network.state_dict()
    torchvisions.load_state_dict(dict(zip(theirs, ours_.values(), strict=True)))
    tensor = made.tensor(picture[None])
    with torch.no_grad():
        torch.testing.assert_close(torchvisions.eval()(tensor), made.network(tensor))
    with GradCAM(torchvisions, [torchvisions.features.norm5]) as cam:
        trapped = np.stack([cam(tensor, [ClassifierOutputTarget(index)])[0] for index in range(len(made.classes))])
    assert np.abs(ours(made, picture, "gradcam") - trapped).max() > 0.01
