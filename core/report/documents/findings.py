"""What leaves the building about a model of several findings: every finding's figures, those of all, whole films."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pandas as pd

from core.data.notes import note_without_names
from core.evaluate.findings import FindingsEvaluation
from core.evaluate.glossary import GLOSSARY, OF_FINDINGS
from core.evaluate.pooled import SHOWN, Pooled
from core.evaluate.scopes import OVERALL
from core.intervals import HOW, Estimate
from core.lazy import cached_property
from core.model.card import Card
from core.report import findings_figures
from core.report.documents.page import page, plot, table, text
from core.report.documents.report import DISCLAIMER, patients_in_words, plain
from core.report.spreadsheet import frame_as_csv

CALIBRATION = ("ece", "brier")
AT_PREVALENCE = ("ppv_at", "npv_at")


class Mean(Enum):
    """An average over findings; no finding's name equals it, not even "macro average"."""

    MACRO = "macro average"
    MICRO = "micro average"

    def __str__(self) -> str:
        return self.value


MACRO, MICRO = Mean.MACRO, Mean.MICRO
Figures = dict[str | Mean, dict[str, Estimate]]


@dataclass(frozen=True, eq=False)
class FindingsReport:
    """One model's evaluation on several findings, each called at its own operating point.

    Args:
        card: of the checkpoint.
        evaluations: by `Provenance`.
        cohort: the films' cohort, for people.
        prevalence: share (0 .. 1) of some findings in the reader's practice.
        notes: what the reader of the films noticed.
        names: whether notes may name files.
    """

    card: Card
    evaluations: Mapping[str, FindingsEvaluation]
    cohort: str = ""
    prevalence: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    names: bool = False

    @property
    def main(self) -> str:
        """The split that counts: test if it is there, else the last one."""
        return "test" if "test" in self.evaluations else list(self.evaluations)[-1]

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """Split -> finding, ``MACRO`` or ``MICRO`` -> figure."""
        return {name: of_split(evaluation, self.prevalence) for name, evaluation in self.evaluations.items()}

    @cached_property
    def pooled(self) -> dict[str, Pooled]:
        """Split -> the figures of all findings together."""
        return {name: evaluation.pooled for name, evaluation in self.evaluations.items()}

    def says(self, split: str) -> tuple[str, ...]:
        """On which films, and what the averages hold."""
        evaluation, held = self.evaluations[split], self.pooled[split].averaged
        told = f"{len(evaluation):,} {split} films of {patients_in_words(evaluation.of(_most_known(evaluation)))}"
        few = [name for name in evaluation.classes if name not in held]
        left = f"; left out, too few films show or lack them: {', '.join(few)}" if few else ""
        return (
            f"{told} ({self.cohort or 'its own cohort'}); unknown labels take no part.",
            f"The macro average is over {len(held)} of {len(evaluation.classes)} findings{left}.",
        )


def of_split(evaluation: FindingsEvaluation, prevalence: Mapping[str, float] | None = None) -> Figures:
    """Every figure of each finding that can be judged, at its operating point, and both averages."""
    found: Figures = {}
    for name in evaluation.judged:
        wished = {name: prevalence[name]} if prevalence and name in prevalence else None
        figures = evaluation.of(name).figures(evaluation.point(name), wished)
        overall = figures[OVERALL]
        found[name] = {**figures[name], **{key: overall[key] for key in CALIBRATION}}
    return {**found, MACRO: evaluation.pooled.macro, MICRO: evaluation.pooled.micro}


def frame(report: FindingsReport, split: str) -> pd.DataFrame:
    """One row a finding, the averages last: films known and present, then the figures that are shown, as text."""
    counts, figures = report.evaluations[split].counts, report.figures[split]
    rows = []
    for name in [*counts.index, MACRO, MICRO]:
        own = figures.get(name, {})
        seen = [f"{n:,}" for n in counts.loc[name, ["known", "present"]]] if name in counts.index else ["", ""]
        rows.append([str(name), *seen, *(own[key].text() if key in own else "not defined" for key in SHOWN)])
    return pd.DataFrame(rows, columns=["Finding", "Known", "Present", *(GLOSSARY[key].title for key in SHOWN)])


def two_by_two(evaluation: FindingsEvaluation) -> pd.DataFrame:
    """Of each finding the films that are called and show it, are called and lack it, and so on."""
    rows = []
    for name in evaluation.judged:
        (absent, alarms), (missed, found) = evaluation.matrix(name).tolist()
        rows.append([name, f"{evaluation.point(name).probability:.3f}", found, missed, alarms, absent])
    heads = ["Finding", "Called from", "Present, called", "Present, not called", "Absent, called", "Absent, not called"]
    return pd.DataFrame(rows, columns=heads)


