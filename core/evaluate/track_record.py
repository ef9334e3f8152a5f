"""How often a model has been right: what its card keeps of films it never met, and one sentence on one of its answers.

A card's metrics hold ``home`` (its own test films) and ``elsewhere`` (collection -> films of another collection), both
as ``of`` makes them.
"""

from typing import TYPE_CHECKING, Any

from core.evaluate.scopes import MACRO, OVERALL
from core.intervals import TOO_FEW
from core.words import joined

if TYPE_CHECKING:  # the pages ask for a sentence, which needs none of these
    from core.evaluate.estimates import Figures
    from core.evaluate.evaluation import Evaluation
    from core.evaluate.findings import FindingsEvaluation
    from core.intervals import Estimate
    from core.model.card import Card

HOME, ELSEWHERE = "home", "elsewhere"  # keys of a card's metrics
UNKNOWN = "How often this model is right is unknown: no judgement of it is kept in its card."


def of(films: "Evaluation", figures: "Figures | None" = None) -> dict[str, Any]:
    """What a card keeps of films that the model was judged on, each called by its own operating point; JSON-ready.

    ``films``; ``called_by``, the rule; ``accuracy``, ``balanced_accuracy`` and ``auroc`` (macro), each with ``_low``
    and ``_high`` (95 %), where they are defined; and ``classes``: name -> ``films`` (that show it), ``sensitivity``,
    ``precision`` with intervals.

    Args:
        figures: those of the films, where they have been worked out.
    """
    found = figures or films.figures()
    overall = found[OVERALL]
    kept: dict[str, Any] = {"films": len(films), "called_by": films.point.sentence}
    for key, figure in (
        ("accuracy", overall["accuracy"]),
        ("balanced_accuracy", overall["balanced_accuracy"]),
        ("auroc", found[MACRO]["auroc"]),
    ):
        kept |= _with_interval(key, figure)
    kept["classes"] = {
        name: {
            "films": int((films.labels == index).sum()),
            **_with_interval("sensitivity", found[name]["recall"]),
            **_with_interval("precision", found[name]["precision"]),
        }
        for index, name in enumerate(films.classes)
    }
    return kept


def of_findings(films: "FindingsEvaluation") -> dict[str, Any]:
    """The same of a model of several findings: no one accuracy, but ``films``, ``called_by`` and ``classes``.

    A finding counts where it is known, and is in ``classes`` where some film shows it and some film lacks it.
    """
    classes = {}
    for name in films.judged:
        figures = films.of(name).figures()[name]
        classes[name] = {
            "films": int(films.counts["present"][name]),
            **_with_interval("sensitivity", figures["recall"]),
            **_with_interval("precision", figures["precision"]),
        }
    return {"films": len(films), "called_by": "each finding at its own operating point", "classes": classes}


def knows(card: "Card") -> str:
    """What the model can say at all."""
    return f"It knows {joined(card.classes)} only; whatever else a film shows, it has no word for."


def sentence(card: "Card", label: str) -> str:
    """How often the model was right, and how often on films that show ``label``: elsewhere if known, else at home."""
    away = {name: row for name, row in _rows(card.metrics.get(ELSEWHERE)) if _judged(row)}
    if away:
        told = [_told(f"films of {name}, which it never met", row, label) for name, row in away.items()]
        return " ".join(told)
    home = card.metrics.get(HOME)
    if isinstance(home, dict) and _judged(home):
        unknown = "" if _rows(card.metrics.get(ELSEWHERE)) else " Films from elsewhere: not measured."
        return _told("test films of its own collections", home, label) + unknown
    return UNKNOWN


def _told(which: str, row: dict[str, Any], label: str) -> str:
    text = f"On {row['films']:,} {which}"
    if _known(row, "accuracy"):
        text += f", it was right on {_percent(row, 'accuracy')}"
    classes = row.get("classes")
    own = classes.get(label, {}) if isinstance(classes, dict) else {}
    if not _known(own, "sensitivity"):
        return f"{text}; none of them is known to show {label}."
    text += ";" * _known(row, "accuracy")
    text += f" it found {_percent(own, 'sensitivity')} of the {own['films']:,} that show {label}"
    right = f", and {_percent(own, 'precision')} of those it called {label} do" if _known(own, "precision") else ""
    return f"{text}{right}."


def _rows(kept: Any) -> list[tuple[str, dict[str, Any]]]:
    """Collections and what is kept of them; nothing where a card from outside holds something else."""
    return [(name, row) for name, row in kept.items() if isinstance(row, dict)] if isinstance(kept, dict) else []


def _known(row: Any, key: str) -> bool:
    return isinstance(row, dict) and all(isinstance(row.get(name), int | float) for name in (key, "films"))


def _judged(row: dict[str, Any]) -> bool:
    """Whether it says how often the model was right on all films, or on one finding at least."""
    classes = row.get("classes")
    found = isinstance(classes, dict) and any(_known(own, "sensitivity") for own in classes.values())
    return _known(row, "accuracy") or (found and isinstance(row.get("films"), int))


def _percent(row: dict[str, Any], key: str) -> str:
    value = f"{100 * row[key]:.0f} %"
    found = [row.get(f"{key}_{end}") for end in ("low", "high")]
    ends = [f"{100 * end:.0f}" for end in found if isinstance(end, int | float)]
    return f"{value} [{', '.join(ends)}]" if len(ends) == 2 else f"{value} ({TOO_FEW})"


def _with_interval(key: str, figure: "Estimate") -> dict[str, float]:
    """A figure under its key, its limits beside it where films were not too few for any."""
    if not figure.defined:
        return {}
    limits = {f"{key}_low": float(figure.low), f"{key}_high": float(figure.high)} if figure.bounded else {}
    return {key: float(figure.value), **limits}
