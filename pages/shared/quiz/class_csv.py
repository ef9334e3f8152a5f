"""What a class said, as a table to take away: every sending of every pupil, with times and changes of mind."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from core.report.spreadsheet import frame_as_csv
from core.rounds import Given, Round
from pages.shared.case import Case
from pages.shared.quiz.answers import Said, judged

COLUMNS = (
    "case", "sha256", "pupil", "sending", "final", "answer", "changed", "sure", "labels", "boxes", "overlap",
    "seconds_label", "seconds_regions", "seconds", "truth", "right", "model", "model_right",
)  # fmt: skip


def as_csv(found: Round, case_of: Callable[[int], Case]) -> str:
    """One row per sending, of the films whose answers are on the wall or were.

    Pupils are numbered as they came to answer; nothing else is known of them. ``labels`` says which answers were looked
    at on the way, each with the second since the film appeared; ``seconds_label`` is when the last of them was taken.

    Args:
        case_of: gives the case of a film by its place in the round, from 0.
    """
    told = (*found.past, *([found.answers] if found.shown else ()))
    numbers: dict[str, int] = {}
    for answers in told:
        for pupil in answers:
            numbers.setdefault(pupil, len(numbers) + 1)
    rows = [
        {"case": place + 1, "pupil": numbers[pupil], **row}
        for place, answers in enumerate(told)
        for case in [case_of(place)]
        for pupil, given in answers.items()
        for row in _sendings(case, given)
    ]
    return frame_as_csv(pd.DataFrame(rows, columns=list(COLUMNS)))


def _sendings(case: Case, given: Given) -> Iterator[dict[str, Any]]:
    """What one pupil sent of one film, in order."""
    sent = (*given.before, given)
    for number, one in enumerate(sent, start=1):
        answer = judged(case, Said(one.answer, one.answer, one.sure, one.boxes, (0.0, 0.0, 0.0)))
        label = one.labels[-1][1] if one.labels else one.seconds
        yield {
            "sha256": case.film.sha256,
            "sending": number,
            "final": one is given,
            "answer": one.answer,
            "changed": number > 1 and one.answer != sent[number - 2].answer,
            "sure": one.sure,
            "labels": "; ".join(f"{name} at {second:.0f} s" for name, second in one.labels),
            "boxes": len(one.boxes),
            "overlap": answer.overlap,
            "seconds_label": round(label),
            "seconds_regions": round(one.seconds - label),
            "seconds": round(one.seconds),
            "truth": answer.label,
            "right": answer.said.reader == answer.label,
            "model": answer.model,
            "model_right": answer.model == answer.expected,
        }
