"""The shipped finder of lungs for the audit, which may not know it: `core.data` lies below `core.lungs`."""

import hashlib
from functools import cache

from core.data.audit.lungs import LungsOf


@cache
def for_audit() -> LungsOf:
    """Finds the lungs of a film; named by its weights."""
    from core.lungs import segment

    weights = segment.WEIGHTS / "model.safetensors"
    digest = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else "missing"
    return LungsOf(segment.mask, digest[:16])
