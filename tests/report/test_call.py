"""The answer in words."""

import numpy as np
import pytest

from core.model import output
from core.model.classifier import Prediction
from core.model.domain import DomainVerdict
from core.report.call import in_words

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
    domain = DomainVerdict(0.0, 1.0, status, "")
    values, logits = np.array(probabilities, np.float32), np.zeros(3, np.float32)
    film = Prediction("film", output.Softmax(("A", "B", "C"), (0.5, 0.5, 0.2)), values, logits, PICTURE, domain)
    assert in_words(film) == words


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
    """Nothing is the likeliest of findings that occur together; each is called at its own cut-off, or in doubt."""
    domain = DomainVerdict(0.0, 1.0, status, "")
    values, logits = np.array(probabilities, np.float32), np.zeros(3, np.float32)
    film = Prediction("film", output.Sigmoid(("A", "B", "C"), (0.5, 0.5, 0.2)), values, logits, PICTURE, domain)
    assert in_words(film) == words
