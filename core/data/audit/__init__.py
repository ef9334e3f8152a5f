"""Can this cohort fool a model, or flatter it? Each test passes or fails, in one sentence, with the films named.

`audit` looks at one cohort, `audit_across` at what several share. A test that cannot be made (no patients known, no
splits yet) neither passes nor fails, and says why.
"""

from collections.abc import Callable, Sequence

import numpy as np

from core.data.audit import confounds, leaks
from core.data.audit.findings import Audit, Case, Finding
from core.data.cohort import Cohort, concatenate
from core.data.duplicates import near_duplicates
from core.data.signatures import signatures
from core.data.split import groups

Test = Callable[[Case], Finding]
TESTS: tuple[Test, ...] = (
    leaks.unreadable,
    leaks.exact_duplicates,
    leaks.near_duplicates_inside,
    leaks.conflicting_labels,
    leaks.duplicates_across_splits,
    leaks.patients_across_splits,
    confounds.class_by_source,
    confounds.class_by_view,
    confounds.class_by_sex,
    confounds.class_by_age,
    confounds.odd_films,
    confounds.burned_in_text,
    confounds.border_statistics,
    confounds.borders_only,
)


def audit(cohort: Cohort) -> Audit:
    """Make every test on one cohort. Decodes each film once; later audits read the cache."""
    signs = signatures(cohort)
    pairs = near_duplicates(signs)
    case = Case(cohort, signs, pairs, groups(cohort, pairs))
    return Audit(cohort.name, len(cohort), tuple(test(case) for test in TESTS))


def audit_across(cohorts: Sequence[Cohort]) -> Audit:
    """What several cohorts share: pictures and patients. One must not test what another trained."""
    joined = concatenate(" + ".join(c.name for c in cohorts), cohorts)
    twice = len({c.name for c in cohorts}) < len(cohorts)
    names = [f"{c.name} ({i})" if twice else c.name for i, c in enumerate(cohorts, start=1)]
    origin = np.repeat(names, [len(c) for c in cohorts])
    signs = signatures(joined)
    case = Case(joined, signs, near_duplicates(signs), np.arange(len(joined)))
    return Audit(joined.name, len(joined), (leaks.shared_pictures(case, origin), leaks.shared_patients(case, origin)))
