"""Heatmaps that keep their scale, say when they are blank, and leave the network as it was."""

import captum.attr
import numpy as np
import pytest
import torch

from core.errors import ExplainError
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.heatmap.cache import kept_on
from core.explain.hide import hide
from core.explain.methods import METHODS
from core.model.classifier import Classifier
from core.shelf import Shelf
from tests.explain import toys

SMALL: dict[str, dict] = {
    "scorecam": {"channels": 40},
    "occlusion": {"window": 16, "stride": 16},
    "integrated_gradients": {"steps": 4},
    "rise": {"masks": 12},
}


@pytest.fixture
def made() -> Classifier:
    return toys.classifier()


@pytest.mark.parametrize("method", toys.BORNE)
def test_every_method_gives_every_class_a_finite_map_of_the_picture(made: Classifier, method: str) -> None:
    picture = toys.picture()
    maps = heatmaps(made, picture, method, film_sha256="f1", **SMALL.get(method, {}))
    assert tuple(maps) == made.classes
    for name, map_ in maps.items():
        assert (map_.class_name, map_.method, map_.model, map_.film_sha256) == (name, method, "toy-resnet_small", "f1")
        assert map_.values.shape == picture.shape
        assert map_.values.dtype == np.float32
        assert np.isfinite(map_.values).all()
        assert map_.signed == METHODS[method].signed
        assert map_.signed or map_.values.min() >= 0
        assert map_.layer == ("layer4" if METHODS[method].layered else "film")
        assert not map_.values.flags.writeable
    assert sum(map_.probability for map_ in maps.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", toys.BORNE)
def test_a_class_has_the_same_map_alone_and_in_company(made: Classifier, method: str) -> None:
    picture, name = toys.picture(), made.classes[1]
    together = heatmaps(made, picture, method, **SMALL.get(method, {}))[name]
    alone = heatmaps(made, picture, method, classes=[name], **SMALL.get(method, {}))[name]
    np.testing.assert_allclose(alone.values, together.values, atol=1e-5 * np.abs(together.values).max())


def test_the_scale_is_true_for_a_pooled_linear_head(made: Classifier) -> None:
    """HiRes-CAM of average pool + linear adds up to the logit without its bias; doubling the head doubles the map."""
    picture, name = toys.picture(), made.classes[0]
    before = heatmaps(made, picture, "hirescam", signed=True)[name]
    logit = made.predict_pictures(picture[None])[0][0, 0] - made.network.head.classifier.bias[0].item()
    size, places = picture.size, 4 * 4
    assert before.values.sum() * places / size == pytest.approx(logit, rel=1e-3)
    made.network.head.classifier.weight.mul_(2)
    after = heatmaps(made, picture, "hirescam", signed=True)[name]
    np.testing.assert_allclose(after.values, 2 * before.values, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("method", ["gradcam", "xgradcam", "hirescam", "layercam", "ablationcam"])
def test_no_positive_evidence_is_an_honest_blank(made: Classifier, method: str) -> None:
    made.network.head.classifier.weight[0] = -1.0
    maps = heatmaps(made, toys.picture(), method)
    against, *_ = maps.values()
    assert against.blank
    assert not against.values.any()
    assert not against.normalised().any()
    assert heatmaps(made, toys.picture(), "gradcam", signed=True)[made.classes[0]].values.min() < 0


def test_normalised_spans_zero_to_one_and_keeps_the_zero_of_signed_maps() -> None:
    values = np.array([[-1.0, 0.0], [1.0, 4.0]], np.float32)
    rest = ("Normal", "gradcam", "layer4", "toy", "", 0.5, 0.0, False)
    assert Heatmap(values, *rest, signed=False).normalised().tolist() == pytest.approx(np.array([[0, 0.2], [0.4, 1]]))
    assert Heatmap(values, *rest, signed=True).normalised().tolist() == [[-0.25, 0.0], [0.25, 1.0]]
    assert not Heatmap(np.full((2, 2), 3.0), *rest, signed=False).normalised().any()


@pytest.mark.parametrize("method", toys.BORNE)
def test_a_damaged_network_is_an_error_and_never_a_map(made: Classifier, method: str) -> None:
    made.network.head.classifier.weight[0] = float("nan")
    with pytest.raises(ExplainError, match="not finite"):
        heatmaps(made, toys.picture(), method, **SMALL.get(method, {}))


def test_a_dead_feature_map_is_blank(made: Classifier) -> None:
    made.network.features.layer4[0].bn2.weight.zero_()
    made.network.features.layer4[0].bn2.bias.fill_(-1e6)
    for method in ("gradcam", "gradcam++", "xgradcam", "eigencam", "eigengradcam", "scorecam", "ablationcam"):
        assert all(map_.blank for map_ in heatmaps(made, toys.picture(), method).values()), method


def test_two_layers_agree_or_are_averaged(made: Classifier) -> None:
    picture, name = toys.picture(), made.classes[2]
    low, high = (heatmaps(made, picture, "layercam", layer=layer)[name] for layer in ("layer3", "layer4"))
    mean = heatmaps(made, picture, "layercam", layer=["layer3", "layer4"])[name]
    product = heatmaps(made, picture, "layercam", layer=["layer3", "layer4"], fuse="product")[name]
    assert mean.layer == product.layer == "layer3 + layer4"
    # Peaks of coarse maps lie between pixels, so the pixels' own maxima are a little lower.
    scale = (low.values.max() + high.values.max()) / 2
    np.testing.assert_allclose(mean.values, scale * (low.normalised() + high.normalised()) / 2, atol=0.05 * scale)
    both = np.sqrt(low.normalised() * high.normalised())
    assert np.corrcoef(product.values.ravel(), both.ravel())[0, 1] > 0.99
    assert (product.values <= mean.values * (1 + 1e-5)).all()


def test_integrated_gradients_add_up_and_agree_with_captum() -> None:
    made, picture = toys.classifier(seed=2), toys.picture()  # its logits move furthest from the empty film's
    empty = hide(picture, np.ones(picture.shape, bool), "black")
    (logits, at_baseline), _ = made.predict_pictures(np.stack([picture, empty]))
    maps = heatmaps(made, picture, "integrated_gradients", steps=200)
    totals = np.array([map_.values.sum() for map_ in maps.values()])
    np.testing.assert_allclose(totals, logits - at_baseline, atol=0.02 * np.abs(logits - at_baseline).max())
    film, start = made.tensor(np.stack([picture, empty])).split(1)
    theirs = captum.attr.IntegratedGradients(made.network).attribute(film, start, target=1, n_steps=200)
    expected = theirs.sum(dim=1)[0].detach().numpy()
    # A ReLU may flip on float32 rounding at one of the 200 points.
    np.testing.assert_allclose(maps[made.classes[1]].values, expected, atol=2e-3 * np.abs(expected).max())


def test_nothing_is_left_on_the_network(made: Classifier) -> None:
    made.network.requires_grad_(True)  # even a network in training keeps its gradients to itself
    before = {key: value.clone() for key, value in made.network.state_dict().items()}
    for method in toys.BORNE:
        heatmaps(made, toys.picture(), method, **SMALL.get(method, {}))
    assert all(parameter.grad is None for parameter in made.network.parameters())
    assert not any(module.training for module in made.network.modules())
    for key, value in made.network.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize("method", toys.BORNE)
def test_works_where_the_caller_has_switched_gradients_off(made: Classifier, method: str) -> None:
    expected = heatmaps(made, toys.picture(), method, **SMALL.get(method, {}))
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            found = heatmaps(made, toys.picture(), method, **SMALL.get(method, {}))
        for name in made.classes:
            np.testing.assert_array_equal(found[name].values, expected[name].values)


def test_the_kept_feature_map_is_that_of_this_picture_and_these_weights(made: Classifier) -> None:
    passes: list[int] = []
    made.network.features.register_forward_hook(lambda *_: passes.append(1))
    name, seen, shelf = made.classes[0], {}, Shelf()
    with kept_on(shelf):
        for seed in (0, 1, 0):
            seen[seed] = heatmaps(made, toys.picture(seed=seed), "layercam")[name].values
        assert len(passes) == len(shelf) == 2, "another class or method of a film costs no pass"
        assert not np.array_equal(seen[0], seen[1])
        made.network.features.layer1[0].conv1.weight.neg_()
        assert not np.array_equal(heatmaps(made, toys.picture(), "layercam")[name].values, seen[0])
        before = len(passes)
        shelf.clear()
        heatmaps(made, toys.picture(), "layercam")
        assert len(passes) == before + 1, "what is gone from the shelf is made again"
    heatmaps(made, toys.picture(), "layercam")
    assert len(passes) == before + 2, "and nothing is kept elsewhere"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"method": "gradkam"}, "no heatmap method 'gradkam'"),
        ({"classes": ["Tuberculosis"]}, "no class 'Tuberculosis'"),
        ({"layer": "layer9"}, "no layer 'layer9'"),
        ({"layer": ["layer4", "layer9"]}, "no layer 'layer9'"),
        ({"seed": 3}, "no option 'seed'"),
        ({"method": "scorecam", "channels": 0}, "0 channels"),
        ({"method": "integrated_gradients", "steps": 0}, "0 steps"),
        ({"method": "occlusion", "window": 8, "stride": 9}, "does not cover"),
        ({"method": "occlusion", "fill": "pink"}, "no fill 'pink'"),
    ],
)
def test_a_wrong_question_is_answered_in_one_sentence(made: Classifier, asked: dict, said: str) -> None:
    with pytest.raises(ExplainError, match=said):
        heatmaps(made, toys.picture(), **asked)


def test_a_map_of_one_place_has_no_where() -> None:
    made = toys.classifier(size=16)
    with pytest.raises(ExplainError, match="earlier layer"):
        heatmaps(made, toys.picture(16))
    assert heatmaps(made, toys.picture(16), layer="layer3")


def test_a_slow_method_tells_how_far_it_is_and_can_be_cancelled(made: Classifier) -> None:
    for method in ("scorecam", "ablationcam", "occlusion", "integrated_gradients"):
        done: list[float] = []
        heatmaps(made, toys.picture(), method, progress=done.append, **SMALL.get(method, {}))
        assert done == sorted(done), method
        assert done[-1] == 1.0, method

    def cancel(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        heatmaps(made, toys.picture(), "occlusion", progress=cancel)
    assert not heatmaps(made, toys.picture())[made.classes[0]].values.flags.writeable
