"""The answer in words."""

from dataclasses import replace

import numpy as np
import pytest

from core.explain.robustness import MildCopies
from core.model import output
from core.model.card import Card
from core.model.classifier import Prediction
from core.model.conformal import PredictionSet
from core.model.domain import DomainVerdict
from core.report.call import headline, in_words, promise, rule, triage
from core.transform.preprocess import Preprocess

CARD = Card("x", "X", ("A", "B", "C"), "resnet_small", Preprocess(), {}, 0, "")
PICTURE = np.zeros((4, 4), np.uint8)


@pytest.mark.parametrize(
    ("probabilities", "status", "words"),
    [
        ((0.9, 0.05, 0.05), "in", "A"),
        ((0.55, 0.35, 0.1), "in", "A, but not sure"),  # in the grey zone of the bars
        ((0.4, 0.45, 0.15), "in", "Not sure; B comes nearest"),
        ((0.6, 0.1, 0.3), "in", "C, but also A"),
        ((0.9, 0.05, 0.05), "doubtful", "A"),
        ((0.9, 0.05, 0.05), "out", "No answer"),
    ],
)
def test_the_call(probabilities, status, words):
    assert in_words(film(probabilities, status)) == words


def film(probabilities, status="in", kind=output.Softmax):
    domain = DomainVerdict(0.0, 1.0, status, "")
    values, logits = np.array(probabilities, np.float32), np.zeros(3, np.float32)
    return Prediction("film", kind(("A", "B", "C"), (0.5, 0.5, 0.2)), values, logits, PICTURE, domain)


def copies(kind, *probabilities):
    found = np.array(probabilities, np.float32)
    return MildCopies(("A", "B", "C"), found, kind(("A", "B", "C"), (0.5, 0.5, 0.2)).called(found))


def test_the_headline_counts_the_copies_that_agree():
    sure, other = (0.9, 0.05, 0.05), (0.05, 0.9, 0.05)
    asked = copies(output.Softmax, sure, sure, other, other)
    assert headline(film(sure), asked) == "A; 2 of 4 mild copies agree"
    assert headline(film(sure, "out"), asked) == "No answer"


def test_copies_agree_on_findings_when_all_of_them_do():
    both, one = (0.9, 0.9, 0.01), (0.9, 0.1, 0.01)
    asked = copies(output.Sigmoid, both, one, both)
    assert headline(film(both, kind=output.Sigmoid), asked) == "A and B; 2 of 3 mild copies agree"
    assert "several may be, or none" in rule(film(both, kind=output.Sigmoid))


def test_the_rule_is_named_and_says_why_the_likeliest_is_not_called():
    assert rule(film((0.9, 0.05, 0.05))).endswith("factor: A, 0.900 = 1.80 x 0.500.")
    told = rule(film((0.6, 0.1, 0.3)))
    assert "C, 0.300 = 1.50 x 0.200. More probable, but by a smaller factor: A, 0.600 = 1.20 x 0.500." in told
    assert rule(film((0.6, 0.1, 0.3), "out")) == ""


@pytest.mark.parametrize(
    ("probabilities", "status", "words"),
    [
        ((0.1, 0.2, 0.01), "in", "No finding called"),
        ((0.9, 0.2, 0.01), "in", "A"),
        ((0.9, 0.95, 0.9), "in", "A, B and C"),
        ((0.9, 0.55, 0.01), "in", "A; not sure of B"),
        ((0.1, 0.45, 0.19), "in", "No finding for sure; not sure of B and C"),
        ((0.9, 0.9, 0.9), "out", "No answer"),
    ],
)
def test_findings_called_together(probabilities, status, words):
    """Nothing is the likeliest of findings that occur together; each is called at its own point, or in doubt."""
    assert in_words(film(probabilities, status, output.Sigmoid)) == words


def test_the_set_stands_in_the_headline_and_its_promise_beside_it():
    sure = (0.9, 0.05, 0.05)
    held = replace(film(sure), prediction_set=PredictionSet(("A", "C"), 0.9))
    assert headline(held, copies(output.Softmax, sure)) == "A; 1 of 1 mild copies agree; 90 % set: A or C"
    assert PredictionSet((), 0.9).in_words == "90 % set: empty"
    limits = {"A": 0.5, "B": 0.6, "C": None}
    kept = {"level": 0.9, "limits": limits, "fitted_on": "its 60 validation films"}
    told = promise(replace(CARD, conformal=kept))
    assert "90 % of the films of each class" in told
    assert "elsewhere nothing is promised. C cannot be ruled out" in told
    assert promise(CARD) == ""


def test_a_negative_answer_is_ruled_out_or_left_to_the_reader():
    rule_ = {"negative": "A", "limit": 0.2, "called": 0.3, "value": 0.95}
    card = replace(CARD, triage=rule_)
    assert triage(card, film((0.9, 0.05, 0.05))).startswith("Ruled out: 0.100")
    assert triage(card, film((0.7, 0.2, 0.1))).startswith("Not ruled out but left to the reader: 0.300")
    assert "70 % of its validation films are left" in triage(card, film((0.9, 0.05, 0.05)))
    assert triage(card, film((0.05, 0.9, 0.05))) == ""  # no negative answer
    assert "could not be shown" in triage(replace(CARD, triage={**rule_, "limit": -1}), film((0.9, 0.05, 0.05)))
    assert triage(CARD, film((0.9, 0.05, 0.05))) == ""
