"""Which model answers for which cohort: its own, else its layout's or its classes', and for strangers the default."""

from types import SimpleNamespace

import pytest

from core.data.cohort import Cohort
from core.data.table import samples
from core.model.matching import FOR_STRANGERS, best


def cohort(layout: str, *labels: str) -> Cohort:
    rows, _ = samples([{"path": f"/films/{n}.png", "label": n} for n in labels])
    return Cohort("Somewhere", rows, labels, layout=layout)


CARDS = {
    "hilum": SimpleNamespace(
        data={"layout": "radiography", "sources": {"a": 1, "b": 1}}, classes=("Normal", "COVID-19")
    ),
    FOR_STRANGERS: SimpleNamespace(data={"layout": "siim", "sources": {"c": 1}}, classes=("No", "Yes")),
    "honest": SimpleNamespace(data={"layout": "phantom", "sources": {"d": 1, "e": 1, "f": 1}}, classes=("Normal",)),
}


@pytest.mark.parametrize(
    ("layout", "labels", "chosen"),
    [
        ("radiography", ("Normal", "COVID-19"), "hilum"),
        ("siim", ("Typical Appearance",), FOR_STRANGERS),
        ("table", ("Normal", "COVID-19"), "hilum"),  # it knows the classes
        ("nih", ("Effusion", "Fibrosis"), FOR_STRANGERS),  # nobody does
        ("phantom", ("Normal",), "honest"),
    ],
)
def test_the_model_that_answers(layout: str, labels: tuple[str, ...], chosen: str) -> None:
    assert best(CARDS, cohort(layout, *labels), "") == chosen  # type: ignore[arg-type]


def test_without_the_default_the_broadest_answers() -> None:
    others = {name: card for name, card in CARDS.items() if name != FOR_STRANGERS}
    assert best(others, cohort("nih", "Effusion"), "") == "honest"  # type: ignore[arg-type]
