"""Is a model from outside shown its films as it was in training? Tested on films, because nothing else tells.

A network answers any input: with another range of values it is merely worse, silently (AUROC 0.62 instead of 0.93 for
one Keras network shown 0 to 255 instead of 0 to 1). So every usual range, in either order of the channels, is tried
with every way to make a square beside what is declared, on the same labelled films, and the difference gets an interval
over patients. How many channels a network takes, its first layer tells.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.data.patients import numbered
from core.data.progress import Progress, quiet
from core.errors import FilmError
from core.evaluate import metrics
from core.model.adopt import looks
from core.model.classifier import Classifier
from core.resamples import resamples
from core.transform.preprocess import Fit, Preprocess

FILMS = 96  # at most, drawn evenly over the classes
RESAMPLES = 2000
LEVEL = 0.95  # of all intervals together (Bonferroni): one of many ways is soon better by luck
STILL = 0.02  # standard deviation over films, of probabilities: outputs that move less hardly see the film
FITS: tuple[Fit, ...] = ("squash", "crop", "pad")
ALONE = 20  # films from which on it is odd that all are called alike


@dataclass(frozen=True)
class Look:
    """One way of showing the films.

    Attributes:
        name: range and fit, as ``adopt`` takes them.
        auroc: macro over the classes that occur, one against the rest, or over findings that are known, 0 to 1.
        films: how many were shown.
        low, high: interval of the difference to the declared way, simultaneous over all ways; 0 and 0 of that itself.
    """

    name: str
    auroc: float
    films: int
    low: float = 0.0
    high: float = 0.0

    @property
    def clearly_better(self) -> bool:
        """Whether the declared way is refuted."""
        return self.low > 0


def ways(declared: Preprocess) -> dict[str, Preprocess]:
    """The declared preprocessing, first, then every usual range (and the declared one) with every fit; none twice."""
    found = {f"{looks.name_of(declared)}, {declared.fit}": declared}
    ranges = {looks.name_of(declared): (declared.mean, declared.std)}
    ranges |= {name: looks.values(name, declared.channels) for name in looks.RANGES}
    for fit in (declared.fit, *(fit for fit in FITS if fit != declared.fit)):
        for name, (mean, std) in ranges.items():
            look = replace(declared, mean=mean, std=std, fit=fit)
            if look not in found.values():
                found[f"{name}, {fit}"] = look
    return found


def compared(
    classifier: Classifier, cohort: Cohort, films: int = FILMS, seed: int = 0, progress: Progress = quiet
) -> list[Look]:
    """Every way on the same films of a cohort whose labels are the model's classes; the declared way first."""
    drawn_films = cohort.draw(max(2, films // cohort.samples["label"].nunique()), seed)
    if len(drawn_films) > 2 * films:  # of findings there are more labels than films can be shown
        drawn_films = drawn_films.take(np.sort(np.random.default_rng(seed).permutation(len(drawn_films))[:films]))
    rows, shown = readable(drawn_films)
    drawn_films = drawn_films.take(rows)
    labels, weights = (
        classifier.output.targets(drawn_films.samples),
        resamples(numbered(drawn_films.samples), RESAMPLES, seed),
    )
    scores: dict[str, np.ndarray] = {}
    tried = ways(classifier.preprocess)
    pictures: dict[str, np.ndarray] = {}
    for number, (name, look) in enumerate(tried.items(), start=1):
        if look.fit not in pictures:
            pictures = {look.fit: _pictures(classifier, look, shown)}  # of one fit at a time: all would be many bytes
        scores[name] = _probabilities(classifier, look, pictures[look.fit])
        progress("trying preprocessings", number, len(tried))
    drawn = {name: macro_auroc(p, labels, weights) for name, p in scores.items()}
    first = next(iter(scores))
    tail = (1 - LEVEL) / 2 / max(len(scores) - 1, 1)
    found = [Look(first, float(drawn[first][0]), len(labels))]
    for name in list(scores)[1:]:
        gaps = (drawn[name] - drawn[first])[1:]
        known = gaps[~np.isnan(gaps)]
        low, high = np.quantile(known, (tail, 1 - tail)) if len(known) else (np.nan, np.nan)
        found.append(Look(name, float(drawn[name][0]), len(labels), float(low), float(high)))
    return found


def suspicions(classifier: Classifier, films: Sequence[Radiograph]) -> list[str]:
    """What is suspicious about the answers to unlabelled films, in sentences."""
    if len(films) < 2:
        return []
    p = _probabilities(classifier, classifier.preprocess, _pictures(classifier, classifier.preprocess, films))
    odd = []
    if p.std(axis=0).max() < STILL:
        odd.append(
            f"The outputs hardly move: over {len(films)} films no probability varies by more than {p.std(0).max():.3f}."
        )
    first = classifier.output.first(p)
    if len(films) >= ALONE and len(p[0]) > 1 and (first == first[0]).all():
        odd.append(f"All {len(films)} films are called {classifier.classes[first[0]]}.")
    return [f"{sentence} The preprocessing may be another: try --range and --fit." for sentence in odd]


def sentences(found: Sequence[Look]) -> list[str]:
    """The outcome in sentences: the declared way first, then what is clearly better, best first."""
    declared, *others = found
    better = sorted((look for look in others if look.clearly_better), key=lambda look: -look.auroc)
    told = [
        f"Preprocessing tried: as declared ({declared.name}) AUROC {declared.auroc:.3f} over {declared.films} films."
    ]
    if not better:
        return [*told, f"None of {len(others)} other usual ways is clearly better."]
    for look in better:
        told.append(f"{look.name} is clearly better: {look.auroc:.3f}, by {look.low:+.3f} to {look.high:+.3f}.")
    return told


def macro_auroc(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Mean over classes or findings that occur, and not alone, of the AUROC against the rest, float (R,).

    Args:
        scores: (N, C).
        labels: int (N,) of exclusive classes, or of findings float (N, C), NaN where unknown: left out.
        weights: how often each of R resamples drew each film, (N, R); each film once if not given.
    """
    drawn = (np.ones((len(labels), 1)) if weights is None else weights).astype(np.float32)
    truth = labels[:, None] == np.arange(scores.shape[1]) if labels.ndim == 1 else labels
    areas = [np.full(drawn.shape[1], np.nan)]
    for said, column in zip(truth.T, scores.T, strict=True):
        known = (said == 0) | (said == 1)
        if (said == 1).any():
            _, right, wrong = metrics.sweep(column[known], said[known] == 1, drawn[known])
            areas.append(metrics.auroc(right, wrong))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a resample without a class has no area
        found: np.ndarray = np.nanmean(areas, axis=0)
    return found


def _pictures(classifier: Classifier, look: Preprocess, films: Sequence[Radiograph]) -> np.ndarray:
    return np.stack([look.picture(film, classifier.lungs(film)) for film in films])


def _probabilities(classifier: Classifier, look: Preprocess, pictures: np.ndarray) -> np.ndarray:
    import torch

    with torch.no_grad():
        some = (torch.as_tensor(pictures[i : i + 16]).to(classifier.device) for i in range(0, len(pictures), 16))
        parts = [classifier.network(look.tensor(shown)).numpy(force=True) for shown in some]
    return classifier.probabilities(np.nan_to_num(np.concatenate(parts)))


def readable(cohort: Cohort) -> tuple[list[int], list[Radiograph]]:
    """The rows that can be read, and their films.

    Raises:
        FilmError: none can.
    """
    films, rows = [], []
    for row in range(len(cohort)):
        try:
            films.append(cohort.film(row))
        except FilmError:
            continue
        rows.append(row)
    if not films:
        raise FilmError(f"none of {len(cohort)} films of {cohort.name} can be read")
    return rows, films
