"""What a model goes by over a cohort: concepts and strategies of a class, on the films that it calls so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from core.data.cohort import Cohort
from core.data.patients import numbered
from core.errors import ExplainError
from core.examine.cohort import open_films
from core.examine.together import BATCH, examine_many
from core.explain.concepts import CONCEPTS, Concept, concepts, strengths, ties
from core.explain.strategies import FEWEST_FILMS, Strategy, strategies
from core.model.classifier import Classifier, batches
from core.networks.network import MAP

METHOD = "gradcam"
MOST_FILMS = 200  # whose feature maps are held at once


@dataclass(frozen=True, eq=False)
class Found:
    """The concepts of one class of one model on one cohort.

    Args:
        class_name: whose they are.
        films: positions in the cohort of the films they were found on: those called the class.
        concepts: the most relevant first; their ``examples`` are positions in the cohort.
        ties: for each, what those films that show it most have in common; see `core.explain.concepts.ties`.
        strategies: the clusters of the films' heatmaps, the largest first, films as positions in the cohort; empty
            where too few films have lungs and a map that is not blank.
    """

    class_name: str
    films: tuple[int, ...]
    concepts: tuple[Concept, ...]
    ties: tuple[pd.DataFrame, ...]
    strategies: tuple[Strategy, ...]


def of_class(
    classifier: Classifier,
    cohort: Cohort,
    class_name: str,
    number: int = CONCEPTS,
    clustered: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Found:
    """Concepts and strategies of a class on the films that the model calls so, at most `MOST_FILMS`, drawn by seed.

    Args:
        number: of concepts.
        clustered: number of strategies; by default as many as the maps themselves suggest.
        progress: called with the films looked at and the films in all.

    Raises:
        ExplainError: too few films are called so, the network's last layer is no map, or it has learned nothing.
    """
    if classifier.network.layout != MAP:
        came = f"{classifier.card.network} keeps tokens, not channels of a map"
        raise ExplainError(came, "a convolutional network", "Choose another model")
    films: list[int] = []
    features: list[np.ndarray] = []
    lungs: list[np.ndarray | None] = []
    maps: list[np.ndarray] = []
    order = np.random.default_rng(seed).permutation(len(cohort))
    for done, group in enumerate(batches(order, BATCH)):
        opened = dict(open_films(classifier, cohort, group))
        examined = examine_many(opened.values(), layer=classifier.network.layers[-1])
        for position, film in zip(opened, examined, strict=True):
            if class_name in film.prediction.called and len(films) < MOST_FILMS:
                films.append(position)
                lungs.append(film.lungs)
                features.append(film.last_map)
                maps.append(film.heatmaps(METHOD, [class_name])[class_name].values)
        progress(min((done + 1) * BATCH, len(cohort)), len(cohort))
        if len(films) == MOST_FILMS:
            break

    if not films:
        raise ExplainError(f"no film of {cohort.name} is called {class_name}", "some", "Choose another class or cohort")
    return of_films(classifier, cohort, class_name, films, features, lungs, maps, number, clustered, seed)


def of_films(
    classifier: Classifier,
    cohort: Cohort,
    class_name: str,
    films: Sequence[int],
    features: Sequence[np.ndarray],
    lungs: Sequence[np.ndarray | None],
    maps: Sequence[np.ndarray],
    number: int = CONCEPTS,
    clustered: int | None = None,
    seed: int = 0,
) -> Found:
    """Concepts and strategies of a class on films that were looked at already.

    Args:
        films: positions in the cohort of those that the model calls the class.
        features, lungs, maps: of each: the last feature map (K, h, w), the lungs on the picture, bool (S, S), or None,
            and the class's heatmap (S, S).
        number, clustered, seed: as of `of_class`.

    Raises:
        ExplainError: too few films, or maps without anything positive.
    """
    index = classifier.classes.index(class_name)

    def head(maps: np.ndarray) -> np.ndarray:
        parts = [classifier.head(torch.from_numpy(np.ascontiguousarray(part)))[:, index] for part in _cut(maps)]
        return torch.cat(parts).numpy(force=True).astype(np.float64)

    samples = cohort.samples.iloc[list(films)].reset_index(drop=True)
    table, patients = np.stack(features).astype(np.float32), numbered(samples)
    found = concepts(table, head, lungs, patients, number, seed)
    shown = [k for k, (map_, mask) in enumerate(zip(maps, lungs, strict=True)) if mask is not None and map_.max() > 0]
    clusters = (
        strategies([maps[k] for k in shown], [np.asarray(lungs[k]) for k in shown], patients[shown], clustered, seed)
        if len(shown) >= FEWEST_FILMS
        else []
    )
    return Found(
        class_name,
        tuple(films),
        tuple(_at(concept, films) for concept in found),
        tuple(ties(strengths(table, concept), samples) for concept in found),
        tuple(replace(one, films=tuple(films[shown[place]] for place in one.films)) for one in clusters),
    )


def _cut(maps: np.ndarray) -> list[np.ndarray]:
    return [maps[start : start + 64] for start in range(0, len(maps), 64)]


def _at(concept: Concept, films: Sequence[int]) -> Concept:
    return replace(concept, examples=tuple(films[place] for place in concept.examples))
