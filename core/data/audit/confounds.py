"""Confounds: what goes with the class and is not disease, and films that are not what they should be."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from core.data.audit import filmcheck, shortcuts
from core.data.audit.findings import Case, Finding, count_films, some
from core.data.borders import MEASURES

STRONG_V = 0.3  # Cramér's V above which class and source are confounded
LARGE_EFFECT = 0.14  # epsilon squared; Cohen's "large"
BORDERS_AUROC = 0.6  # lower end of the interval above which the borders give the classes away
TEXT_SHARE = 0.004  # of the outer film, covered by thin bright strokes; a single small R stays below
COLOURFUL = 0.1  # mean saturation of a photograph
_P = 0.01
_KNOWN_SHARE = 0.5  # of the films must have a value for a column to be judged


def class_by_source(case: Case) -> Finding:
    """Classes that come from different hospitals."""
    return _confounding(case, "source", "Class and source")


def class_by_view(case: Case) -> Finding:
    """Classes taken in different positions."""
    return _confounding(case, "view", "Class and view")


def class_by_sex(case: Case) -> Finding:
    """Classes of different sex."""
    return _confounding(case, "sex", "Class and sex")


def class_by_age(case: Case) -> Finding:
    """Classes of different age."""
    age, key, title = case.column("age"), "class_by_age", "Class and age"
    known = age.notna()
    if known.mean() < _KNOWN_SHARE:
        return Finding(key, title, None, f"The age is known for {known.mean():.0%} of the films")
    strength = shortcuts.effect(age[known], case.column("label")[known])
    medians = age.groupby(case.column("label")).median().reindex(case.cohort.classes).dropna()
    sentence = f"Median years: {', '.join(f'{label} {value:.0f}' for label, value in medians.items())}"
    return Finding(key, title, strength < LARGE_EFFECT, sentence, figures={"epsilon_squared": strength})


def odd_films(case: Case) -> Finding:
    """Films that are no upright, whole, uninverted chest film."""
    kinds = np.array(filmcheck.check(case.signatures.thumbnails), dtype=object)
    kinds[list(case.signatures.errors)] = ""
    kinds[case.signatures.colour > COLOURFUL] = "in colour"
    odd = np.flatnonzero(kinds != "")
    if not len(odd):
        return Finding("odd_films", "Odd films", True, "All films look like upright, whole chest films")
    order = odd[np.argsort(kinds[odd].astype(str), kind="stable")]
    counts = pd.Series(kinds[odd]).value_counts()
    named = ", ".join(f"{n} {kind} ({some(case.names(np.flatnonzero(kinds == kind)))})" for kind, n in counts.items())
    sentence = f"{named} of {count_films(len(kinds))}"
    figures = {str(kind): float(n) for kind, n in counts.items()}
    return Finding("odd_films", "Odd films", False, sentence, case.names(order), figures)


def burned_in_text(case: Case) -> Finding:
    """Letters and wires in the film, and whether they go with a class."""
    marked = case.signatures.frame["text_share"] > TEXT_SHARE
    strength, p = shortcuts.cramers_v(marked, case.column("label"))
    share = marked.groupby(case.column("label")).mean().reindex(case.cohort.classes).dropna()
    where = ", ".join(f"{label} {value:.0%}" for label, value in share.items())
    passed = not (strength >= STRONG_V / 2 and p < _P)
    order = case.signatures.frame["text_share"].sort_values(ascending=False).index.to_numpy()[: int(marked.sum())]
    sentence = f"Letters, wires or other bright strokes near the edge: {where} of the films"
    figures = {"cramers_v": strength, "films": int(marked.sum())}
    return Finding("burned_in_text", "Burned-in text and marks", passed, sentence, case.names(order), figures)


def border_statistics(case: Case) -> Finding:
    """Brightness, frame and shape of the films, class by class."""
    frame, label = case.signatures.frame, case.column("label")
    effects = {name: shortcuts.effect(frame[name], label) for name in MEASURES if name != "text_share"}
    worst = max(effects, key=lambda name: effects[name])
    medians = frame[worst].groupby(label).median().reindex(case.cohort.classes).dropna()
    values = ", ".join(f"{name} {value:.3g}" for name, value in medians.items())
    sentence = f"The class explains {effects[worst]:.0%} of {worst.replace('_', ' ')} (medians: {values})"
    passed = effects[worst] < LARGE_EFFECT
    return Finding("border_statistics", "Frame statistics", passed, sentence, figures=effects)


def borders_only(case: Case) -> Finding:
    """Can a small model tell the classes with the lungs hidden?"""
    key, title = "borders_only", "Borders only"
    result = shortcuts.borders_only(case.signatures.thumbnails, case.cohort.labels(), case.groups)
    if result is None:
        least = f"{shortcuts.LEAST_FILMS} films of {shortcuts.FOLDS} patients"
        return Finding(key, title, None, f"Fewer than two classes have {least}")
    passed = result.low < BORDERS_AUROC
    verdict = "not enough to fail" if passed else "they give the class away"
    interval = f"{result.auroc:.2f} (95 % {result.low:.2f} to {result.high:.2f}; chance 0.50)"
    sentence = f"From the borders alone, lungs hidden, a small model reaches AUROC {interval}: {verdict}"
    return Finding(key, title, passed, sentence, figures=asdict(result))


def _confounding(case: Case, column: str, title: str) -> Finding:
    values, label, key = case.column(column), case.column("label"), f"class_by_{column}"
    known = (values != "").mean()
    if known < _KNOWN_SHARE:
        return Finding(key, title, None, f"The {column} is known for {known:.0%} of the films")
    strength, p = shortcuts.cramers_v(label, values)
    passed = not (strength >= STRONG_V and p < _P)
    shares = pd.crosstab(label, values, normalize="index").reindex(case.cohort.classes).dropna()
    main = ", ".join(f"{name} {row.max():.0%} {row.idxmax()}" for name, row in shares.iterrows())
    sentence = f"Cramér's V {strength:.2f} ({_strength(strength)}): {main}"
    return Finding(key, title, passed, sentence, figures={"cramers_v": strength, "p": p})


def _strength(v: float) -> str:
    steps = ((0.1, "independent"), (STRONG_V, "weakly bound"), (0.6, "strongly bound"))
    return next((word for limit, word in steps if v < limit), "nearly the same thing")
