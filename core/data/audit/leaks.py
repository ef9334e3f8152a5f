"""Leaks: films that are there twice, and patients on two sides, inside one cohort or between several."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from core.data.audit.findings import Case, Finding, Listed, Viewed, count_films
from core.data.copies.verify import COPY, FALSE_COPIES


def unreadable(case: Viewed) -> Finding:
    """Files that are not films."""
    bad = sorted(case.signatures.errors)
    sentence = (
        f"{count_films(len(bad))} cannot be read. {case.signatures.errors[bad[0]]}" if bad else "All films can be read"
    )
    return Finding("unreadable", "Unreadable files", not bad, sentence, case.names(bad))


def exact_duplicates(case: Viewed) -> Finding:
    """The same file twice."""
    digests = pd.Series(case.signatures.sha256)
    copies = np.flatnonzero(digests.duplicated(keep=False) & (digests != ""))
    sentence = (
        f"{count_films(len(copies))} are byte for byte the same as another" if len(copies) else "No file occurs twice"
    )
    return Finding("exact_duplicates", "Exact duplicates", not len(copies), sentence, case.names(copies))


def near_duplicates_inside(case: Case) -> Finding:
    """The same picture twice. Films of one known patient may be that alike, and cannot leak: they do not fail it."""
    key, title = "near_duplicates", "Near-duplicates"
    if len(case.cohort) - len(case.signatures.errors) < 2:
        return Finding(key, title, None, "Too few films: two that can be read are needed")
    patient = case.column("patient").to_numpy(dtype=object)
    first, second = patient[case.pairs["first"]], patient[case.pairs["second"]]
    same = (first == second) & (first != "")
    sure = (case.pairs["level"] == COPY).to_numpy()
    apart = case.pairs[~same & sure].sort_values("similarity", ascending=False)
    doubtful = case.pairs[~same & ~sure].sort_values("similarity", ascending=False)
    aside = f"; {same.sum()} pairs are alike within one patient" if same.any() else ""
    aside += f"; {_pairs(len(doubtful))} may show one picture: look at them" if len(doubtful) else ""
    aside += f"; by chance {_by_chance(len(case.cohort))}"
    films = np.unique(apart[["first", "second"]])
    names = case.names(np.concatenate([t[["first", "second"]].to_numpy().ravel() for t in (apart, doubtful)]))
    figures = {"films": len(films), "pairs": len(apart), "pairs_within_patients": int(same.sum())}
    figures |= {"pairs_to_look_at": len(doubtful)}
    if not len(films):
        return Finding(key, title, None if names else True, f"No picture occurs twice{aside}", names, figures)
    by_class = case.column("label").iloc[films].value_counts()
    where = ", ".join(f"{n} {label}" for label, n in by_class.items())
    sentence = f"{count_films(len(films))} in {_pairs(len(apart))} show the same picture as another ({where}){aside}"
    return Finding(key, title, False, sentence, names, figures)


def conflicting_labels(case: Case) -> Finding:
    """The same picture under two labels."""
    key, title = "conflicting_labels", "Conflicting labels"
    labels = case.cohort.labels()
    if len(np.unique(labels)) < 2:
        return Finding(key, title, None, "All films are of one class")
    apart = case.copies[labels[case.copies["first"]] != labels[case.copies["second"]]]
    films = apart[["first", "second"]].to_numpy().ravel()
    sentence = f"{len(apart)} pictures occur under two labels" if len(apart) else "No picture occurs under two labels"
    return Finding(key, title, not len(apart), f"{sentence}; by chance {_by_chance(len(labels))}", case.names(films))


def duplicates_across_splits(case: Case) -> Finding:
    """The same picture on two sides of a split."""
    key, title = "split_duplicates", "Pictures in two splits"
    splits = case.column("split").to_numpy(dtype=object)
    if len(set(splits) - {""}) < 2:
        return Finding(key, title, None, _too_few_splits(splits))
    first, second = splits[case.pairs["first"]], splits[case.pairs["second"]]
    leaks = case.pairs[(first != second) & (first != "") & (second != "")]
    sure = leaks[leaks["level"] == COPY]
    doubtful = f"; {_pairs(len(leaks) - len(sure))} that lie so may show one picture" if len(leaks) > len(sure) else ""
    sentence = f"{_pairs(len(sure))} of one picture lie on two sides" if len(sure) else "No picture lies on two sides"
    sentence += f"{doubtful}; by chance {_by_chance(len(splits))}"
    films = case.names(leaks.sort_values("level")[["first", "second"]].to_numpy().ravel())
    passed = False if len(sure) else (None if len(leaks) else True)
    return Finding(key, title, passed, sentence, films)


def patients_across_splits(case: Listed) -> Finding:
    """The same patient on two sides of a split."""
    key, title = "split_patients", "Patients in two splits"
    samples = case.cohort.samples
    known = samples[(samples["patient"] != "") & (samples["split"] != "")]
    if known["split"].nunique() < 2:
        reason = "No patient is known" if samples["patient"].eq("").all() else _too_few_splits(samples["split"])
        return Finding(key, title, None, reason)
    sides = known.groupby("patient")["split"].transform("nunique")
    leaking = known[sides > 1]
    count = leaking["patient"].nunique()
    sentence = (
        f"{count} patients lie on two sides, with {count_films(len(leaking))}"
        if count
        else "No patient lies on two sides"
    )
    return Finding(key, title, not count, sentence, case.names(leaking.index.to_numpy()), {"patients": count})


def shared_pictures(case: Case, origin: np.ndarray) -> Finding:
    """The same picture in two cohorts; ``origin`` (N,) names the cohort of each film."""
    pairs = case.copies[origin[case.copies["first"]] != origin[case.copies["second"]]]
    between = _between(zip(origin[pairs["first"]], origin[pairs["second"]], strict=True))
    sentence = (
        f"{len(pairs)} pictures occur in two cohorts: {between}" if len(pairs) else "No picture occurs in two cohorts"
    )
    films = case.names(pairs[["first", "second"]].to_numpy().ravel())
    sentence += f"; by chance {_by_chance(len(origin))}"
    return Finding("shared_pictures", "Pictures in two cohorts", not len(pairs), sentence, films, {"pairs": len(pairs)})


def shared_patients(case: Listed, origin: np.ndarray) -> Finding:
    """The same patient in two cohorts. Short numbers are left out: every hospital has a patient 2."""
    patient = case.column("patient")
    table = pd.DataFrame({"patient": patient, "origin": origin})[~patient.str.fullmatch(r"\d{0,5}")]
    homes = table.drop_duplicates().groupby("patient")["origin"].agg(list)
    homes = homes[homes.map(len) > 1]
    between = _between(pair for home in homes for pair in combinations(home, 2))
    count = len(homes)
    sentence = (
        f"{count} patients occur in two cohorts: {between}" if count else "No known patient occurs in two cohorts"
    )
    films = case.names(table.index[table["patient"].isin(homes.index)].to_numpy())
    return Finding("shared_patients", "Patients in two cohorts", not count, sentence, films, {"patients": count})


def _between(homes: Iterable[Iterable[str]]) -> str:
    counts = pd.Series([" and ".join(sorted(pair)) for pair in homes], dtype=object).value_counts()
    return ", ".join(f"{n} in {names}" for names, n in counts.items())


def _pairs(n: int) -> str:
    return f"{n:,} pair" if n == 1 else f"{n:,} pairs"


def _by_chance(films: int) -> str:
    """How many pairs of that many different films would be called one."""
    expected = FALSE_COPIES * films * (films - 1) / 2
    return "fewer than one pair in a hundred such cohorts" if expected < 0.01 else f"up to {expected:.2g} pairs"


def _too_few_splits(splits: Iterable[str]) -> str:
    """Why nothing can lie on two sides: no film has a split, or all that have one share it (a selection may)."""
    sides = set(splits) - {""}
    return f"All films are of one side, {min(sides)}" if sides else "The films are not split yet"
