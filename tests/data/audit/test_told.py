"""An audit tells what it knows before the films are read and before they are compared, and does not vouch for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.data.audit import TESTS, audit
from core.data.audit.findings import Audit, Finding
from core.data.cohort import Cohort
from core.data.table import samples
from tests.data.conftest import draw

pytestmark = pytest.mark.usefixtures("own_cache")
Save = Callable[..., Path]
UNREAD = ["split_patients", "class_by_source", "class_by_view", "class_by_sex", "class_by_age"]


def two_clinics(folder: Path, save: Save, pictures: int) -> Cohort:
    """40 films of so many pictures; each class from a clinic of its own."""
    rows = []
    for i in range(40):
        label = "ill" if i % 2 else "well"
        path = save(folder / f"{i:02}.png", pixels=draw(i % pictures))
        rows.append({"path": path, "label": label, "source": f"clinic of the {label}"})
    return Cohort("two clinics", samples(rows)[0], ("well", "ill"))


def told(cohort: Cohort) -> tuple[list[str], list[Audit]]:
    """What happened, in order, and what was told, the result last."""
    events: list[str] = []
    known: list[Audit] = []

    def tell(found: list[Finding]) -> None:
        events.append("told")
        before = known[-1].findings if known else ()
        known.append(Audit(cohort.name, len(cohort), (*before, *found)))

    def progress(what: str, done: int, total: int) -> None:
        if events[-1:] != [what]:
            events.append(what)

    whole = audit(cohort, progress, tell=tell)
    return events, [*known, whole]


def keys(result: Audit) -> list[str]:
    return [finding.key for finding in result.findings]


def test_what_needs_no_film_is_told_before_one_is_read(tmp_path: Path, save: Save) -> None:
    events, (listed, read, whole) = told(two_clinics(tmp_path, save, pictures=40))
    assert events[:4] == ["told", "reading films", "told", "looking for copies"]
    assert keys(listed) == UNREAD
    assert set(keys(read)) == {
        *UNREAD,
        "unreadable",
        "exact_duplicates",
        "odd_films",
        "burned_in_text",
        "border_statistics",
    }
    assert len(whole.findings) == len(TESTS)
    final = dict(zip(keys(whole), whole.findings, strict=True))
    assert all(finding == final[finding.key] for finding in (*listed.findings, *read.findings))  # no copies: as before


def test_copies_may_make_a_finding_weigh_less(tmp_path: Path, save: Save) -> None:
    """Two pictures, twenty times each, tell nothing about clinics; before they are compared that is not known."""
    _, (listed, _, whole) = told(two_clinics(tmp_path, save, pictures=2))
    before = next(finding for finding in listed.findings if finding.key == "class_by_source")
    after = next(finding for finding in whole.findings if finding.key == "class_by_source")
    assert before.passed is False
    assert after.passed is None
    assert "too few films to tell" in after.sentence
