"""Does an answer follow what is pasted from another film, or vanish where it is hidden? Measured over a cohort."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.data.progress import Progress, quiet
from core.explain.hide import SEAMLESS, hide
from core.explain.swap import CUES, OUTSIDE, Cue
from core.hunt.seen import Seen
from core.intervals import of_mean
from core.model.classifier import Classifier

FEWEST = 12  # films onto which something is pasted, and donors of either kind
ONTO = 40  # films at most onto which each cue of each class is pasted
DONORS = 4  # of either kind for each of these, at most: which donor it is moves an answer as much as which film
HIDDEN = 24  # films at most on which it is hidden
LEAST = 0.1  # rise of the probability, even at its interval's lower end, for a cue to be what the model goes by
_EXAMPLES = 5


@dataclass(frozen=True)
class Exchange:
    """What pasting one cue from films of one class does to the others.

    Args:
        cue: a key of `core.explain.swap.CUES`.
        effect: mean rise of the class's probability over what pasting the same from other films does, -1 to 1, with
            its interval over patients.
        flipped: how often a film is called the class then that was not before, 0 to 1.
        films: onto how many it was pasted, from up to `DONORS` donors each.
        hidden: mean drop of the class's probability on films called so where the place is hidden, with its interval;
            NaN where the cue has no place, or moves nothing.
        examples: five donors, those whose cue raised it most; places among the films seen.
    """

    class_name: str
    cue: str
    effect: float
    low: float
    high: float
    flipped: float
    films: int
    hidden: float
    hidden_low: float
    hidden_high: float
    examples: tuple[int, ...]

    @property
    def relied_on(self) -> bool:
        """Whether the model goes by it: even the interval's lower end reaches ``LEAST``."""
        return self.low >= LEAST


def exchanges(
    classifier: Classifier,
    seen: Seen,
    class_names: Sequence[str],
    cues: Sequence[str] = tuple(CUES),
    seed: int = 0,
    progress: Progress = quiet,
) -> list[Exchange]:
    """Every cue of every class that enough films are called, and enough are not."""
    found = []
    for done, name in enumerate(class_names):
        called = seen.called[:, classifier.classes.index(name)]
        rng = np.random.default_rng([seed, classifier.classes.index(name)])
        donors, others = (rng.permutation([k for k in seen.sights if called[k] == yes]) for yes in (True, False))
        pairs = _paired(seen, donors.astype(int), others.astype(int), rng)
        if min(len(donors), len(pairs)) < FEWEST:
            continue
        for place, key in enumerate(cues):
            progress("exchanging what lies outside the lungs", done * len(cues) + place, len(class_names) * len(cues))
            found.append(_exchange(classifier, seen, name, CUES[key], donors.astype(int), pairs, seed))
    return found


def _paired(seen: Seen, donors: np.ndarray, others: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """For each film that is not called the class, `DONORS` times with a donor that is, and one that is not:
    (N, DONORS, 3), three patients in each, and every donor about equally often."""
    rows = []
    for place, onto in enumerate(others[:ONTO]):
        ahead = np.roll(donors, -place * DONORS)
        yes = ahead[seen.patients[ahead] != seen.patients[onto]]
        no = rng.permutation(others[seen.patients[others] != seen.patients[onto]])
        if len(yes) and len(no):
            rows.append([(onto, *both) for both in zip(np.resize(yes, DONORS), np.resize(no, DONORS), strict=True)])
    return np.array(rows, int).reshape(-1, DONORS, 3)


def _exchange(
    classifier: Classifier, seen: Seen, name: str, cue: Cue, donors: np.ndarray, pairs: np.ndarray, seed: int
) -> Exchange:
    index, sights = classifier.classes.index(name), seen.sights
    rises, called = [], []
    for some in (pairs[:, :1], pairs[:, 1:]):
        pasted = [cue.paste(sights[onto], sights[film]) for onto, *both in some.reshape(-1, 3) for film in both]
        p = classifier.predict_pictures(np.stack(pasted))[1]
        rises.append((p[::2, index].astype(float) - p[1::2, index]).reshape(len(pairs), -1))
        called.append(classifier.output.first(p[::2]) == index)
        each = np.hstack(rises)
        low, high = of_mean(each.mean(axis=1), seen.patients[pairs[:, 0, 0]], share=False, seed=seed)
        if high < LEAST:  # of most cues the first donors say that nothing relies on them
            break
    hidden: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    if cue.placed and low >= LEAST:
        hidden = _hidden(classifier, seen, cue, index, donors[:HIDDEN], seed)
    order = pairs[:, : each.shape[1], 1].ravel()[np.argsort(-each, axis=None, kind="stable")]
    examples = tuple(dict.fromkeys(map(int, order)))[:_EXAMPLES]
    return Exchange(
        name, cue.key, float(each.mean()), low, high, float(np.hstack(called).mean()), len(pairs), *hidden, examples
    )  # fmt: skip


def _hidden(
    classifier: Classifier, seen: Seen, cue: Cue, index: int, films: np.ndarray, seed: int
) -> tuple[float, float, float]:
    """Mean drop of the class's probability where the cue's place is hidden, and its interval."""
    pictures = np.stack([hide(seen.pictures[k], seen.sights[k].places[cue.key], SEAMLESS) for k in films])
    drop = seen.probabilities[films, index].astype(float) - classifier.predict_pictures(pictures)[1][:, index]
    return float(drop.mean()), *of_mean(drop, seen.patients[films], share=False, seed=seed)


def most_specific(found: Sequence[Exchange]) -> list[Exchange]:
    """Without "outside the lungs" of a class of which one of its parts alone does half as much at least."""
    parts = {(one.class_name, one.effect) for one in found if CUES[one.cue].placed and one.cue != OUTSIDE}
    return [
        one
        for one in found
        if one.cue != OUTSIDE or not any(name == one.class_name and 2 * effect >= one.effect for name, effect in parts)
    ]
