"""One PACS: search, retrieve, thumbnail, store. Nothing is kept on disk, and a film is asked for as it is stored."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

import requests

from core.data.dicomweb import multipart, studies
from core.data.dicomweb.query import FIELDS, Found, Query, is_uid, read_matches
from core.data.dicomweb.server import Server
from core.data.dicomweb.session import RefusedError, Session
from core.errors import PacsAwayError, PacsError
from core.lazy import cached_property

if TYPE_CHECKING:
    from dicomweb_client.api import DICOMwebClient
    from pydicom.dataset import Dataset

T = TypeVar("T")

PAGE = 100  # matches asked for at a time
MOST = 20_000  # matches of one search
TRIES = 3  # of a request to a server that does not answer
PAUSE = 0.5  # seconds before the second try, doubled before each further one
SMALL = 160  # pixels of a thumbnail's side
_MOST_THUMBNAIL = 4_000_000  # bytes
_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'


@dataclass(frozen=True)
class Stored:
    """What became of objects that were sent: SOP instance UIDs that are there now, and those refused with a reason."""

    kept: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class Pacs:
    """A server that films come from.

    Args:
        server: which one.
        sleep: how one waits between tries.
    """

    server: Server
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    @cached_property
    def _session(self) -> Session:
        return Session(self.server)

    @cached_property
    def _client(self) -> "DICOMwebClient":
        try:
            from dicomweb_client.api import DICOMwebClient
        except ImportError as error:
            came = f"films from a PACS need {error.name}, which is not installed"
            raise PacsError(came, remedy="pip install -r requirements-pacs.txt") from None
        client = DICOMwebClient(self.server.url, session=self._session, permissive_uid=True)
        client.set_http_retry_params(retry=False)  # tries are counted here
        return client

    def search(self, query: Query, most: int = MOST) -> Iterator[Found]:
        """The films that match, page by page as they are asked for; our own answers and other objects are left out.

        A server that does not search instances across studies is searched study by study.

        Args:
            most: matches after which the search is given up.

        Raises:
            PacsError: no usable answer, or more than ``most`` matches.
        """
        seen: set[str] = set()
        try:
            yield from self._across(query, most, seen)
        except RefusedError as error:
            if seen or query.study or error.status not in studies.REFUSALS:
                raise
            yield from self._by_study(query, most)

    def _by_study(self, query: Query, most: int) -> Iterator[Found]:
        wanted, shown = self._wanted(), self.server.show_patient

        def ask(place: tuple[str, ...], keys: dict[str, str], offset: int) -> list[Any]:
            client = self._client
            look = (client.search_for_studies, client.search_for_series, client.search_for_instances)
            search: Callable[..., Any] = look[len(place)]
            return self._tried(
                lambda: _listed(search(*place, limit=PAGE, offset=offset, fields=wanted, search_filters=keys)),
                "a search",
            )

        for number, match in enumerate(studies.matches(ask, query), start=1):
            if number > most:
                raise _too_many(most)
            for _, found in read_matches([match], shown, self.server.secret):
                if found and not found.is_ours:
                    yield found

    def _across(self, query: Query, most: int, seen: set[str]) -> Iterator[Found]:
        for modality in query.modalities:
            offset, barren = 0, False
            while True:
                sent, page = self._page(query, modality, offset)
                fresh = {uid: found for uid, found in page if uid not in seen}
                if not fresh and (page or not sent or barren):
                    break  # the end, or a server that knows no offset and sends its first page again
                barren = not fresh
                seen |= fresh.keys()
                if max(len(seen), offset) > most:
                    raise _too_many(most)
                yield from (found for found in fresh.values() if found and not found.is_ours)
                offset += sent  # a short page is not the end: servers send fewer than they are asked for

    def _page(self, query: Query, modality: str, offset: int) -> tuple[int, list[tuple[str, Found | None]]]:
        """How many matches the server sent, and those that can be used."""
        shown, secret, wanted = self.server.show_patient, self.server.secret, self._wanted()

        def ask() -> tuple[int, list[tuple[str, Found | None]]]:
            matches = self._client.search_for_instances(
                study_instance_uid=query.study or None,
                limit=PAGE,
                offset=offset,
                fields=wanted,
                search_filters=query.filters(modality),
            )
            return len(matches), list(read_matches(matches, shown, secret))

        return self._tried(ask, "a search")

    def _wanted(self) -> list[str]:
        """The tags that are asked for: what tells whose film it is only where it is shown or hashed."""
        shown, secret = self.server.show_patient, self.server.secret
        hidden = set() if shown else {"PatientName"} if secret else {"PatientName", "PatientID"}
        return [tag for name, tag in FIELDS.items() if name not in hidden]

    def exists(self, study: str, uid: str) -> bool:
        """Whether an object of a study is there."""

        def ask() -> bool:
            matches = self._client.search_for_instances(study, search_filters={"SOPInstanceUID": uid})
            return any(found == uid for found, _ in read_matches(matches))

        return self._tried(ask, "a search")

    def retrieve(self, study: str, series: str, uid: str) -> bytes:
        """The DICOM file of a film as it is stored (WADO-RS, PS3.18 10.4).

        Raises:
            PacsError: it is not there, or what came is not a single film.
        """
        url = self._place(study, series, uid)

        def ask() -> bytes:
            answer = self._session.request("GET", url, headers={"Accept": _AS_STORED})
            kind = answer.headers.get("Content-Type", "")
            if kind.lower().startswith("application/dicom") and "json" not in kind.lower():
                return answer.content  # some send a single part without its wrapping
            (content,) = multipart.parts(answer.content, kind)
            return content

        return self._tried(ask, "a film")

    def thumbnail(self, study: str, series: str, uid: str) -> bytes | None:
        """The film as the server renders it, PNG of at most 160 pixels per side; None where it renders none."""
        import cv2

        from core.data.film import opener

        url = f"{self._place(study, series, uid)}/rendered"

        def ask(address: str) -> bytes:
            return self._session.request("GET", address, headers={"Accept": "image/jpeg"}).content

        with suppress(Exception):  # whatever a server renders badly is shown as nothing
            try:
                content = ask(f"{url}?viewport={SMALL},{SMALL}")  # the comma as it is: Orthanc knows no %2C there
            except PacsAwayError:
                raise
            except PacsError:  # no size can be asked for
                content = ask(url)
            if len(content) > _MOST_THUMBNAIL:
                return None
            pixels = opener.read(content, "thumbnail").pixels
            scale = SMALL / max(pixels.shape)
            if scale < 1:
                pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            return bytes(cv2.imencode(".png", pixels)[1])
        return None

    def store(self, objects: Sequence["Dataset"]) -> Stored:
        """Send objects (STOW-RS, PS3.18 10.5); those that are there already count as kept.

        Raises:
            PacsError: the server did not take the request; what it says of single objects is in the result.
        """
        uids = [str(one.SOPInstanceUID) for one in objects]
        answer = self._tried(lambda: self._stored(objects), "objects")
        refused = {}
        for item in answer.get("FailedSOPSequence", []) or []:
            uid, reason = str(item.get("ReferencedSOPInstanceUID", "")), item.get("FailureReason", 0)
            refused[uid] = f"reason {reason:04X}" if isinstance(reason, int) else "no reason"
        named = tuple((uid, refused[uid]) for uid in uids if uid in refused)
        return Stored(tuple(uid for uid in uids if uid not in refused), named)

    def _place(self, *uids: str) -> str:
        """The address of a film; what is no UID never gets into one."""
        if not all(isinstance(uid, str) and is_uid(uid) for uid in uids):
            raise PacsError("a film's UID is no UID", "digits and dots", "Search again")
        return "{}/studies/{}/series/{}/instances/{}".format(self.server.url, *uids)

    def _stored(self, objects: Sequence["Dataset"]) -> "Dataset":
        from pydicom.dataset import Dataset

        try:
            return self._client.store_instances([_whole_file(one) for one in objects])
        except requests.exceptions.HTTPError as error:
            if error.response is None:
                raise
            return Dataset.from_json(error.response.json())  # 409: what it says of each object

    def _tried(self, ask: Callable[[], T], what: str) -> T:
        """An answer, asked for again while the server is away."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._understood(ask, what)
            except PacsAwayError:
                if attempt == TRIES:
                    raise
                self.sleep(PAUSE * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    def _understood(self, ask: Callable[[], T], what: str) -> T:
        try:
            return ask()
        except PacsError:
            raise
        except requests.exceptions.JSONDecodeError:
            came = f"{self.server.name} answers {what} with something that is no DICOM JSON"
            raise PacsError(came, "a DICOMweb service", "Check that the address ends where DICOMweb begins") from None
        except Exception:  # wrong types, half a multipart: whatever a library stumbles over
            came = f"{self.server.name} answers {what} with something that cannot be used"
            raise PacsError(came, "a DICOMweb service", "Check its address, and try again") from None


def _too_many(most: int) -> PacsError:
    came = f"more than {most:,} objects match"
    return PacsError(came, "a narrower search", "Give dates, a view or an accession number")


def _listed(answer: Any) -> list[Any]:
    """A page of matches; TypeError where it is something else."""
    if not isinstance(answer, list):
        raise TypeError(type(answer).__name__)
    return answer


def _whole_file(made: "Dataset") -> "Dataset":
    """The same object with preamble and meta header: STOW-RS takes files (PS3.10 7.1), but the client writes what it
    is given, and an object that was never a file has neither."""
    from pydicom import dcmread

    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return dcmread(buffer)
