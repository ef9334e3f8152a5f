"""Maps of transformers are those of the `grad-cam` library with ``reshape_transform`` at the same tensor."""

import numpy as np
import pytest
import timm
import torch
from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from core.errors import ExplainError
from core.explain.heatmap import heatmaps
from core.model.card import Card
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.networks import from_timm
from core.networks.network import Network
from core.transform.preprocess import Preprocess
from tests.explain import toys

METHODS = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "hirescam": HiResCAM, "layercam": LayerCAM}
SIDE = 64


def small(kind: str) -> nn.Module:
    torch.manual_seed(1)
    settings = {"img_size": SIDE, "num_classes": 3, "embed_dim": 24}
    if kind == "swin":
        own = {"patch_size": 4, "depths": (2, 2), "num_heads": (2, 2), "window_size": 4}
        model: nn.Module = timm.models.SwinTransformer(**{**settings, **own})
    else:
        registers = {"reg_tokens": 4, "init_values": 0.5} if kind == "registers" else {}
        pool = {"global_pool": "avg"} if kind == "averaged" else {}
        model = timm.models.VisionTransformer(
            **settings, patch_size=8, depth=3, num_heads=2, **registers, **pool, fc_norm=False
        )
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.2)
    return model.eval().requires_grad_(False)


def classifier(network: Network) -> Classifier:
    card = Card("t", "T", toys.CLASSES, "timm:test_vit", Preprocess(size=SIDE), {}, 1, "2026-01-01")
    made = Classifier.__new__(Classifier)
    made.checkpoint = Checkpoint(card, {})
    made.card, made.network, made.preprocess, made.backend = card, network, card.preprocess, "auto"
    made.output = toys.classifier(size=SIDE).output
    made.classes = toys.CLASSES
    return made


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["token", "registers", "averaged", "swin"])
def test_equal_to_the_library(kind: str, method: str) -> None:
    network = from_timm.regroup(small(kind)).eval()
    made, picture, layer = classifier(network), toys.picture(SIDE), network.usual_layer
    ours = heatmaps(made, picture, method)
    tensor = made.tensor(picture[None])
    stage = getattr(network.features, layer)
    with METHODS[method](model=network, target_layers=[stage], reshape_transform=network.layout.map_of) as cam:
        cam.compute_input_gradient = cam.uses_gradients
        theirs = np.concatenate([cam(tensor, [ClassifierOutputTarget(n)]) for n in range(3)])
    assert not all(map_.blank for map_ in ours.values())
    for name, wanted in zip(toys.CLASSES, theirs, strict=True):
        np.testing.assert_allclose(ours[name].normalised(), wanted, atol=1e-4)


@pytest.mark.parametrize("kind", ["registers", "swin"])
def test_all_classes_in_one_pass_equal_those_asked_for_alone(kind: str) -> None:
    made = classifier(from_timm.regroup(small(kind)).eval())
    together = heatmaps(made, toys.picture(SIDE))
    for name in toys.CLASSES:
        alone = heatmaps(made, toys.picture(SIDE), classes=[name])[name]
        np.testing.assert_allclose(alone.values, together[name].values, atol=1e-6)


@pytest.mark.parametrize("method", ["eigencam", "ablationcam", "scorecam", "randomcam", "occlusion"])
def test_the_other_methods_work_on_tokens(method: str) -> None:
    made = classifier(from_timm.regroup(small("token")).eval())
    maps = heatmaps(made, toys.picture(SIDE), method)
    assert all(np.isfinite(map_.values).all() and map_.values.shape == (SIDE, SIDE) for map_ in maps.values())


def test_the_last_block_of_a_class_token_is_blank_and_said_to_be() -> None:
    """Its patches no longer reach the class token: gradients there are zero by construction."""
    network = from_timm.regroup(small("token")).eval()
    maps = heatmaps(classifier(network), toys.picture(SIDE), layer=network.layers[-1])
    assert all(map_.blank for map_ in maps.values())
    with pytest.raises(ExplainError, match="no layer"):
        heatmaps(classifier(network), toys.picture(SIDE), layer="block99")
