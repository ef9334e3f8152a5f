"""Before and after a mending: at home, elsewhere, in the worst group, by the place of evidence, and hunted again."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.scopes import OVERALL
from core.evaluate.scoring import labelled, score
from core.hunt.hunter import hunt
from core.hunt.hypothesis import Hunt
from core.intervals import Estimate
from core.model.classifier import Classifier

FEWEST = 8  # films of a group, for it to be the worst


@dataclass(frozen=True, eq=False)
class Side:
    """One model in the comparison.

    Args:
        home, elsewhere: accuracy with its interval; None where no films of another hospital are given.
        worst: lowest accuracy of a class of one source at home, 0 to 1, and which; "" where no group is large enough.
        hunted: what the hunter finds on the films from home.
    """

    name: str
    home: Estimate
    elsewhere: Estimate | None
    worst: float
    worst_group: str
    hunted: Hunt

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON and for a card."""
        figures = {"home": self.home, **({"elsewhere": self.elsewhere} if self.elsewhere else {})}
        told = {key: {"value": _round(one.value), "low": _round(one.low), "high": _round(one.high), "films": one.n}
                for key, one in figures.items()}  # fmt: skip
        hunted = {"hypotheses": len(self.hunted.hypotheses), "strongest": _round(self.hunted.strongest)}
        shares = {} if np.isnan(self.hunted.lung_share) else {"lung_share": _round(self.hunted.lung_share)}
        worst = {"worst": _round(self.worst), "worst_group": self.worst_group} if self.worst_group else {}
        return {"name": self.name, **told, **worst, **shares, **hunted}


def side(
    classifier: Classifier,
    home: Cohort,
    elsewhere: Cohort | None,
    films: int,
    seed: int = 0,
    progress: Progress = quiet,
) -> Side:
    """Judge a model on films that it did not learn from.

    Args:
        home: test films of its own cohort.
        elsewhere: films of another hospital, or None.
        films: that the hunter looks at, at most.
    """
    near = _judged(classifier, home, "judging at home", progress)
    far = None if elsewhere is None else _judged(classifier, elsewhere, "judging elsewhere", progress)
    worst, group = _worst(near)
    found = hunt(classifier, labelled(classifier, home), films, seed, progress)
    return Side(classifier.card.name, _accuracy(near), None if far is None else _accuracy(far), worst, group, found)


def as_table(before: Side, after: Side) -> str:
    """Both sides, one figure a line."""
    rows: list[tuple[str, ...]] = [
        ("", before.name, after.name),
        ("accuracy at home", str(before.home), str(after.home)),
    ]
    if before.elsewhere and after.elsewhere:
        rows.append(("accuracy elsewhere", str(before.elsewhere), str(after.elsewhere)))
    sides = (before, after)
    rows.append(("worst group at home", *(f"{s.worst:.3f} ({s.worst_group})" if s.worst_group else "-" for s in sides)))
    rows.append(("evidence in the lungs", *(f"{s.hunted.lung_share:.2f}" for s in sides)))
    rows.append(("hypotheses of the hunter", *(str(len(s.hunted.hypotheses)) for s in sides)))
    rows.append(("strongest effect", *(f"{s.hunted.strongest:.2f}" for s in sides)))
    wide = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip() for row in rows
    )


def _judged(classifier: Classifier, cohort: Cohort, what: str, progress: Progress) -> Evaluation:
    found, _ = score(classifier, cohort, lambda done, total: progress(what, done, total))
    if not isinstance(found, Evaluation):
        came = f"the classes of {classifier.card.name} are findings that occur together"
        raise EvaluationError(came, "a model of exclusive classes")
    return found


def _accuracy(judged: Evaluation) -> Estimate:
    return judged.figures()[OVERALL]["accuracy"]


def _worst(judged: Evaluation) -> tuple[float, str]:
    """The class of one source that is called right least often."""
    right = judged.called() == judged.labels
    groups = [
        (float(right[mine].mean()), f"{judged.classes[label]}, {source}" if source else judged.classes[label])
        for label in np.unique(judged.labels)
        for source in sorted(set(judged.samples["source"].astype(str)))
        if (mine := (judged.labels == label) & (judged.samples["source"] == source).to_numpy()).sum() >= FEWEST
    ]
    return min(groups, default=(float("nan"), ""))


def _round(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
