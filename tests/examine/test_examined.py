"""One film before one model: each part once, by what made it, and the same for one film and for many."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.film.radiograph import from_pixels
from core.data.readers import open_cohort
from core.examine import examined as room
from core.examine.cohort import Explain, open_film, score
from core.examine.examined import examine
from core.examine.together import examine_many
from core.explain.heatmap import heatmaps
from core.lungs.segment import LungFinder
from core.model.checkpoint import Checkpoint
from core.model.classifier import Classifier
from core.shelf import Shelf
from tests.explain.toys import CLASSES, classifier, picture


@pytest.fixture(scope="module")
def toy():
    return classifier()


@pytest.fixture(scope="module")
def films():
    drawn = open_cohort("phantom:fair")
    return drawn.where(drawn.samples["label"].isin(CLASSES)).take(range(3)).relabel({c: c for c in CLASSES}, CLASSES)


@pytest.fixture
def counted(monkeypatch):
    """How often each step was taken."""
    counts = {"lungs": 0, "network": 0, "maps": 0}

    def count(owner, name, key):
        real = getattr(owner, name)

        def wrapped(*args, **kwargs):
            counts[key] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapped)

    count(LungFinder, "find_together", "lungs")
    count(Classifier, "predict_with_maps", "network")
    count(room, "heatmaps", "maps")
    return counts


def test_each_part_is_computed_once_and_only_when_asked(toy, films, counted):
    one = open_film(toy, films, 0)
    assert counted == {"lungs": 0, "network": 0, "maps": 0}
    for _ in range(2):
        map_ = one.heatmaps("gradcam", [one.prediction.label])[one.prediction.label]
        one.trust(map_), one.measures(map_), one.lungs, one.truth, one.on_film(map_.values)
        one.heatmaps("gradcam", list(toy.classes))
    assert counted == {"lungs": 1, "network": 1, "maps": 2}  # the called class, then the two others


def test_two_who_share_a_shelf_share_the_work_but_not_the_name(toy, counted):
    shelf, pixels = Shelf(), picture()
    first, second = (examine(toy, from_pixels(pixels, name), shelf=shelf) for name in ("a.png", "b.png"))
    assert first.prediction.name == "a.png"
    assert second.prediction.name == "b.png"
    assert counted["network"] == 1


@pytest.mark.parametrize("change", ["weights", "film", "preprocess", "temperature"])
def test_a_changed_ingredient_is_examined_anew(toy, change, counted):
    shelf, film = Shelf(), from_pixels(picture(), "a.png")
    before = examine(toy, film, shelf=shelf)
    said = before.prediction
    card, state = toy.card, toy.checkpoint.state
    others = {
        "weights": lambda: (classifier(seed=1), film),
        "film": lambda: (toy, from_pixels(picture(seed=1), "a.png")),
        "preprocess": lambda: (
            Classifier(Checkpoint(replace(card, preprocess=replace(card.preprocess, contrast="equalise")), state)),
            film,
        ),
        "temperature": lambda: (Classifier(Checkpoint(replace(card, temperature=3.0), state)), film),
    }
    model, shown = others[change]()
    again = examine(model, shown, shelf=shelf)
    assert again.key != before.key
    assert not np.array_equal(again.prediction.probabilities, said.probabilities)
    assert counted["network"] == 2


@pytest.mark.parametrize("options", [{"method": "hirescam"}, {"layer": "layer1"}, {"signed": True}])
def test_another_method_layer_or_option_is_another_map(toy, options):
    one = examine(toy, from_pixels(picture(), "a.png"))
    plain = one.heatmaps("gradcam", ["Normal"])["Normal"]
    settings = {"method": "gradcam", "classes": ["Normal"], **options}
    assert not one.has_heatmaps(**settings)
    one.heatmaps(**settings)
    assert one.has_heatmaps(**settings)
    assert one.heatmaps("gradcam", ["Normal"])["Normal"] is plain
    assert one.heatmaps("gradcam", ["Normal"], toy.network.layers[-1])["Normal"] is plain  # what was meant all along


def test_trust_is_that_of_the_truth_and_the_card(toy):
    film, shelf = from_pixels(picture(), "a.png"), Shelf()
    blind = examine(toy, film, shelf=shelf)
    map_ = next(m for m in blind.heatmaps().values() if not m.blank)
    assert "hit" not in [line.key for line in blind.trust(map_).lines]
    seeing = examine(toy, film, marked=lambda: np.ones(film.shape, bool), shelf=shelf)
    assert "hit" in [line.key for line in seeing.trust(map_).lines]
    card = replace(toy.card, randomisation={"gradcam": {"final": 0.1}})
    checked = examine(Classifier(Checkpoint(card, toy.checkpoint.state)), film, shelf=shelf)
    assert checked.key == blind.key  # the check does not change an answer
    assert checked.trust(map_) is not blind.trust(map_)  # but its card is told anew
    assert blind.trust(map_) is blind.trust(map_)


def test_the_random_control_is_drawn_by_the_film(toy):
    maps = [
        examine(toy, from_pixels(picture(seed=n), "a.png")).heatmaps("randomcam", ["Normal"])["Normal"].values
        for n in (0, 1, 0)
    ]
    assert np.array_equal(maps[0], maps[2])
    assert not np.array_equal(maps[0], maps[1])


def test_films_together_say_what_each_says_alone(toy, films, counted):
    together = list(examine_many([open_film(toy, films, n) for n in range(3)]))
    assert counted["network"] == 1
    for position, one in enumerate(together):
        alone = toy.predict(films.film(position))
        np.testing.assert_allclose(one.prediction.probabilities, alone.probabilities, rtol=1e-5)
        assert one.prediction.domain.sentence == alone.domain.sentence


def test_a_cohort_reads_each_film_once_and_looks_for_its_lungs_once(toy, films, counted, monkeypatch):
    from core.data.film import opener

    read, decoded = opener.read, []
    monkeypatch.setattr(opener, "read", lambda *args: (decoded.append(args), read(*args))[1])
    found = score(toy, films, ["gradcam", "hirescam"])
    assert len(found) == 6
    assert (len(decoded), counted["lungs"], counted["network"]) == (3, 1, 1)  # as one batch
    assert set(found["key"]) == {Explain(toy).key}


def test_a_batch_meets_the_network_twice_and_each_film_never_alone(toy, films, monkeypatch):
    batches = []

    def counting(real):
        return lambda self, seen: (batches.append(len(seen)), real(self, seen))[1]

    for way in (Classifier.tensor, Classifier.predict_pictures):
        monkeypatch.setattr(Classifier, way.__name__, counting(way))
    found = score(toy, films, ["gradcam", "hirescam"])
    shown = int((found["blank"] == 0).sum())
    assert batches == [3, shown]  # answers and feature maps; then what the maps that are not blank mark


def test_rows_are_what_a_film_alone_gives(toy, films):
    row = score(toy, films.take([1])).iloc[0]
    film = films.film(1)
    map_ = heatmaps(toy, toy.picture(film), "gradcam", [row["class"]])[row["class"]]
    alone = open_film(toy, films, 1)
    told = alone.measures(map_)
    assert {name: row[name] for name in told} == pytest.approx(told, nan_ok=True)
    assert row["probability"] == pytest.approx(alone.prediction.by_class[row["class"]], rel=1e-6)
    assert row["predicted"] == alone.prediction.label
