"""Can this cohort fool a model, or flatter it? Each test passes or fails, in one sentence, with the films named.

`audit` looks at one cohort, `audit_across` at what several share. A test that cannot be run (no patients known, no
splits yet, too few films for its figure to beat chance) neither passes nor fails, and says why. Each figure comes with
what chance alone would give.
"""

from collections.abc import Callable, Sequence

import numpy as np

from core.data.audit import confounds, leaks
from core.data.audit.findings import Audit, Case, Finding, Listed, Viewed
from core.data.audit.lungs import LungsOf, lung_grids
from core.data.cohort import Cohort, concatenate
from core.data.copies import find_copies, signed
from core.data.copies.library import Library
from core.data.patients import numbered
from core.data.progress import Progress, quiet
from core.data.split import groups
from core.data.store import in_memory

_LISTED: tuple[Callable[[Listed], Finding], ...] = (
    leaks.patients_across_splits,
    confounds.class_by_source,
    confounds.class_by_view,
    confounds.class_by_sex,
    confounds.class_by_age,
)
_FILES: tuple[Callable[[Viewed], Finding], ...] = (leaks.unreadable, leaks.exact_duplicates)
_LOOKS: tuple[Callable[[Viewed], Finding], ...] = (
    confounds.odd_films,
    confounds.burned_in_text,
    confounds.border_statistics,
)
TESTS: tuple[Callable[[Case], Finding], ...] = (
    *_FILES,
    leaks.near_duplicates_inside,
    leaks.conflicting_labels,
    leaks.duplicates_across_splits,
    *_LISTED,
    *_LOOKS,
    confounds.borders_only,
)


def audit(
    cohort: Cohort,
    progress: Progress = quiet,
    lungs: LungsOf | None = None,
    tell: Callable[[list[Finding]], None] | None = None,
) -> Audit:
    """Run every test on one cohort. What is found out about each film is kept for later audits.

    Args:
        progress: told what is being done; if it raises, the audit ends, and what was found is kept.
        lungs: finds the lungs of a film, so that the test on borders cannot see them.
        tell: given the findings that need no film, and then those that need no comparison of films, as soon as they
            are known. The result may judge them otherwise: films of one picture then count as one.
    """
    with in_memory(cohort.fetch is not None):
        patients = numbered(cohort.samples)
        if tell:
            tell([test(Listed(cohort, patients)) for test in _LISTED])
        signs = signed(cohort, Library(), progress)
        if tell:
            tell([test(Viewed(cohort, patients, signs)) for test in (*_FILES, *_LOOKS)])
        pairs = find_copies(cohort, signs, progress)
        found = None if lungs is None else lung_grids(cohort, signs, lungs, progress)
        case = Case(cohort, groups(cohort, pairs), signs, pairs, found)
        findings: list[Finding] = []
        for test in TESTS:
            progress("testing", len(findings), len(TESTS))
            findings.append(test(case))
    return Audit(cohort.name, len(cohort), tuple(findings))


def audit_across(cohorts: Sequence[Cohort], progress: Progress = quiet) -> Audit:
    """What several cohorts share: pictures and patients. One must not test what another trained."""
    joined = concatenate(" + ".join(c.name for c in cohorts), cohorts)
    twice = len({c.name for c in cohorts}) < len(cohorts)
    names = [f"{c.name} ({i})" if twice else c.name for i, c in enumerate(cohorts, start=1)]
    origin = np.repeat(names, [len(c) for c in cohorts])
    with in_memory(joined.fetch is not None):
        signs = signed(joined, Library(), progress)
        case = Case(joined, np.arange(len(joined)), signs, find_copies(joined, signs, progress))
    return Audit(joined.name, len(joined), (leaks.shared_pictures(case, origin), leaks.shared_patients(case, origin)))
