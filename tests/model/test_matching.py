"""Which model answers for which cohort: its own, else its layout's or its classes', and for strangers the default."""

from dataclasses import replace
from typing import Any

import pytest

from core.data.cohort import Cohort
from core.data.table import samples
from core.model.card import Card
from core.model.checkpoint import catalogue
from core.model.domain import Status
from core.model.matching import best, for_strangers, for_upload
from core.transform.preprocess import Preprocess


def cohort(layout: str, *labels: str) -> Cohort:
    rows, _ = samples([{"path": f"/films/{n}.png", "label": n} for n in labels])
    return Cohort("Somewhere", rows, labels, layout=layout)


def card(name: str, layout: str, sources: int, *classes: str, **more: Any) -> Card:
    data = {"layout": layout, "sources": dict.fromkeys("abcdef"[:sources], 1)}
    return Card(name, name, classes, "resnet_small", Preprocess(), {}, 0, "", data=data, **more)


CARDS = {
    "hilum": card("hilum", "radiography", 2, "Normal", "COVID-19"),
    "strangers": card("strangers", "siim", 1, "No", "Yes", for_strangers=True),
    "honest": card("honest", "phantom", 3, "Normal"),
    "trained": card("trained", "radiography", 1, "Normal", "COVID-19"),
}


@pytest.mark.parametrize(
    ("layout", "labels", "chosen"),
    [
        ("radiography", ("Normal", "COVID-19"), "hilum"),
        ("siim", ("Typical Appearance",), "strangers"),
        ("table", ("Normal", "COVID-19"), "hilum"),  # it knows the classes
        ("nih", ("Effusion", "Fibrosis"), "strangers"),  # nobody does
        ("phantom", ("Normal",), "honest"),
    ],
)
def test_the_model_that_answers(layout: str, labels: tuple[str, ...], chosen: str) -> None:
    assert best(CARDS, cohort(layout, *labels), "") == chosen


def test_without_the_default_the_broadest_answers() -> None:
    others = {name: card for name, card in CARDS.items() if name != "strangers"}
    assert best(others, cohort("nih", "Effusion"), "") == "honest"


def test_one_shipped_model_is_for_strangers() -> None:
    shipped, _ = catalogue()
    assert [name for name, card in shipped.items() if card.for_strangers and not card.origin] == ["opacity"]


def test_a_model_from_outside_does_not_take_the_place_of_the_default() -> None:
    outside = replace(CARDS["strangers"], origin={"source": "theirs.pth"})
    assert for_strangers({"a": outside, **CARDS}) == "strangers"
    assert for_strangers({"a": outside, "hilum": CARDS["hilum"]}) == "a"
    assert for_strangers({"hilum": CARDS["hilum"]}) is None


@pytest.mark.parametrize(
    ("current", "by_hand", "says", "answers"),
    [
        ("honest", False, "strangers in, hilum in, honest out", "strangers"),  # the first real film of a visit
        ("honest", False, "strangers doubtful, hilum in, honest doubtful", "strangers"),  # lax gates win nothing
        ("honest", False, "strangers doubtful, hilum in, honest in", "honest"),  # a drawn film
        ("trained", False, "strangers in, trained in", "strangers"),  # it is there for its cohort, not for this film
        ("trained", True, "strangers in, trained in", "trained"),
        ("trained", True, "strangers in, trained doubtful", "strangers"),
        ("honest", False, "strangers out, trained in, hilum in, honest out", "hilum"),  # the broadest that knows it
        ("trained", False, "strangers out, trained in, hilum in", "trained"),
        ("honest", False, "strangers out, hilum doubtful, honest out, trained out", "strangers"),  # a cat
        ("trained", True, "strangers out, trained out, hilum out", "trained"),
    ],
    ids=[
        "real",
        "doubtful",
        "drawn",
        "cohort",
        "hand",
        "hand-doubtful",
        "refused",
        "refused-cohort",
        "cat",
        "hand-cat",
    ],
)
def test_the_model_that_answers_for_an_upload(current: str, by_hand: bool, says: str, answers: str) -> None:
    verdicts: dict[str, Any] = dict.fromkeys(CARDS, "out") | dict(said.split() for said in says.split(", "))

    def status(name: str) -> Status:
        verdict: Status = verdicts[name]
        return verdict

    assert for_upload(CARDS, status, current, by_hand) == answers
