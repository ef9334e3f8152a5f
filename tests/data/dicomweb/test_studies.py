"""A server that finds instances only inside a series is searched study by study, and no worse than others."""

import json
import re
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from core.data.dicomweb import studies
from core.data.dicomweb.query import FIELDS, Query
from core.errors import PacsError
from tests.data.dicomweb.films import ROOT
from tests.data.dicomweb.test_hostile import Answer, Fake, fake, says  # noqa: F401 - a fixture

STUDIES, IN_SERIES, PAGE = 7, 3, 2  # of the stand-in; it sends two matches at a time, whatever it is asked


def element(name: str, value: str) -> dict[str, Any]:
    return {FIELDS[name]: {"vr": "LO", "Value": [value]}}


def study_of(number: int) -> dict[str, Any]:
    return (
        element("StudyInstanceUID", f"{ROOT}.1.{number}")
        | element("StudyDate", f"2024010{number + 1}")
        | element("AccessionNumber", f"A{number}")
        | element("PatientID", f"P{number}")
    )


def series_of(number: int) -> list[dict[str, Any]]:
    """A DX series and one of another kind, which a server that knows no such key sends as well."""
    return [
        element("SeriesInstanceUID", f"{ROOT}.2.{number}.{kind}") | element("Modality", modality)
        for kind, modality in ((1, "DX"), (2, "SR"))
    ]


def instances_of(number: str) -> list[dict[str, Any]]:
    views = ("PA", "LL", "")
    return [
        element("SOPInstanceUID", f"{ROOT}.3.{number}.{one}")
        | (element("ViewPosition", views[one]) if views[one] else {})
        for one in range(IN_SERIES)
    ]


def hierarchical(status: int = 400, odd: tuple[Any, ...] = ()) -> Answer:
    """A server that refuses to search instances across studies; ``odd`` are matches of studies that are none."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        asked = parse_qs(url.query)
        place = url.path.removeprefix("/dicom-web/")
        if place == "studies":
            wanted = asked.get("AccessionNumber", [None])[0]
            found = [*odd, *(study_of(n) for n in range(STUDIES) if wanted in (None, f"A{n}"))]
        elif inside := re.fullmatch(rf"studies/{ROOT}\.1\.(\d+)/series", place):
            found = series_of(int(inside[1]))
        elif inside := re.fullmatch(rf"studies/{ROOT}\.1\.\d+/series/{ROOT}\.2\.(\d+)\.1/instances", place):
            found = instances_of(inside[1])
        else:
            return says(b"{}", status=status)(handler)
        first = int(asked.get("offset", ["0"])[0])
        return says(json.dumps(found[first : first + PAGE]).encode())(handler)

    return answer


@pytest.mark.parametrize("status", studies.REFUSALS)
def test_every_film_is_found_once_with_what_its_study_says(fake: Fake, status: int) -> None:  # noqa: F811
    found = list(fake.pacs(hierarchical(status)).search(Query(modalities=("DX", "CR"))))
    assert sorted(one.uid for one in found) == sorted(
        f"{ROOT}.3.{study}.{one}" for study in range(STUDIES) for one in range(IN_SERIES)
    )
    assert {(one.study, one.date, one.accession) for one in found} == {
        (f"{ROOT}.1.{n}", f"2024010{n + 1}", f"A{n}") for n in range(STUDIES)
    }
    assert {one.modality for one in found} == {"DX"}


def test_keys_narrow_it_and_a_film_that_says_no_view_may_be_the_one(fake: Fake) -> None:  # noqa: F811
    found = list(fake.pacs(hierarchical()).search(Query(modalities=("DX",), accession="A3", view="PA")))
    assert [one.uid for one in found] == [f"{ROOT}.3.3.0", f"{ROOT}.3.3.2"]
    assert not any("ViewPosition=" in path for path in fake.asked[1:])


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(7, id="a number"),
        pytest.param({}, id="nothing"),
        pytest.param(element("StudyInstanceUID", "../../instances"), id="a path"),
    ],
)
def test_what_is_no_study_is_never_asked_for(fake: Fake, odd: Any) -> None:  # noqa: F811
    found = list(fake.pacs(hierarchical(odd=(odd,))).search(Query(modalities=("DX",))))
    assert len(found) == STUDIES * IN_SERIES
    assert not any(".." in path for path in fake.asked)


def test_too_many_studies_or_films_are_said(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    with pytest.raises(PacsError, match="ore than 5 objects match"):
        list(fake.pacs(hierarchical()).search(Query(modalities=("DX",)), most=5))
    monkeypatch.setattr(studies, "MOST", 3)
    with pytest.raises(PacsError, match="searched study by study"):
        list(fake.pacs(hierarchical()).search(Query(modalities=("DX",))))


def test_a_study_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that always has one more series, none of them a film's, would be asked for ever."""
    monkeypatch.setattr(studies, "MOST", 50)
    asked = []

    def ask(place: tuple[str, ...], keys: dict[str, str], offset: int) -> list[Any]:
        asked.append(place)
        level, more = len(place), not place and offset
        name, said = ("StudyInstanceUID", "SeriesInstanceUID")[level], {FIELDS["Modality"]: {"Value": ["SR"]}}
        return [] if more else [{FIELDS[name]: {"Value": [f"1.2.{level}.{offset}"]}, **said}]

    with pytest.raises(PacsError, match="study of this server has more than 50 parts"):
        list(studies.matches(ask, Query(modalities=("DX",))))
    assert len(asked) <= 60


@pytest.mark.parametrize(("status", "asked"), [(403, 1), (404, 2)])
def test_a_server_that_refuses_all_of_it_says_so(fake: Fake, status: int, asked: int) -> None:  # noqa: F811
    with pytest.raises(PacsError, match=f"HTTP {status}"):
        list(fake.pacs(says(b"{}", status=status)).search(Query(modalities=("DX",))))
    assert len(fake.asked) == asked
