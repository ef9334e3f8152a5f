"""Can this cohort fool a model, or flatter it? Each test passes or fails, in one sentence, with the films named.

`audit` looks at one cohort, `audit_across` at what several share. A test that cannot be run (no patients known, no
splits yet, too few films for its figure to beat chance) neither passes nor fails, and says why. Each figure comes with
what chance alone would give.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from core.data.audit import confounds, leaks
from core.data.audit.findings import Audit, Case, Finding, Listed, Viewed
from core.data.audit.lungs import LungsOf, lung_grids
from core.data.cohort import Cohort, concatenate
from core.data.copies import find_copies, no_pairs, signed
from core.data.copies.library import Library
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
_VIEWED: tuple[Callable[[Viewed], Finding], ...] = (
    leaks.unreadable,
    leaks.exact_duplicates,
    *_LISTED,
    confounds.odd_films,
    confounds.burned_in_text,
    confounds.border_statistics,
)
TESTS: tuple[Callable[[Case], Finding], ...] = (
    leaks.unreadable,
    leaks.exact_duplicates,
    leaks.near_duplicates_inside,
    leaks.conflicting_labels,
    leaks.duplicates_across_splits,
    *_LISTED,
    confounds.odd_films,
    confounds.burned_in_text,
    confounds.border_statistics,
    confounds.borders_only,
)


def audit(
    cohort: Cohort,
    progress: Progress = quiet,
    lungs: LungsOf | None = None,
    tell: Callable[[Audit], None] = lambda so_far: None,
) -> Audit:
    """Run every test on one cohort. What is found out about each film is kept for later audits.

    Args:
        progress: told what is being done; if it raises, the audit ends, and what was found is kept.
        lungs: finds the lungs of a film, so that the test on borders cannot see them.
        tell: given what is known before the films are read, and before they are compared. Chance levels may still
            change then: films of one picture, not known yet, count as one.
    """

    def found(findings: Iterable[Finding]) -> Audit:
        return Audit(cohort.name, len(cohort), tuple(findings))

    def looked() -> Iterator[Finding]:
        for number, test in enumerate(TESTS):
            progress("testing", number, len(TESTS))
            yield test(case)

    with in_memory(cohort.fetch is not None):
        listed = Listed(cohort, groups(cohort, no_pairs()))
        tell(found(test(listed) for test in _LISTED))
        signs = signed(cohort, Library(), progress)
        viewed = Viewed(cohort, listed.groups, signs)
        tell(found(test(viewed) for test in _VIEWED))
        pairs = find_copies(cohort, signs, progress)
        grids = None if lungs is None else lung_grids(cohort, signs, lungs, progress)
        case = Case(cohort, groups(cohort, pairs), signs, pairs, grids)
        return found(looked())


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
