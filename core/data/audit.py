"""Can this cohort fool a model, or flatter it? Each test passes or fails, in one sentence, with the films named.

`audit` looks at one cohort, `audit_across` at what several share. A test that cannot be made (no patients known, no splits
yet) neither passes nor fails, and says why.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from core.data import filmcheck, shortcuts
from core.data.cohort import Cohort, concatenate
from core.data.duplicates import near_duplicates
from core.data.frame import MEASURES
from core.data.signatures import Signatures, signatures
from core.data.split import groups

STRONG_V = 0.3  # Cramér's V above which class and source are confounded
LARGE_EFFECT = 0.14  # epsilon squared; Cohen's "large"
BORDERS_AUROC = 0.6  # lower end of the interval above which the borders give the classes away
TEXT_SHARE = 0.004  # of the outer film, covered by letters; a single small R stays below
COLOURFUL = 0.1  # mean saturation of a photograph
_P = 0.01
_KNOWN_SHARE = 0.5  # of the films must have a value for a column to be judged


@dataclass(frozen=True)
class Finding:
    """The outcome of one test.

    Args:
        key: short name for programs.
        title: for people.
        passed: None if the test could not be made.
        sentence: what was found.
        films: file names, those that matter most first.
        figures: name -> value, for programs.
    """

    key: str
    title: str
    passed: bool | None
    sentence: str
    films: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """All findings on one cohort, or on what several share."""

    name: str
    films: int
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """True if no test failed."""
        return all(finding.passed is not False for finding in self.findings)

    def to_dict(self) -> dict:
        """Plain types, ready for JSON."""
        return {**asdict(self), "passed": self.passed}


@dataclass(frozen=True, eq=False)
class Case:
    """What every test looks at: the films, their signatures, the pairs that show one picture, the groups they form."""

    cohort: Cohort
    signatures: Signatures
    pairs: pd.DataFrame
    groups: np.ndarray

    def column(self, name: str) -> pd.Series:
        """One column of the samples."""
        return self.cohort.samples[name]

    def names(self, positions: Sequence[int] | np.ndarray) -> tuple[str, ...]:
        """File names of the films at these positions, each once."""
        paths = self.column("path").iloc[np.asarray(positions, dtype=np.int64)]
        return tuple(dict.fromkeys(Path(p).name for p in paths))


def audit(cohort: Cohort) -> Audit:
    """Make every test on one cohort. Decodes each film once; later audits read the cache."""
    signs = signatures(cohort)
    pairs = near_duplicates(signs)
    case = Case(cohort, signs, pairs, groups(cohort, pairs))
    return Audit(cohort.name, len(cohort), tuple(test(case) for test in TESTS))


def audit_across(cohorts: Sequence[Cohort]) -> Audit:
    """What several cohorts share: pictures and patients. One must not test what another trained."""
    joined = concatenate(" + ".join(c.name for c in cohorts), cohorts)
    origin = np.repeat([c.name for c in cohorts], [len(c) for c in cohorts])
    pairs = near_duplicates(signatures(joined))
    case = Case(joined, signatures(joined), pairs, np.arange(len(joined)))
    return Audit(joined.name, len(joined), (_shared_pictures(case, origin), _shared_patients(case, origin)))


def unreadable(case: Case) -> Finding:
    """Files that are no film."""
    bad = sorted(case.signatures.errors)
    sentence = (
        f"{_films(len(bad))} cannot be read. {case.signatures.errors[bad[0]]}" if bad else "All films can be read"
    )
    return Finding("unreadable", "Unreadable files", not bad, sentence, case.names(bad))


def exact_duplicates(case: Case) -> Finding:
    """The same file twice."""
    digests = pd.Series(case.signatures.sha256)
    copies = np.flatnonzero(digests.duplicated(keep=False) & (digests != ""))
    sentence = f"{_films(len(copies))} are byte for byte the same as another" if len(copies) else "No file occurs twice"
    return Finding("exact_duplicates", "Exact duplicates", not len(copies), sentence, case.names(copies))


def near_duplicates_inside(case: Case) -> Finding:
    """The same picture twice."""
    films = np.unique(case.pairs[["first", "second"]])
    title = "Near-duplicates"
    if not len(films):
        return Finding("near_duplicates", title, True, "No picture occurs twice")
    by_class = case.column("label").iloc[films].value_counts()
    where = ", ".join(f"{n} {label}" for label, n in by_class.items())
    sentence = f"{_films(len(films))} in {len(case.pairs)} pairs show the same picture as another ({where})"
    ordered = case.pairs.sort_values("likeness", ascending=False)[["first", "second"]].to_numpy().ravel()
    figures = {"films": len(films), "pairs": len(case.pairs)}
    return Finding("near_duplicates", title, False, sentence, case.names(ordered), figures)


def conflicting_labels(case: Case) -> Finding:
    """The same picture under two labels."""
    labels = case.cohort.labels()
    apart = case.pairs[labels[case.pairs["first"]] != labels[case.pairs["second"]]]
    films = apart[["first", "second"]].to_numpy().ravel()
    sentence = f"{len(apart)} pictures occur under two labels" if len(apart) else "No picture occurs under two labels"
    return Finding("conflicting_labels", "Conflicting labels", not len(apart), sentence, case.names(films))


def duplicates_across_splits(case: Case) -> Finding:
    """The same picture on two sides of a split."""
    key, title = "split_duplicates", "Pictures in two splits"
    splits = case.column("split").to_numpy(dtype=object)
    if len(set(splits) - {""}) < 2:
        return Finding(key, title, None, "The cohort is not split yet")
    first, second = splits[case.pairs["first"]], splits[case.pairs["second"]]
    leaks = case.pairs[(first != second) & (first != "") & (second != "")]
    sentence = f"{len(leaks)} pairs of one picture lie on two sides" if len(leaks) else "No picture lies on two sides"
    return Finding(key, title, not len(leaks), sentence, case.names(leaks[["first", "second"]].to_numpy().ravel()))


def patients_across_splits(case: Case) -> Finding:
    """The same patient on two sides of a split."""
    key, title = "split_patients", "Patients in two splits"
    samples = case.cohort.samples
    known = samples[(samples["patient"] != "") & (samples["split"] != "")]
    if known["split"].nunique() < 2:
        reason = "No patient is known" if samples["patient"].eq("").all() else "The cohort is not split yet"
        return Finding(key, title, None, reason)
    sides = known.groupby("patient")["split"].transform("nunique")
    leaking = known[sides > 1]
    count = leaking["patient"].nunique()
    sentence = (
        f"{count} patients lie on two sides, with {_films(len(leaking))}" if count else "No patient lies on two sides"
    )
    return Finding(key, title, not count, sentence, case.names(leaking.index.to_numpy()), {"patients": count})


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
    medians = age.groupby(case.column("label")).median().dropna()
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
    order = sorted(odd, key=lambda i: str(kinds[i]))
    counts = pd.Series(kinds[odd]).value_counts()
    named = ", ".join(f"{n} {kind} ({_some(case.names(np.flatnonzero(kinds == kind)))})" for kind, n in counts.items())
    return Finding(
        "odd_films", "Odd films", False, f"{named} of {_films(len(kinds))}", case.names(order), counts.to_dict()
    )


def burned_in_text(case: Case) -> Finding:
    """Letters in the film, and whether they go with a class."""
    marked = case.signatures.frame["text_share"] > TEXT_SHARE
    strength, p = shortcuts.cramers_v(marked, case.column("label"))
    share = marked.groupby(case.column("label")).mean().reindex(case.cohort.classes).dropna()
    where = ", ".join(f"{label} {value:.0%}" for label, value in share.items())
    passed = not (strength >= STRONG_V / 2 and p < _P)
    order = case.signatures.frame["text_share"].sort_values(ascending=False).index[: int(marked.sum())]
    sentence = f"Large letters or marks near the edge: {where} of the films"
    figures = {"cramers_v": strength, "films": int(marked.sum())}
    return Finding("burned_in_text", "Burned-in text", passed, sentence, case.names(order), figures)


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
        return Finding(key, title, None, "Fewer than two classes have 20 films")
    passed = result.low < BORDERS_AUROC
    verdict = "near chance" if passed else "they give the class away"
    interval = f"{result.auroc:.2f} (95 % {result.low:.2f} to {result.high:.2f}; chance 0.50)"
    sentence = f"From the borders alone, lungs hidden, a small model reaches AUROC {interval}: {verdict}"
    return Finding(key, title, passed, sentence, figures=asdict(result))


Test = Callable[[Case], Finding]
TESTS: tuple[Test, ...] = (
    unreadable,
    exact_duplicates,
    near_duplicates_inside,
    conflicting_labels,
    duplicates_across_splits,
    patients_across_splits,
    class_by_source,
    class_by_view,
    class_by_sex,
    class_by_age,
    odd_films,
    burned_in_text,
    border_statistics,
    borders_only,
)


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


def _shared_pictures(case: Case, origin: np.ndarray) -> Finding:
    pairs = case.pairs[origin[case.pairs["first"]] != origin[case.pairs["second"]]]
    between = _between(zip(origin[pairs["first"]], origin[pairs["second"]], strict=True))
    sentence = (
        f"{len(pairs)} pictures occur in two cohorts: {between}" if len(pairs) else "No picture occurs in two cohorts"
    )
    films = case.names(pairs[["first", "second"]].to_numpy().ravel())
    return Finding("shared_pictures", "Pictures in two cohorts", not len(pairs), sentence, films, {"pairs": len(pairs)})


def _shared_patients(case: Case, origin: np.ndarray) -> Finding:
    """Short numbers are left out: every hospital has a patient 2."""
    patient = case.column("patient")
    table = pd.DataFrame({"patient": patient, "origin": origin})[~patient.str.fullmatch(r"\d{0,5}")]
    homes = table.drop_duplicates().groupby("patient")["origin"].agg(list)
    homes = homes[homes.map(len) > 1]
    between = _between(tuple(sorted(h))[:2] for h in homes)
    count = len(homes)
    sentence = (
        f"{count} patients occur in two cohorts: {between}" if count else "No known patient occurs in two cohorts"
    )
    films = case.names(table.index[table["patient"].isin(homes.index)].to_numpy())
    return Finding("shared_patients", "Patients in two cohorts", not count, sentence, films, {"patients": count})


def _between(homes: object) -> str:
    counts = pd.Series([" and ".join(sorted(pair)) for pair in homes], dtype=object).value_counts()  # type: ignore[attr-defined]
    return ", ".join(f"{n} in {names}" for names, n in counts.items())


def _films(n: int) -> str:
    return f"{n:,} film" if n == 1 else f"{n:,} films"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
