"""A preprocessing that spoils a model is told from one that does not, and luck from a difference."""

import numpy as np
import pytest
import torch
from torch import nn

from core.data.cohort import Cohort
from core.evaluate.looks import compared, macro_auroc, sentences, suspicions, ways
from core.model.adopt import looks
from core.model.classifier import Classifier
from core.networks.network import Network
from core.transform.preprocess import Preprocess
from tests.explain import toys


class Bright(nn.Module):
    """Class B where many pixels are brighter than 0.8 of white; shown 0 to 255, every pixel is."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        share = torch.sigmoid(20 * (images.mean(1) - 0.8)).mean((1, 2))
        return torch.stack((-share, share), dim=1)


class Deaf(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.tensor([[1.0, 0.0]]).expand(len(images), -1) + 1e-4 * images.mean((1, 2, 3))[:, None]


def shown(network: nn.Module, range_: str, squares: Cohort) -> Classifier:
    made = toys.classifier(size=32).with_network(Network(nn.Sequential(), nn.Sequential(network), opaque=True))
    mean, std = looks.values(range_)
    made.preprocess = Preprocess(size=32, mean=mean, std=std)
    made.classes = squares.classes
    made.output = type(made.output).of(squares.classes)
    return made


def test_the_range_that_spoils_a_model_is_found(squares: Cohort) -> None:
    wrong = compared(shown(Bright(), "bytes", squares), squares)
    assert wrong[0].name == "bytes, squash"
    assert wrong[0].auroc < 0.75
    better = {look.name for look in wrong if look.clearly_better}
    assert "unit, squash" in better
    assert "unit, squash is clearly better" in " ".join(sentences(wrong))


def test_findings_are_judged_where_they_are_known() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, (60, 3)).astype(np.float32)
    truth[rng.random(truth.shape) < 0.3] = np.nan
    truth[:, 2] = np.nan  # nothing is known of it
    scores = rng.random((60, 3))
    known = [~np.isnan(column) for column in truth.T[:2]]
    wanted = np.mean([roc_auc_score(truth[k, c], scores[k, c]) for c, k in enumerate(known)])
    assert macro_auroc(scores, truth)[0] == pytest.approx(wanted)


def test_the_right_range_is_not_doubted(squares: Cohort) -> None:
    right = compared(shown(Bright(), "unit", squares), squares)
    assert right[0].auroc > 0.9
    assert not any(look.clearly_better for look in right)
    assert "None of" in sentences(right)[-1]


@pytest.mark.parametrize("seed", range(3))
def test_luck_is_not_called_better(squares: Cohort, seed: int) -> None:
    """Untrained networks rank films at random, whichever way they are shown."""
    labels = np.random.default_rng(seed).permutation(squares.samples["label"].to_numpy())
    shuffled = Cohort(**{**vars(squares), "samples": squares.samples.assign(label=labels)})
    assert not any(look.clearly_better for look in compared(shown(Bright(), "unit", squares), shuffled))


def test_outputs_that_do_not_move_are_suspicious_and_others_not(squares: Cohort) -> None:
    films = [squares.film(row) for row in range(24)] + [squares.film(-row - 1) for row in range(6)]
    still = suspicions(shown(Deaf(), "unit", squares), films)
    assert any("hardly move" in sentence for sentence in still)
    assert any("are called A" in sentence for sentence in still)
    sharp = shown(nn.Sequential(Bright(), Centred()), "unit", squares)
    assert suspicions(sharp, films) == []


class Centred(nn.Module):
    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return 50 * (logits - torch.tensor([[-0.05, 0.05]]))


def test_every_way_differs_and_is_told_by_what_adopt_takes() -> None:
    grey = ways(Preprocess(mean=(0.5,), std=(1 / 2048,), fit="crop"))
    assert next(iter(grey)) == "xrv, crop"
    assert len(grey) == len(set(grey.values())) == 3 * (len(looks.RANGES) - 2)  # of one channel there is no order
    colour = ways(Preprocess(size=32))
    assert len(colour) == len(set(colour.values())) == 3 * len(looks.RANGES)
    assert {"caffe, crop", "imagenet_bgr, pad"} <= colour.keys()
    assert all(look.channels == 1 for look in grey.values())
    odd = Preprocess(mean=(0.1,) * 3, std=(0.3,) * 3)
    assert next(iter(ways(odd))).startswith("mean 0.1")


def test_macro_auroc_is_scikit_learns() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60)
    wanted = roc_auc_score(labels, scores, multi_class="ovr")
    assert macro_auroc(scores, labels)[0] == pytest.approx(wanted)
    assert np.isnan(macro_auroc(scores, np.zeros(60, int))[0])
    drawn = rng.integers(0, 60, 60)
    weights = np.stack([np.ones(60), np.bincount(drawn, minlength=60)], axis=1)
    again = roc_auc_score(labels[drawn], scores[drawn], multi_class="ovr")
    np.testing.assert_allclose(macro_auroc(scores, labels, weights), [wanted, again])
