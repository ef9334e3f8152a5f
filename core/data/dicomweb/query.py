"""What is searched for (QIDO-RS, PS3.18 10.6), and what came back: each value is checked, for any server may answer."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import PacsError

MODALITIES = ("DX", "CR", "RG", "RF")
SOP_CLASSES = (  # chest films come as these; the answers of readers like this one come as others, or say who made them
    "1.2.840.10008.5.1.4.1.1.1",  # Computed Radiography Image Storage
    "1.2.840.10008.5.1.4.1.1.1.1",  # Digital X-Ray Image Storage - For Presentation
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture Image Storage: scanned films, public collections
    "1.2.840.10008.5.1.4.1.1.12.2",  # X-Ray Radiofluoroscopic Image Storage
)
OURS = "Hilum"  # manufacturer of the objects that this house writes
FIELDS = {
    "SOPClassUID": "00080016",
    "SOPInstanceUID": "00080018",
    "StudyDate": "00080020",
    "AccessionNumber": "00080050",
    "Modality": "00080060",
    "Manufacturer": "00080070",
    "PatientName": "00100010",
    "PatientID": "00100020",
    "BodyPartExamined": "00180015",
    "ViewPosition": "00185101",
    "StudyInstanceUID": "0020000D",
    "SeriesInstanceUID": "0020000E",
    "Rows": "00280010",
    "Columns": "00280011",
}
_LONGEST = 64  # characters of a text or UID


@dataclass(frozen=True)
class Query:
    """What is looked for; "" or () leaves it open.

    Args:
        since, until: study dates as YYYYMMDD, both included.
        modalities: one or more; one question to the server for each.
        body_part, view: as the films' headers spell them ("CHEST", "PA").
        accession, patient: the number of an examination, of a patient; "*" and "?" stand for any letters.
        study: StudyInstanceUID.

    Raises:
        PacsError: a value that cannot be asked for.
    """

    since: str = ""
    until: str = ""
    modalities: tuple[str, ...] = ("DX", "CR")
    body_part: str = ""
    view: str = ""
    accession: str = ""
    patient: str = ""
    study: str = ""

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            if not re.fullmatch(r"(\d{8})?", getattr(self, name)):
                raise PacsError(f"{name} is {getattr(self, name)!r}", "a date as YYYYMMDD", "Write it in eight digits")
        if self.since and self.until and self.since > self.until:
            raise PacsError(f"the dates run from {self.since} to {self.until}", "the earlier one first", "Swap them")
        for name in ("body_part", "view", "accession", "patient"):
            value = getattr(self, name)
            if len(value) > _LONGEST or not value.isprintable() or "\\" in value:
                raise PacsError(f"{name.replace('_', ' ')} cannot be asked for", "up to 64 letters without a backslash")
        if any(not re.fullmatch(r"[A-Z]{2}", modality) for modality in self.modalities) or not self.modalities:
            raise PacsError(f"the modalities are {', '.join(self.modalities) or 'none'}", ", ".join(MODALITIES))
        if self.study and not is_uid(self.study):
            raise PacsError("the study is no UID", "digits and dots", "Copy it again")

    def filters(self, modality: str) -> dict[str, str]:
        """The matching keys of one question (PS3.18 8.3.4.1)."""
        dates = f"{self.since}-{self.until}" if self.since or self.until else ""
        asked = {
            "Modality": modality,
            "StudyDate": dates if self.since != self.until else self.since,
            "BodyPartExamined": self.body_part,
            "ViewPosition": self.view,
            "AccessionNumber": self.accession,
            "PatientID": self.patient,
        }
        return {name: value for name, value in asked.items() if value}


@dataclass(frozen=True)
class Found:
    """One film of a search; unknown text is "", unknown sizes are 0.

    ``patient_name`` and ``patient_id`` are empty unless the owner shows them. ``accession`` is read to join labels and
    is never shown. ``patient_key`` tells films of one patient from others' and nothing else: the patient's number
    hashed with the owner's secret, or the study where there is none.
    """

    study: str
    series: str
    uid: str
    sop_class: str = ""
    date: str = ""
    modality: str = ""
    body_part: str = ""
    view: str = ""
    rows: int = 0
    columns: int = 0
    accession: str = ""
    manufacturer: str = ""
    patient_name: str = ""
    patient_id: str = ""
    patient_key: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether this house wrote it: an answer is not a film."""
        return self.manufacturer == OURS

    def nameless(self) -> "Found":
        """The film without what tells whose it is: for all that is kept longer than a list is shown."""
        return replace(self, patient_name="", patient_id="", accession="")

    def token(self, secret: str) -> str:
        """What links, keys and lists call the film, 32 hex digits: its SOP instance UID hashed with a secret."""
        return _hashed(secret, self.uid)[:32]


def is_uid(text: str) -> bool:
    """Whether this is a UID (PS3.5 9.1); leading zeros of a component are taken, for old files have them."""
    return len(text) <= _LONGEST and re.fullmatch(r"[0-9]+(\.[0-9]+)+", text) is not None


def read_matches(matches: Any, show_patient: bool = False, secret: str = "") -> Iterator[tuple[str, Found | None]]:
    """Each match of an answer: its SOP instance UID, and the film; None for what is not a film, or no match at all.

    Raises:
        ValueError: the answer is not a list.
    """
    if not isinstance(matches, list):
        raise ValueError(f"a {type(matches).__name__}")
    for match in matches:
        uid = text_of(match.get(FIELDS["SOPInstanceUID"])) if isinstance(match, Mapping) else ""
        yield uid, _read(match, show_patient, secret)


def _read(match: Any, show_patient: bool, secret: str) -> Found | None:
    if not isinstance(match, Mapping):
        return None
    said = {name: text_of(match.get(tag)) for name, tag in FIELDS.items()}
    uids = (said["StudyInstanceUID"], said["SeriesInstanceUID"], said["SOPInstanceUID"])
    if not all(map(is_uid, uids)) or said["SOPClassUID"] not in ("", *SOP_CLASSES):
        return None
    return Found(
        *uids,
        sop_class=said["SOPClassUID"],
        date=said["StudyDate"] if re.fullmatch(r"\d{8}", said["StudyDate"]) else "",
        modality=said["Modality"] if re.fullmatch(r"[A-Z]{2}", said["Modality"]) else "",
        body_part=said["BodyPartExamined"],
        view=said["ViewPosition"],
        rows=_whole(said["Rows"]),
        columns=_whole(said["Columns"]),
        accession=said["AccessionNumber"],
        manufacturer=said["Manufacturer"],
        patient_name=said["PatientName"] if show_patient else "",
        patient_id=said["PatientID"] if show_patient else "",
        patient_key=_hashed(secret, said["PatientID"] if secret and said["PatientID"] else uids[0])[:16],
    )


def _hashed(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def text_of(element: Any) -> str:
    """The first value of a DICOM JSON element (PS3.18 F.2) as text; "" where there is none that is one."""
    values = element.get("Value") if isinstance(element, Mapping) else None
    first = values[0] if isinstance(values, list) and values else ""
    if isinstance(first, Mapping):  # a person's name
        first = first.get("Alphabetic", "")
    if isinstance(first, bool) or not isinstance(first, str | int | float):
        return ""
    return "".join(letter for letter in str(first)[:_LONGEST] if letter.isprintable()).strip()


def _whole(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,6}", text) else 0