def as_text(report: FindingsReport) -> str:
    """Every split, then the 2 x 2 tables of the one that counts."""
    parts = []
    for name in report.evaluations:
        films = "\n".join(f"{OF_FINDINGS[key].title}: {f.text()}" for key, f in report.pooled[name].films.items())
        parts.append("\n".join([*report.says(name), "", frame(report, name).to_string(index=False), "", films]))
    parts.append(f"2 x 2 tables ({report.main})\n" + two_by_two(report.evaluations[report.main]).to_string(index=False))
    return "\n\n\n".join(parts)


def as_csv(report: FindingsReport) -> str:
    """One line per figure: split, finding, of (finding, average or whole films), figure, value, interval, n, method."""
    rows = []
    for split, found in report.figures.items():
        groups = [(str(name), "average" if isinstance(name, Mean) else "finding", own) for name, own in found.items()]
        for name, of, group in (*groups, ("films", "whole films", report.pooled[split].films)):
            told = {"split": split, "finding": name, "of": of}
            rows += [{**told, "figure": key, **_limits(figure)} for key, figure in group.items()]
    return frame_as_csv(pd.DataFrame(rows))


def as_json(report: FindingsReport) -> str:
    """The whole report as data; what is not defined is null."""
    content: dict[str, Any] = {
        "about": DISCLAIMER,
        "model": report.card.name,
        "title": report.card.title,
        "cohort": report.cohort,
        "findings": list(report.card.classes),
        "operating_points": dict(report.evaluations[report.main].operating_points),
        "prevalence": dict(report.prevalence),
        "interval": f"95 %, {HOW}",
        "notes": [note_without_names(note, report.names) for note in report.notes],
        "splits": {
            name: {
                "films": len(evaluation),
                "known": evaluation.counts.to_dict("index"),
                "figures": {_unambiguous(key, evaluation): group for key, group in report.figures[name].items()},
                "whole_films": report.pooled[name].films,
                "averaged": list(report.pooled[name].averaged),
                "two_by_two": {finding: evaluation.matrix(finding).tolist() for finding in evaluation.judged},
                "present_together": evaluation.together(evaluation.targets).to_dict("index"),
                "called_together": evaluation.together(evaluation.called()).to_dict("index"),
            }
            for name, evaluation in report.evaluations.items()
        },
        "card": report.card.to_dict(),
    }
    return json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _unambiguous(key: str | Mean, evaluation: FindingsEvaluation) -> str:
    """A key of JSON; an average that some finding is called like says so."""
    return f"{key} (average)" if isinstance(key, Mean) and str(key) in evaluation.classes else str(key)


def as_html(report: FindingsReport) -> str:
    """Self-contained: opens without a network, prints, and can be mailed."""
    return page(f"{report.card.title}: evaluation", _body(report), scripts=True)


def _body(report: FindingsReport) -> Iterator[str]:
    yield f"<h1>{text(report.card.title)}</h1>"
    yield f'<p class="note">{DISCLAIMER} {text(report.card.limitations)}</p>'
    for name in (report.main, *(other for other in report.evaluations if other != report.main)):
        evaluation = report.evaluations[name]
        yield f"<h2>{text(name.capitalize())} films</h2><p>{text(' '.join(report.says(name)))}</p>"
        yield _rows(frame(report, name))
        films = report.pooled[name].films
        yield table(("Whole films", "Figure"), ((OF_FINDINGS[key].title, f.text()) for key, f in films.items()))
        if name == report.main:
            areas = {finding: report.figures[name][finding]["auroc"] for finding in evaluation.judged}
            yield plot(findings_figures.by_finding(areas, GLOSSARY["auroc"].title))
            yield f"<h3>2 x 2 tables</h3>{_rows(two_by_two(evaluation))}<h3>What occurs together</h3>"
            yield plot(findings_figures.together(evaluation.together(evaluation.targets), "present"))
            yield plot(findings_figures.together(evaluation.together(evaluation.called()), "called"))
    yield "<h2>What the figures mean</h2>"
    terms = [*(GLOSSARY[key] for key in SHOWN), *OF_FINDINGS.values()]
    yield table(("Figure", "Meaning"), ((term.title, term.help) for term in terms))


def _rows(data: pd.DataFrame) -> str:
    return table(list(data.columns), data.astype(str).to_numpy().tolist())


def _limits(figure: Estimate) -> dict[str, Any]:
    return {key: getattr(figure, key) for key in ("value", "low", "high", "n", "note", "method")}


def _most_known(evaluation: FindingsEvaluation) -> str:
    return str(evaluation.counts["known"].idxmax())
