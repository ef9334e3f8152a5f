"""The in-domain check on films drawn here: those like the ones it knows pass, all else is refused with its reason."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.data.film.radiograph import from_pixels
from core.model.checkpoint import Card, Checkpoint
from core.model.classifier import Classifier
from core.model.domain import KINDS, Gate, Limits, signature, thumbnails
from core.networks.zoo import build
from core.training.domain.fit import VARIANTS, fit, measure, variants
from core.training.domain.outliers import MAKERS, draw
from core.transform.preprocess import Preprocess

SIZE = 64


def chest(seed: int) -> np.ndarray:
    """A bright body with two dark lungs, a heart to the right of the picture and a dark rim, uint8 (SIZE, SIZE)."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    y, x, scale = generator.normal((0.45, 0.5, 1.0), (0.02, 0.02, 0.05))

    def blob(down: float, right: float, tall: float, wide: float) -> np.ndarray:
        return np.exp(-(((rows - y - down) / tall) ** 4) - ((columns - x - right) / wide) ** 4)

    grey = 170 * blob(0.1, 0, 0.6, 0.45) - 110 * (blob(0, -0.2, 0.3 * scale, 0.13) + blob(0, 0.2, 0.3 * scale, 0.13))
    grey += 60 * blob(0.15, 0.08, 0.15, 0.12) + generator.normal(20, 5) + generator.normal(0, 3, grey.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    torch.manual_seed(0)
    network = build("resnet_small", 2).eval().requires_grad_(False)
    preprocess = Preprocess(size=SIZE)
    films = np.stack([chest(i) for i in range(200)])
    limits, tensors = fit(network, preprocess, films[:120], films[120:])
    limits = json.loads(json.dumps(limits))  # as a card keeps it
    card = Card("drawn", "Drawn", ("a", "b"), "resnet_small", preprocess, {}, 0, "2026-01-01", domain=limits)
    state = {**network.state_dict(), **{f"domain.{name}": value for name, value in tensors.items()}}
    return Classifier(Checkpoint(card, state), backend="torch")


def rates(classifier: Classifier, pictures: list[np.ndarray]) -> tuple[float, float]:
    """Shares refused, and refused or warned about."""
    found = measure(classifier, [from_pixels(np.ascontiguousarray(p), "x") for p in pictures])
    return found["refused"], found["refused"] + found["warned"]


def test_unseen_films_of_the_same_kind_pass(classifier: Classifier) -> None:
    refused, doubted = rates(classifier, [chest(i) for i in range(1000, 1150)])
    assert refused <= 0.02
    assert doubted <= 0.1


@pytest.mark.parametrize(
    ("kind", "change"),
    [("inverted", lambda p: 255 - p), ("turned", lambda p: p[::-1]), ("turned", np.rot90)],
)
def test_altered_films_are_refused_by_name(classifier: Classifier, kind: str, change) -> None:
    altered = [np.ascontiguousarray(change(chest(i))) for i in range(1000, 1040)]
    assert rates(classifier, altered)[0] >= 0.95
    sentences = [classifier.predict(from_pixels(p, "x")).domain.sentence for p in altered[:10]]
    assert sum(kind in sentence for sentence in sentences) >= 8


def test_patterns_it_never_saw_are_refused(classifier: Classifier) -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    checks = [(127 + 120 * np.sin(rows / a) * np.sin(columns / a)).astype(np.uint8) for a in (1, 2, 3, 5)]
    stripes = [((columns + a * rows) * 9 % 256).astype(np.uint8) for a in range(4)]
    assert rates(classifier, checks + stripes)[1] == 1


def test_blank_coloured_and_narrow_files_need_no_model() -> None:
    gate = Gate({}, {})
    film = from_pixels(chest(0), "x")
    nothing = np.zeros(0, np.float32)
    assert gate.judge(film, np.full((SIZE, SIZE), 7, np.uint8), nothing).sentence.startswith("It is blank")
    colourful = gate.judge(replace(film, colour=0.4), chest(0), nothing)
    assert (colourful.status, "photograph" in colourful.sentence) == ("out", True)
    assert gate.judge(replace(film, colour=0.1), chest(0), nothing).status == "doubtful"
    strip = gate.judge(from_pixels(np.tile(chest(0), (1, 5)), "x"), chest(0), nothing)
    assert (strip.status, "strip" in strip.sentence) == ("out", True)
    for view, status in (("LL", "out"), ("PA", "doubtful")):  # the second for want of a model
        assert gate.judge(replace(film, tags={"view": view}), chest(0), nothing).status == status


def test_a_model_without_a_check_says_so() -> None:
    verdict = Gate().judge(from_pixels(chest(0), "x"), chest(0), np.zeros(0, np.float32))
    assert verdict.status == "doubtful"
    assert "without an in-domain check" in verdict.sentence
    assert np.isnan(verdict.score)


def test_one_and_many_get_the_same_verdict(classifier: Classifier) -> None:
    films = [from_pixels(chest(i), f"{i}") for i in range(2000, 2010)]
    many = [p.domain.status for p in classifier.predict_many(films)]
    assert many == [classifier.predict(film).domain.status for film in films]


def test_limits_are_a_scale_from_typical_to_refused() -> None:
    limits = Limits(centre=2.0, warn=4.0, refuse=6.0)
    assert limits.score(2.0) == (0.0, "in")
    assert limits.score(5.0) == (0.75, "doubtful")
    assert limits.score(8.0) == (1.5, "out")
    assert limits.score(float("nan"))[1] == "out"


def test_the_signature_leaves_the_logits_alone() -> None:
    network = build("resnet_small", 3).eval()
    images = torch.randn(4, 3, SIZE, SIZE)
    with torch.no_grad():
        logits, pooled = signature(network, images)
        torch.testing.assert_close(logits, network(images))
        last = network.features(images)
    width = last.shape[1]
    torch.testing.assert_close(pooled[:, -2 * width : -width], last.mean((2, 3)))
    torch.testing.assert_close(pooled[:, -width:], last.std((2, 3), correction=0), atol=1e-4, rtol=1e-3)


def test_thumbnails_forget_exposure() -> None:
    picture = chest(3)
    darker = (picture.astype(float) * 0.5 + 20).astype(np.uint8)
    np.testing.assert_allclose(thumbnails(picture[None]), thumbnails(darker[None]), atol=0.1)


def test_outliers_are_of_every_kind_and_can_be_drawn_again() -> None:
    films = np.stack([chest(i) for i in range(5)])
    pictures, kinds = draw(films, 3 * len(MAKERS), seed=4)
    assert pictures.shape == (3 * len(MAKERS), SIZE, SIZE)
    assert pictures.dtype == np.uint8
    assert set(kinds) == set(range(1, len(KINDS)))
    assert np.array_equal(pictures, draw(films, 3 * len(MAKERS), seed=4)[0])


def side(seed: int) -> np.ndarray:
    """A body seen from the side: one lung, in front of a bright spine; uint8 (SIZE, SIZE)."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE] / SIZE
    y, x = generator.normal((0.45, 0.45), 0.03)
    body = 170 * np.exp(-(((rows - 0.55) / 0.6) ** 4) - ((columns - 0.5) / 0.4) ** 4)
    lung = 110 * np.exp(-(((rows - y) / 0.32) ** 4) - ((columns - x) / 0.2) ** 4)
    grey = body - lung + generator.normal(20, 5) + generator.normal(0, 3, rows.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def test_real_films_in_another_view_teach_the_check_to_refuse_such(classifier: Classifier) -> None:
    films, unseen = np.stack([chest(i) for i in range(200)]), [side(i) for i in range(3000, 3060)]
    shown = np.stack([side(i) for i in range(20)])
    limits, tensors = fit(classifier.network, classifier.preprocess, films[:120], films[120:], not_frontal=shown)
    taught = replace(classifier.checkpoint.card, domain=limits)
    state = classifier.network.state_dict() | {f"domain.{name}": value for name, value in tensors.items()}
    again = Classifier(Checkpoint(taught, state), backend="torch")
    assert rates(again, unseen)[0] >= 0.95
    assert rates(again, unseen)[0] >= rates(classifier, unseen)[0]
    assert rates(again, [chest(i) for i in range(1000, 1150)])[0] <= 0.02


def test_variants_keep_the_picture_and_change_its_making() -> None:
    shown = variants(np.stack([side(0), side(1)]))
    assert shown.shape == (2 * VARIANTS, SIZE, SIZE)
    assert len(np.unique(shown.reshape(len(shown), -1), axis=0)) == len(shown)
    assert np.array_equal(shown, variants(np.stack([side(0), side(1)])))
