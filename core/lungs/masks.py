"""The shipped finder of lungs for the audit, which may not know it: `core.data` lies below `core.lungs`."""

import hashlib
import json
from functools import cache

from core.data.audit.lungs import LungsOf
from core.data.cohort import JOIN, Cohort


@cache
def for_audit() -> LungsOf:
    """Finds the lungs of a film; named by its weights."""
    from core.lungs import segment

    weights = segment.WEIGHTS / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else "missing"
    return LungsOf(segment.mask, digest[:16])


def met(cohort: Cohort) -> str:
    """That the finder of lungs learned from a collection that is audited, in a sentence; "" where it did not.

    It hides lungs better on films that it learned from, so that the borders show a little less there.
    """
    from core.lungs import segment

    card = json.loads((segment.WEIGHTS / "card.json").read_text(encoding="utf-8"))
    names = set(cohort.name.split(JOIN)) & card["trained_on"].keys()
    learned = " and ".join(f"{card['trained_on'][name]:,} films of {name}" for name in sorted(names))
    return f"The lung finder, which hides the lungs in the test of the borders, learned from {learned}" if names else ""
