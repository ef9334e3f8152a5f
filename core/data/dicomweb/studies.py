"""A search for servers that find instances only inside a series: study by study, series by series (QIDO-RS).

PS3.18 10.6 lets a server refuse to search instances across studies. What a study says of date, accession number and
patient is not said again of its instances, so each match is the study's, the series' and the instance's together.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from core.data.dicomweb.query import FIELDS, Query, is_uid, text_of
from core.errors import PacsError

REFUSALS = (400, 404, 405, 501)  # by which servers say that they do not search so
MOST = 2_000  # studies of one search: each costs two questions and more; and matches inside one study or series
_OF_SERIES = ("Modality", "BodyPartExamined")

Match = dict[str, Any]


class Ask(Protocol):
    """One page of a level of the hierarchy; each match as the server sends it, which may be anything."""

    def __call__(self, place: tuple[str, ...], keys: dict[str, str], offset: int) -> list[Any]:
        """Args: UIDs of the study and series to look in, matching keys, how many matches to pass over."""


def matches(ask: Ask, query: Query) -> Iterator[Match]:
    """Every instance that matches, with what its series and study say.

    Raises:
        PacsError: more than ``MOST`` studies match, or lie inside one.
    """
    studies = 0
    for modality in query.modalities:
        keys = query.filters(modality)
        of_study = {name: value for name, value in keys.items() if name not in (*_OF_SERIES, "ViewPosition")}
        of_series = {name: keys[name] for name in _OF_SERIES if name in keys}
        for study in _level(ask, (), of_study | {"ModalitiesInStudy": modality}):
            studies += 1
            if studies > MOST:
                came = f"more than {MOST:,} studies match, and this server is searched study by study"
                raise PacsError(came, "a narrower search", "Give dates or an accession number")
            for series in _level(ask, (_uid(study, 0),), of_series):
                if _differs(series, "Modality", modality):
                    continue
                for instance in _level(ask, (_uid(study, 0), _uid(series, 1)), {}):
                    found = {**study, **series, **instance}
                    if not query.view or not _differs(found, "ViewPosition", query.view):
                        yield found


def _level(ask: Ask, place: tuple[str, ...], keys: dict[str, str]) -> Iterator[Match]:
    """All matches of one level, page by page; those without a UID of that level are left out."""
    seen: set[str] = set()
    offset = 0
    while True:
        page = ask(place, keys, offset)
        fresh = {}
        for match in page:
            uid = _uid(match, len(place)) if isinstance(match, Mapping) else ""
            if is_uid(uid) and uid not in seen:
                fresh[uid] = dict(match)
        if not fresh:
            return
        seen |= fresh.keys()
        if place and len(seen) > MOST:  # a server may go on for ever
            came = f"a {('study', 'series')[len(place) - 1]} of this server has more than {MOST:,} parts"
            raise PacsError(came, "the study of a radiograph", "Give dates or an accession number")
        yield from fresh.values()
        offset += len(page)


def _uid(match: Mapping[str, Any], level: int) -> str:
    return text_of(match.get(FIELDS[("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")[level]]))


def _differs(match: Mapping[str, Any], name: str, wanted: str) -> bool:
    """Whether a match says another value than the one asked for; one that says nothing may be it."""
    said = text_of(match.get(FIELDS[name]))
    return bool(said) and said.upper() != wanted.upper()
