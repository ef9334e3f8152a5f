"""Confounds: what goes with the class and is not disease, and films that are not what they should be."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from core.data.audit import filmcheck, shortcuts
from core.data.audit.chance import Null, P, against_chance
from core.data.audit.findings import Case, Finding, Listed, Viewed, count_films, some
from core.data.borders import MEASURES

STRONG_V = 0.3  # Cramér's V above which class and source are confounded
LARGE_EFFECT = 0.14  # epsilon squared; Cohen's "large"
BORDERS_AUROC = 0.6  # lower end of the interval above which the borders give the classes away
TEXT_SHARE = 0.004  # of the outer film, covered by thin bright strokes; a single small R stays below
COLOURFUL = 0.1  # mean saturation of a photograph
TOO_FEW = "too few films to tell"
_KNOWN_SHARE = 0.5  # of the films must have a value for a column to be judged


def class_by_source(case: Listed) -> Finding:
    """Classes that come from different hospitals."""
    return _confounding(case, "source", "Class and source")


def class_by_view(case: Listed) -> Finding:
    """Classes taken in different positions."""
    return _confounding(case, "view", "Class and view")


def class_by_sex(case: Listed) -> Finding:
    """Classes of different sex."""
    return _confounding(case, "sex", "Class and sex")


def class_by_age(case: Listed) -> Finding:
    """Classes of different age."""
    age, key, title = case.column("age"), "class_by_age", "Class and age"
    known = age.notna().to_numpy()
    if not len(known) or known.mean() < _KNOWN_SHARE:
        return Finding(key, title, None, f"The age is known for {known.mean() if len(known) else 0:.0%} of the films")
    labels, ranks = case.cohort.labels()[known], shortcuts.ranked(age[known])
    null = against_chance(lambda dealt: shortcuts.effect(ranks, dealt), labels, case.groups[known])
    medians = age.groupby(case.column("label")).median().reindex(case.cohort.classes).dropna()
    named = ", ".join(f"{label} {value:.0f}" for label, value in medians.items())
    sentence = f"The class explains {null.observed:.0%} of the age (median years: {named})"
    return _judged(case, key, title, sentence, null, LARGE_EFFECT, "{:.0%}", {"epsilon_squared": null.observed})


def odd_films(case: Viewed) -> Finding:
    """Films that are not upright, whole, uninverted chest films."""
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


def burned_in_text(case: Viewed) -> Finding:
    """Letters and wires in the film, and whether they go with a class."""
    marked = case.signatures.frame["text_share"] > TEXT_SHARE
    text, limit = marked.to_numpy(np.int64), STRONG_V / 2
    null = against_chance(lambda dealt: shortcuts.cramers_v(dealt, text), case.cohort.labels(), case.groups)
    share = marked.groupby(case.column("label")).mean().reindex(case.cohort.classes).dropna()
    where = ", ".join(f"{label} {value:.0%}" for label, value in share.items())
    order = case.signatures.frame["text_share"].sort_values(ascending=False).index.to_numpy()[: int(marked.sum())]
    sentence = (
        f"Letters, wires or other bright strokes near the edge: {where} of the films, Cramér's V {null.observed:.2f}"
    )
    figures = {"cramers_v": null.observed, "films": int(marked.sum())}
    key, title = "burned_in_text", "Burned-in text and marks"
    return _judged(case, key, title, sentence, null, limit, "{:.2f}", figures, case.names(order))


def border_statistics(case: Viewed) -> Finding:
    """Brightness, frame and shape of the films, class by class; chance, too, may choose the worst of the measures."""
    frame, label = case.signatures.frame, case.column("label")
    ranks = {name: shortcuts.ranked(frame[name]) for name in MEASURES if name != "text_share"}
    effects = {name: shortcuts.effect(of, case.cohort.labels()) for name, of in ranks.items()}
    null = against_chance(
        lambda dealt: max(shortcuts.effect(of, dealt) for of in ranks.values()), case.cohort.labels(), case.groups
    )
    worst = max(effects, key=lambda name: effects[name])
    medians = frame[worst].groupby(label).median().reindex(case.cohort.classes).dropna()
    values = ", ".join(f"{name} {value:.3g}" for name, value in medians.items())
    sentence = f"The class explains {effects[worst]:.0%} of {worst.replace('_', ' ')} (medians: {values})"
    return _judged(case, "border_statistics", "Frame statistics", sentence, null, LARGE_EFFECT, "{:.0%}", effects)


def borders_only(case: Case) -> Finding:
    """Can a small model tell the classes with the lungs hidden? Where a finder of lungs is at hand, those it found."""
    key, title = "borders_only", "Borders only"
    seen, told = np.ones(len(case.groups), bool), "the middle hidden, lungs not masked"
    if case.lungs is not None:
        found = np.asarray(case.lungs.any(axis=(1, 2)))
        if found.mean() >= _KNOWN_SHARE:
            seen = found
            told = f"lungs masked in {count_films(int(found.sum()))}"
            told += f", {int((~found).sum())} without found lungs left out" if not found.all() else ""
        else:
            told = f"the middle hidden; lungs were found in only {found.mean():.0%} of the films and not masked"
    masks = case.lungs[seen] if case.lungs is not None and told.startswith("lungs masked") else None
    thumbnails, labels = case.signatures.thumbnails[seen], case.cohort.labels()[seen]
    result = shortcuts.borders_only(thumbnails, labels, case.groups[seen], lungs=masks)
    if result is None:
        least = f"{shortcuts.LEAST_FILMS} films of {shortcuts.FOLDS} patients"
        return Finding(key, title, None, f"Too few films: fewer than two classes have {least}")
    failed = result.low >= BORDERS_AUROC and result.p < P
    passed = False if failed else (None if result.chance >= BORDERS_AUROC else True)
    verdict = {True: "not enough to fail", False: "they give the class away", None: TOO_FEW}[passed]
    figure = f"{result.auroc:.2f} (95 % {result.low:.2f} to {result.high:.2f}; chance 0.50, up to {result.chance:.2f})"
    if masks is not None:
        told += f", which covered {result.covered:.0%} of the borders"
    sentence = f"From the borders alone ({told}) a small model reaches AUROC {figure}: {verdict}"
    return Finding(key, title, passed, sentence, figures=asdict(result))


def _confounding(case: Listed, column: str, title: str) -> Finding:
    values, label, key = case.column(column), case.column("label"), f"class_by_{column}"
    known = (values != "").to_numpy()
    if not len(known) or known.mean() < _KNOWN_SHARE:
        share = known.mean() if len(known) else 0
        return Finding(key, title, None, f"The {column} is known for {share:.0%} of the films")
    codes = pd.factorize(values)[0]
    null = against_chance(lambda dealt: shortcuts.cramers_v(dealt, codes), case.cohort.labels(), case.groups)
    shares = pd.crosstab(label, values, normalize="index").reindex(case.cohort.classes).dropna()
    main = ", ".join(f"{name} {row.max():.0%} {row.idxmax()}" for name, row in shares.iterrows())
    sentence = f"Cramér's V {null.observed:.2f} ({_strength(null.observed)}): {main}"
    return _judged(case, key, title, sentence, null, STRONG_V, "{:.2f}", {"cramers_v": null.observed, "p": null.p})


def _judged(
    case: Listed,
    key: str,
    title: str,
    sentence: str,
    null: Null,
    limit: float,
    shape: str,
    figures: dict[str, float],
    films: tuple[str, ...] = (),
) -> Finding:
    """A finding with its chance level; ``shape`` formats figures of its kind."""
    if case.column("label").nunique() < 2:
        return Finding(key, title, None, "All films are of one class")
    passed = null.verdict(limit)
    chance = f"; by chance up to {shape.format(null.level)}"
    doubt = f": {TOO_FEW}" if passed is None else ""
    return Finding(key, title, passed, sentence + chance + doubt, films, {**figures, "chance": null.level, "p": null.p})


def _strength(v: float) -> str:
    steps = ((0.1, "independent"), (STRONG_V, "weakly bound"), (0.6, "strongly bound"))
    return next((word for limit, word in steps if v < limit), "nearly the same thing")
