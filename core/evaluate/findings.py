"""`FindingsEvaluation`: probabilities of several findings on films of which some are known, and what follows.

Each finding is judged as two classes, "no Effusion" and "Effusion", on the films where it is known: every figure,
curve, slice and comparison of an `Evaluation` is then there for it. What is of all findings together is in
`core.evaluate.pooled`. Unknown labels take no part anywhere, and the number known stands beside each figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data import findings
from core.data.patients import numbered
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint
from core.evaluate.provenance import Provenance, provenances
from core.evaluate.storage import table_of
from core.lazy import cached_property

if TYPE_CHECKING:
    from core.evaluate.pooled import Pooled

WORDS = {1.0: "present", 0.0: "absent"}


def without(finding: str) -> str:
    """Name of the class of films without a finding."""
    return f"no {finding}"


@dataclass(frozen=True, eq=False)
class FindingsEvaluation:
    """A model's probabilities of its findings.

    Raises:
        EvaluationError: no films, shapes that do not fit, probabilities that are none, or nothing known.
    """

    classes: tuple[str, ...]  # the findings
    targets: np.ndarray  # float (N, C): 1 present, 0 absent, NaN unknown
    probabilities: np.ndarray  # float (N, C), 0 to 1
    samples: pd.DataFrame  # N rows, as of `Evaluation`
    operating_points: Mapping[str, float]  # finding -> its operating point
    logits: np.ndarray | None = None  # float (N, C), before calibration
    name: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.samples), len(self.classes))
        if not len(self.samples):
            raise EvaluationError("there are no films to evaluate", "at least one film of which a finding is known")
        if self.probabilities.shape != shape or self.targets.shape != shape:
            came = f"probabilities {self.probabilities.shape} and targets {self.targets.shape}"
            raise EvaluationError(came, f"shape {shape} for {shape[0]} films and {shape[1]} findings")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise EvaluationError("some probability is not between 0 and 1", "a sigmoid of logits")
        if not np.isin(self.targets[self.known], (0, 1)).all() or not self.known.any():
            raise EvaluationError("a target is neither 1, 0 nor unknown, or all are unknown", "1, 0 and NaN")

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def known(self) -> np.ndarray:
        """Bool (N, C): whether it is known if the finding is there."""
        return np.asarray(~np.isnan(self.targets))

    @property
    def counts(self) -> pd.DataFrame:
        """Of each finding the films known, present and absent."""
        present = (self.targets == 1).sum(axis=0)
        known = self.known.sum(axis=0)
        return pd.DataFrame({"known": known, "present": present, "absent": known - present}, index=list(self.classes))

    def where(self, mask: np.ndarray | pd.Series) -> "FindingsEvaluation":
        """The films where the mask (N,) is true."""
        rows = np.flatnonzero(np.asarray(mask))
        logits = None if self.logits is None else self.logits[rows]
        samples = self.samples.iloc[rows].reset_index(drop=True)
        parts = self.targets[rows], self.probabilities[rows], samples
        return FindingsEvaluation(self.classes, *parts, self.operating_points, logits, self.name)

    def split(self, name: str) -> "FindingsEvaluation":
        """The films of one split: train, validation or test."""
        if not (self.samples["split"] == name).any():
            raise EvaluationError(
                f"there are no {name} films", f"one of {', '.join(sorted(set(self.samples['split'])))}"
            )
        return self.where(self.samples["split"] == name)

    def by_split(self, own: bool = False) -> dict[str, "FindingsEvaluation"]:
        """The films of each provenance, as `Evaluation.by_split`; those of which nothing is known have none."""
        names = provenances(self.samples, own)
        judged = names.where(pd.Series(self.known.any(axis=1), names.index), "")
        there = [name.value for name in Provenance if (judged == name.value).any()]
        none = Provenance.LEFT_OUT.value if own else ""
        kept = [name for name in there if name != none] if len(there) > 1 else there
        return {name: self.where(judged == name) for name in kept}

    @cached_property
    def pooled(self) -> "Pooled":
        """The figures of all findings together, worked out once."""
        from core.evaluate.pooled import Pooled

        return Pooled(self)

    @property
    def table(self) -> pd.DataFrame:
        """The samples with what is known of each finding, ``p_<finding>`` and, if known, ``logit_<finding>``."""
        told = self.samples.drop(columns=[findings.column(name) for name in findings.names(self.samples)])
        columns = {findings.column(name): self.targets[:, c] for c, name in enumerate(self.classes)}
        for prefix, values in (("p", self.probabilities), ("logit", self.logits)):
            if values is not None:
                columns |= {f"{prefix}_{name}": values[:, c] for c, name in enumerate(self.classes)}
        return told.assign(**columns)

    @property
    def judged(self) -> tuple[str, ...]:
        """Findings that are present on some film and absent on another."""
        counts = self.counts
        return tuple(name for name in self.classes if counts.loc[name, ["present", "absent"]].min() > 0)

    def of(self, finding: str) -> Evaluation:
        """One finding as two classes, on the films where it is known; the others' labels are slices of it.

        Raises:
            EvaluationError: no such finding, or it is known of no film.
        """
        if finding not in self.classes:
            raise EvaluationError(f"there is no finding {finding!r}", f"one of {', '.join(self.classes)}")
        return self._binary[finding] if finding in self._binary else self._made(finding)

    def point(self, finding: str) -> OperatingPoint:
        """Where the finding is called: in single precision, as where the model answers (`core.model.output`)."""
        return OperatingPoint(finding, float(np.float32(self.operating_points[finding])), alone=True)

    def called(self) -> np.ndarray:
        """Bool (N, C), each finding at its operating point."""
        return self.probabilities >= np.array([self.point(name).probability for name in self.classes])

    def matrix(self, finding: str) -> np.ndarray:
        """Films by truth (rows: absent, present) and call (columns: not called, called), int (2, 2)."""
        return self.of(finding).confusion()

    def together(self, of: np.ndarray) -> pd.DataFrame:
        """Share of the films with the row's finding that also show the column's; NaN where no film shows the row's.

        Args:
            of: (N, C): ``targets``, of which only the known count, or ``called()``.
        """
        values = of.astype(float)
        there, told = np.nan_to_num(values), (~np.isnan(values)).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (there.T @ there) / (there.T @ told)
        return pd.DataFrame(share, index=list(self.classes), columns=list(self.classes))

    @cached_property
    def clusters(self) -> np.ndarray:
        """Patient number of each film (N,); a film whose patient is unknown is a patient of its own."""
        return numbered(self.samples)

    @cached_property
    def _binary(self) -> dict[str, Evaluation]:
        return {name: self._made(name) for name in self.judged}

    def _made(self, finding: str) -> Evaluation:
        c = self.classes.index(finding)
        known = self.known[:, c]
        if not known.any():
            raise EvaluationError(
                f"{finding} is known of no film", "films of which it is known", "Choose another finding"
            )
        samples = self.samples[known].reset_index(drop=True).drop(columns=findings.column(finding), errors="ignore")
        words = {findings.column(n): samples[findings.column(n)].map(WORDS).fillna("") for n in findings.names(samples)}
        p = self.probabilities[known, c].astype(np.float64)
        z = None if self.logits is None else self.logits[known, c]
        return Evaluation(
            (without(finding), finding),
            self.targets[known, c].astype(np.int64),
            np.column_stack([1 - p, p]),
            samples.assign(**words),
            None if z is None else np.column_stack([np.zeros_like(z), z]),
            self.name,
            self.point(finding),
        )


def from_parquet(path: Path, operating_points: Mapping[str, float], name: str = "") -> FindingsEvaluation:
    """What training kept beside a checkpoint of findings.

    Raises:
        EvaluationError: no such file, a damaged one, or a table without findings and probabilities.
    """
    path = Path(path)
    table = table_of(path)
    classes = tuple(column[2:] for column in table.columns.astype(str) if column.startswith("p_"))
    if not classes or set(classes) - set(findings.names(table)):
        raise EvaluationError(f"{path.name} lacks findings or probabilities", "a column of each for every finding")
    p, z = (
        table[[f"{prefix}_{c}" for c in classes]].to_numpy(np.float64) if f"{prefix}_{classes[0]}" in table else None
        for prefix in ("p", "logit")
    )
    assert p is not None
    kept = table.drop(columns=[c for c in table if str(c).startswith(("p_", "logit_"))])
    told = findings.values(table, classes)
    return FindingsEvaluation(classes, told, p, kept, operating_points, z, name or path.parent.name)
