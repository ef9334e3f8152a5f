"""A hypothesis tried on one film: hide what it names, lay it on the other side, paste it onto another film."""

from dataclasses import dataclass

import numpy as np

from core.errors import ExplainError
from core.explain.hide import SEAMLESS, hide
from core.explain.swap import CUES, Sight
from core.model.classifier import Classifier


@dataclass(frozen=True, eq=False)
class Trial:
    """One change of one film.

    Args:
        title: what was done, in words.
        picture: uint8 (S, S), the changed film.
        before, after: the class's probability.
    """

    title: str
    picture: np.ndarray
    before: float
    after: float

    @property
    def change(self) -> float:
        """How far the probability moved, -1 to 1."""
        return self.after - self.before


def trials(classifier: Classifier, class_name: str, cue: str, film: Sight, other: Sight) -> list[Trial]:
    """What a cue does to a class's probability on one film and, pasted, on another.

    Args:
        cue: a key of `core.explain.swap.CUES`.
        film: one that is called the class.
        other: one that is not, onto which the cue is pasted.

    Raises:
        ExplainError: no such cue or class.
    """
    if cue not in CUES:
        raise ExplainError(f"there is no cue {cue!r}", f"one of {', '.join(CUES)}")
    if class_name not in classifier.classes:
        raise ExplainError(f"{classifier.card.name} knows no class {class_name!r}", ", ".join(classifier.classes))
    paste = CUES[cue].paste
    mirrored = Sight(film.picture[:, ::-1].copy(), film.lungs[:, ::-1].copy())
    changed: list[tuple[str, Sight, np.ndarray]] = []
    if CUES[cue].placed:
        changed.append(("Hidden", film, hide(film.picture, film.places[cue], SEAMLESS)))
        changed.append(("Laid on the other side", film, paste(film, mirrored)))
    else:
        changed.append(("As on the other film", film, paste(film, other)))
    changed.append(("Pasted onto another film", other, paste(other, film)))
    index = classifier.classes.index(class_name)
    pictures = np.stack([film.picture, other.picture, *(picture for _, _, picture in changed)])
    p = classifier.predict_pictures(pictures)[1][:, index]
    before = {id(film): float(p[0]), id(other): float(p[1])}
    return [
        Trial(title, picture, before[id(onto)], float(after))
        for (title, onto, picture), after in zip(changed, p[2:], strict=True)
    ]
