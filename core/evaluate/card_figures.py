"""What a card keeps of its model's own films, each figure from the registry and by the model's own operating points.

Written in one place: at the end of training and of calibrating an adopted model, and by ``core evaluate --keep``.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.evaluate import parts, track_record
from core.evaluate.headline import PARTS
from core.evaluate.scopes import MACRO, OVERALL
from core.model import conformal

if TYPE_CHECKING:
    from core.evaluate.estimates import Figures
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.findings import FindingsEvaluation
    from core.model.card import Card

KEPT = {
    "accuracy": (OVERALL, "accuracy"),
    "balanced_accuracy": (OVERALL, "balanced_accuracy"),
    "macro_f1": (MACRO, "f1"),
    "auroc": (MACRO, "auroc"),
    "log_loss": (OVERALL, "log_loss"),
}
"""Key of a card's metrics -> scope and key of the registry."""


def of_own_films(card: "Card", judged: "Evaluation") -> "Card":
    """The card with what follows from the films that its model was tuned and judged on, and nothing that does not.

    Of test films: the figures of `KEPT` with ``called_by``, how often the model was right (`track_record`), and the
    parts that these pool (`core.evaluate.parts`). Of validation films: prediction sets and triage
    (`core.model.conformal`). Where a class has no test film the figures say less than they seem to, and only the number
    of films is kept.
    """
    films = judged.by_split(own=True)
    own = (*KEPT, "films", "called_by", track_record.HOME, PARTS)
    metrics: dict[str, Any] = {key: value for key, value in card.metrics.items() if key not in own}
    if test := films.get("test"):
        figures = test.figures()
        metrics |= _metrics(test, figures) | {track_record.HOME: track_record.of(test, figures)}
        if pooled := parts.parts(test):
            metrics[PARTS] = parts.as_data(pooled)
    else:
        metrics["films"] = 0
    card = replace(card, metrics=metrics)
    if (validation := films.get("validation")) is None:
        return card
    told = f"its {len(validation):,} validation films"
    return replace(card, **conformal.for_card(card.classes, validation.probabilities, validation.labels, told))


def of_own_findings(card: "Card", judged: "FindingsEvaluation") -> "Card":
    """The same of a model of several findings.

    The macro AUROC of its test films, over how many findings it is, and how often each finding was right.
    """
    test = judged.by_split(own=True).get("test")
    metrics = {
        key: value
        for key, value in card.metrics.items()
        if key not in ("films", "findings", "auroc", track_record.HOME)
    }
    metrics["films"] = 0 if test is None else len(test)
    if test is not None and (averaged := test.pooled.averaged):
        metrics |= {"findings": len(averaged), "auroc": test.pooled.macro["auroc"].value}
        metrics[track_record.HOME] = track_record.of_findings(test)
    return replace(card, metrics=metrics)


def _metrics(test: "Evaluation", figures: "Figures") -> dict[str, Any]:
    if len(np.unique(test.labels)) < len(test.classes):
        return {"films": len(test)}
    values = {name: float(figures[scope][key].value) for name, (scope, key) in KEPT.items()}
    return {"films": len(test), "called_by": test.point.sentence, **values}
