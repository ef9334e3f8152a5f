"""The answer in words."""

import numpy as np
import pytest

from core.model.classifier import Prediction
from core.model.domain import DomainVerdict
from core.report.call import in_words


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
    film = Prediction("film", ("A", "B", "C"), values, logits, (0.5, 0.5, 0.2), np.zeros((4, 4), np.uint8), domain)
    assert in_words(film) == words
