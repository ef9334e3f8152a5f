"""Films from elsewhere: another collection, less what it shares with the films that a model learned from."""

from dataclasses import replace

import numpy as np

from core.data.cohort import JOIN, Cohort, concatenate
from core.data.split import groups
from core.errors import EvaluationError


def unmet(cohort: Cohort, home: Cohort) -> Cohort:
    """The films of a cohort that share neither patient nor picture with the films of a model's own.

    Args:
        cohort: films from elsewhere.
        home: the films that the model was trained, tuned and judged on.

    Returns:
        what is left, with a note that counts what is not.

    Raises:
        EvaluationError: nothing is left.
    """
    group = groups(concatenate(JOIN.join((home.name, cohort.name)), [home, cohort]))
    new = ~np.isin(group[len(home) :], group[: len(home)])
    if not new.any():
        came = f"every film of {cohort.name} shares a patient or a picture with {home.name}"
        raise EvaluationError(came, "films from elsewhere", "Choose another collection")
    note = f"{int((~new).sum())} films that share a patient or a picture with {home.name} are left out"
    return replace(cohort.where(new), notes=(*cohort.notes, note))
