"""Where there is a graphics card everything runs there, and says what it says on the CPU. The card is a pretended one
(`tests.card`): it finds what lies in the wrong place, and nothing about speed or rounding."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from core.data.film.radiograph import from_pixels
from core.evaluate.looks import _probabilities
from core.examine.examined import examine
from core.examine.together import lungs_together, predict_together
from core.explain.embeddings import embed
from core.explain.heatmap import heatmaps
from core.explain.methods import methods_for
from core.explain.randomisation import destroyed
from core.hunt.probes import used
from core.lungs.segment import LungFinder, default_finder
from core.model.bulk import precision
from core.model.card import Card
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.networks.zoo import build
from core.transform.preprocess import Preprocess
from tests.card import OnCard, card
from tests.explain.toys import CLASSES, classifier, picture

LIGHT = {
    "occlusion": {"window": 32, "stride": 32},
    "rise": {"masks": 4},
    "scorecam": {"channels": 4},
    "integratedgradients": {"steps": 4},
}


@pytest.fixture
def on_card() -> Iterator[None]:
    default_finder.cache_clear()
    with card():
        yield
    default_finder.cache_clear()  # it lies on a card that other tests do not have


def test_the_pretended_card_refuses_what_a_card_refuses(on_card: None) -> None:
    there, here = torch.ones(2, 2).to("cuda"), torch.ones(2, 2)
    assert (there.device.type, (there @ there).device.type, there.cpu().device.type) == ("cuda", "cuda", "cpu")
    for wrong in (
        lambda: there + here,
        lambda: here @ there,
        lambda: torch.cat([there, here]),
        lambda: here[there > 0],
    ):
        with pytest.raises(RuntimeError, match="same device"):
            wrong()
    for wrong in (there.numpy, lambda: np.asarray(there)):
        with pytest.raises(TypeError, match="convert cuda"):
            wrong()
    assert (there[torch.arange(2)] + 1.0 + torch.tensor(2.0)).numpy(force=True).sum() == 16
    assert torch.nn.Linear(2, 2).to("cuda")(there).device.type == "cuda"


def transformer() -> Classifier:
    """Of random weights."""
    torch.manual_seed(0)
    network = build("timm:test_vit", len(CLASSES), size=160)
    card = Card("t", "T", CLASSES, "timm:test_vit", Preprocess(size=160), {}, 1, "2026-01-01")
    return Classifier(Checkpoint(card, network.state_dict()), "torch")


@pytest.mark.parametrize("make", [classifier, transformer], ids=["convolutions", "transformer"])
def test_every_method_answers_there_as_on_the_cpu(make: Callable[[], Classifier]) -> None:
    here = make()
    seen = picture(here.preprocess.size)
    names = list(methods_for(here.network))
    assert len(names) > 4
    expected = {name: heatmaps(here, seen, name, **LIGHT.get(name, {})) for name in names}
    with card():
        there = Classifier(here.checkpoint, "torch")
        assert all(isinstance(weight, OnCard) for weight in there.network.parameters())
        for name in names:
            found = heatmaps(there, seen, name, **LIGHT.get(name, {}))
            for class_, map_ in found.items():
                np.testing.assert_allclose(map_.values, expected[name][class_].values, rtol=1e-4, atol=1e-5)


def test_a_film_is_examined_there(on_card: None) -> None:
    toy = classifier()
    films = [examine(toy, from_pixels(picture(96, seed), f"{seed}.png")) for seed in range(2)]
    lungs_together(films)
    predict_together(films, toy.network.usual_layer)
    one = films[0]
    map_ = one.heatmaps("gradcam")[one.prediction.label]
    assert one.trust(map_).lines
    assert np.isfinite(one.measures(map_)["drop"])
    assert len(one.curves(map_)) == 3
    assert one.last_map.ndim == 3
    hidden = np.zeros(one.picture.shape, bool)
    hidden[:20, :20] = True
    assert one.what_if(hidden, "blur", CLASSES[0])
    assert one.mild_copies


def test_what_asks_the_network_itself_stays_there(on_card: None) -> None:
    toy = classifier()
    films = [from_pixels(picture(64, seed), f"{seed}.png") for seed in range(3)]
    pictures = np.stack([toy.picture(film) for film in films])
    vectors, logits = embed(toy, films)
    assert len(vectors) == len(logits) == 3
    assert used(toy, toy.features(toy.tensor(pictures)).numpy(force=True), 0).shape[0] == 3
    assert _probabilities(toy, toy.preprocess, pictures).shape == (3, len(CLASSES))
    assert precision.logits(toy.network, toy.preprocess, pictures).shape == (3, len(CLASSES))
    bulk, _ = toy.engine(pictures)
    np.testing.assert_allclose(bulk, toy.predict_pictures(pictures)[0], atol=1e-4)
    assert not np.allclose(destroyed(toy).engine(pictures)[0], bulk)


def test_lungs_are_found_there_as_on_the_cpu() -> None:
    film = picture(200)
    expected = LungFinder().probabilities(film)
    with card():
        finder = LungFinder()
        assert all(isinstance(weight, OnCard) for weight in finder.network.parameters())
        found = finder.probabilities(film)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    assert found[1] == expected[1]
