"""What the objects have to say: one film's answer in plain values, and the UIDs that follow from it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import FilmError

MANUFACTURER = "Hilum"
CAUTION = "research only, not for diagnosis"
BANDS = (0.25, 0.5, 0.75)  # of the map's maximum, where the three bands of evidence begin


@dataclass(frozen=True)
class Finding:
    """One class's answer: calibrated probability and operating point, both 0 to 1."""

    name: str
    probability: float
    operating_point: float
    called: bool


@dataclass(frozen=True, eq=False)
class Answer:
    """One film before one model.

    Attributes:
        film_sha256: of the film's pixels as they were read: the same whatever transfer syntax it came in.
        class_name: whose evidence the map shows.
        method: title of the heatmap method.
        model, weights_sha256, version: which model, which weights, which version of Hilum answered.
        findings: every class, in the model's order.
        domain: whether the film is one the model may judge, in a sentence; ``refused`` if it may not.
        evidence: float32 (H, W) on the film's own pixels, at least 0; all zero where there is none.
        lungs: bool (H, W) on the film's own pixels, or None where none were found.
        overlay: uint8 (h, w, 3), the film with its map as it was seen.
        lung_share: share of the evidence that lies in the lungs, 0 to 1, or None.
        extent: how large the evidence is, in a sentence; "" where it is unknown.
        trust: lines of the trust card as (title, verdict in words, sentence).
        report: makes the case report as a PDF, or None where there is none.
        prediction_set: classes of the conformal set, or None where the model has none.
        turned: the overlay hangs as films do (L\\F), the stored pixels do not.
    """

    film_sha256: str
    class_name: str
    method: str
    model: str
    weights_sha256: str
    version: str
    findings: tuple[Finding, ...]
    domain: str
    refused: bool
    evidence: np.ndarray
    lungs: np.ndarray | None
    overlay: np.ndarray
    lung_share: float | None = None
    extent: str = ""
    trust: tuple[tuple[str, str, str], ...] = ()
    prediction_set: tuple[str, ...] | None = None
    report: Callable[[], bytes] | None = None
    turned: bool = False

    def __post_init__(self) -> None:
        if self.evidence.ndim != 2 or not np.isfinite(self.evidence).all() or self.evidence.min() < 0:
            raise FilmError(
                f"the evidence is {self.evidence.dtype} {self.evidence.shape}", "finite values (H, W), none below 0"
            )
        if self.lungs is not None and self.lungs.shape != self.evidence.shape:
            raise FilmError(f"the lung mask is {self.lungs.shape}", f"the film's own frame {self.evidence.shape}")

    def of_class(self) -> Finding:
        """The finding whose evidence is shown."""
        return next(finding for finding in self.findings if finding.name == self.class_name)

    def bands(self) -> list[tuple[str, np.ndarray]]:
        """Three disjoint bands of the evidence, weakest first: label with its threshold, and bool (H, W).

        Empty where the map is blank.
        """
        top = float(self.evidence.max())
        if top <= 0:
            return []
        share = self.evidence / top
        ends = (*BANDS[1:], np.inf)
        return [
            (f"Evidence {low:.0%} of maximum and more", (share >= low) & (share < high))
            for low, high in zip(BANDS, ends, strict=True)
        ]

    def uid(self, film_uid: str, kind: str) -> str:
        """The UID of one object or series: the same answer to the same film has the same one, so that sending twice
        stores once (a UUID-derived UID, PS3.5 B.2)."""
        parts = (film_uid, self.film_sha256, self.weights_sha256, self.method, self.class_name, self.version, kind)
        digest = hashlib.sha256("\0".join(parts).encode()).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"
