"""Films of a cohort before a model, each looked at once for all tests of the hunter."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.data.cohort import Cohort
from core.data.patients import numbered
from core.data.progress import Progress, quiet
from core.errors import ExplainError
from core.examine.cohort import open_films
from core.examine.concepts import METHOD
from core.examine.examined import Examined
from core.examine.together import BATCH, predict_together
from core.explain.swap import Sight
from core.lazy import cached_property
from core.model.classifier import Classifier, batches
from core.networks.network import MAP


@dataclass(frozen=True, eq=False)
class Seen:
    """What a model says of N films of a cohort.

    Args:
        cohort, films: the films, as positions in their cohort.
        labels: class of each, int (N,).
        pictures: as the model sees them, uint8 (N, S, S).
        lungs: on the picture, bool (S, S), or None.
        probabilities: calibrated, float32 (N, C).
        called: bool (N, C).
        features: last feature map of each, float32 (K, h, w).
        maps: heatmap of each class that is called, (S, S), by name.
    """

    cohort: Cohort
    films: tuple[int, ...]
    labels: np.ndarray
    pictures: np.ndarray
    lungs: tuple[np.ndarray | None, ...]
    probabilities: np.ndarray
    called: np.ndarray
    features: np.ndarray
    maps: tuple[dict[str, np.ndarray], ...]

    def __len__(self) -> int:
        return len(self.films)

    @cached_property
    def samples(self) -> pd.DataFrame:
        """The rows of the films in their cohort, numbered from 0."""
        return self.cohort.samples.iloc[list(self.films)].reset_index(drop=True)

    @cached_property
    def patients(self) -> np.ndarray:
        """Patient number of each film, int (N,)."""
        return numbered(self.samples)

    @cached_property
    def sights(self) -> dict[int, Sight]:
        """Of the films whose lungs were found, by their place here."""
        pairs = enumerate(zip(self.pictures, self.lungs, strict=True))
        return {k: Sight(picture, mask) for k, (picture, mask) in pairs if mask is not None and mask.any()}


def check(classifier: Classifier) -> None:
    """ExplainError where the hunter cannot look at a model: it keeps no map, or its findings occur together."""
    if classifier.network.opaque or classifier.network.layout != MAP:
        came = f"{classifier.card.network} keeps no map of channels"
        raise ExplainError(came, "a convolutional network", "Choose another model")
    if not classifier.output.exclusive:
        came = f"the classes of {classifier.card.name} are findings that occur together"
        raise ExplainError(came, "a model of exclusive classes", "Choose another model")


def look(classifier: Classifier, cohort: Cohort, films: int, seed: int = 0, progress: Progress = quiet) -> Seen:
    """Look at films of a cohort, at most ``films`` of them, each class equally often as far as they go.

    Args:
        cohort: under the model's classes, see `core.evaluate.scoring.labelled`.

    Raises:
        ExplainError: as `check`, or no film can be read.
    """
    check(classifier)
    drawn = cohort.draw(max(films // len(cohort.classes), 1), seed)
    places = np.flatnonzero(cohort.samples["film_id"].isin(drawn.samples["film_id"]))
    found: list[tuple[int, Examined]] = []
    for done, group in enumerate(batches(np.random.default_rng(seed).permutation(places), BATCH), start=1):
        opened = list(open_films(classifier, cohort, group))
        predict_together([film for _, film in opened], classifier.network.layers[-1])
        found += opened
        for _, film in opened:
            film.heatmaps(METHOD, film.prediction.called)  # worked out here, where progress is told
        progress("looking at films", min(done * BATCH, len(places)), len(places))
    if not found:
        raise ExplainError(f"no film of {cohort.name} can be read", "some that can")
    ones = [film for _, film in found]
    said = [film.prediction for film in ones]
    labels = cohort.labels()
    return Seen(
        cohort,
        tuple(place for place, _ in found),
        np.array([labels[place] for place, _ in found]),
        np.stack([film.picture for film in ones]),
        tuple(film.lungs for film in ones),
        np.stack([one.probabilities for one in said]),
        np.array([[name in one.called for name in classifier.classes] for one in said]),
        np.stack([film.last_map for film in ones]),
        tuple({c: m.values for c, m in film.heatmaps(METHOD, film.prediction.called).items()} for film in ones),
    )
