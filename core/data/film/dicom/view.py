"""Which view and which part of the body a file says that it shows, in each of the places where files say it."""

import re

from core.data.film.dicom.attributes import Attributes
from core.data.film.turn import AS_STORED, Turn

LATERAL = "LATERAL"
_POSITIONS = ("AP", "PA", "LL", "RL", "LAT", LATERAL, "LLO", "RLO", "LPO", "RPO")
_DECUBITUS = ("LLD", "RLD")
# PS3.16 CID 4010 (DX view), in SNOMED CT and in the SNOMED RT codes that older machines write; other codes count by
# their meaning.
_VIEW_CODES = {
    "399348003": "AP", "R-10206": "AP", "R-10214": "PA",
    "399173006": "LL", "R-10236": "LL", "399198007": "RL", "R-10232": "RL",
}  # fmt: skip
_LIES = {(False, True): "mirrored", (True, False): "upside down", (True, True): "upside down and mirrored"}
_SIDE = re.compile(
    r"\b([LR]?[ _-]?LAT[LR]?\.?|LATERALE?|[LR]L|PROFILE?|PROFIL|SEITL(ICH)?|OBL(IQUE)?|DECUB\w*|LLD|RLD)(?![A-Z])"
)
_FRONT = re.compile(r"\b(PA|AP|P\.A|A\.P|DV|VD|FRONTAL|FRONTALE|FACE)\b")
_CHEST = ("CHEST", "THORAX", "LUNG", "LUNGS", "RIB", "RIBS", "STERNUM", "HEART", "CHESTABDOMEN", "CHESTABDPELVIS",
          "WHOLEBODY", "TRUNK", "MEDIASTINUM")  # fmt: skip
# PS3.16 annex L: parts of the body that are X-rayed; a whitelist, for people type anything into this attribute.
_PARTS = ("ABDOMEN", "ABDOMENPELVIS", "ANKLE", "ARM", "BREAST", "CALCANEUS", "CLAVICLE", "COCCYX", "CSPINE", "CTSPINE",
          "ELBOW", "EXTREMITY", "EYE", "FEMUR", "FINGER", "FOOT", "FOREARM", "HAND", "HEAD", "HIP", "HUMERUS", "JAW",
          "JAWREGION", "KNEE", "LEG", "LSPINE", "LSSPINE", "MANDIBLE", "MAXILLA", "NECK", "ORBIT", "PATELLA", "PELVIS",
          "SCAPULA", "SHOULDER", "SINUS", "SKULL", "SPINE", "SSPINE", "TEETH", "THUMB", "TIBIA", "TIBIAFIBULA",
          "TLSPINE", "TMJ", "TOE", "TSPINE", "WRIST", "ZYGOMA")  # fmt: skip
_REGION_CODES = {
    "818983003": "ABDOMEN", "T-D4000": "ABDOMEN", "113345001": "ABDOMEN", "70258002": "ANKLE", "76752008": "BREAST",
    "122494005": "CSPINE", "16953009": "ELBOW", "127949000": "ELBOW", "71341001": "FEMUR", "56459004": "FOOT",
    "85562004": "HAND", "69536005": "HEAD", "24136001": "HIP", "85050009": "HUMERUS", "72696002": "KNEE",
    "122496007": "LSPINE", "45048000": "NECK", "12921003": "PELVIS", "816092008": "PELVIS", "16982005": "SHOULDER",
    "89546000": "SKULL", "421060004": "SPINE", "122495006": "TSPINE", "74670003": "WRIST", "8205005": "WRIST",
}  # fmt: skip


def read_view(of: Attributes) -> tuple[str, list[str]]:
    """View position ("" where nothing says it), and notes on where it was found and on contradictions.

    View Position counts first, then the view code, the orientation of the patient and, where neither it nor a code
    speaks, the description of the series. A code or an orientation that says lateral outweighs a frontal View
    Position: machines preset the latter.
    """
    position = of.text("ViewPosition")
    notes = [f"View Position {position}: a decubitus film"] if position in _DECUBITUS else []
    stated = position if position in _POSITIONS else LATERAL if position in _DECUBITUS else ""
    coded = _coded(of)
    turned = LATERAL if _sagittal(of) else ""
    for found, where in ((coded, "view code"), (turned, "orientation of the patient")):
        if found and found not in ("AP", "PA") and stated in ("AP", "PA"):
            notes.append(f"the file contradicts itself: View Position {stated}, but {found} by its {where}")
            return found, notes
    if stated:
        return stated, notes
    if coded or turned:
        return coded or turned, [
            f"view {coded or turned} by its {'view code' if coded else 'orientation of the patient'}"
        ]
    for keyword in ("SeriesDescription", "ProtocolName", "AcquisitionDeviceProcessingDescription"):
        words = of.text(keyword)
        if _SIDE.search(words) and not _FRONT.search(words):
            return LATERAL, [f"view {LATERAL} by its {keyword}"]
    return "", []


def read_body_part(of: Attributes) -> str:
    """A part of the body other than the chest, as DICOM spells it ("HAND"); "" for the chest and where unknown."""
    part = re.sub(r"[^A-Z]", "", of.text("BodyPartExamined"))
    if part in _PARTS:
        return part
    if part in _CHEST:
        return ""
    for region in of.items("AnatomicRegionSequence"):
        if region.text("CodeValue") in _REGION_CODES:
            return _REGION_CODES[region.text("CodeValue")]
    return ""


def read_hanging(of: Attributes, frontal: bool) -> tuple[Turn, list[str]]:
    """How a frontal film is turned so that it hangs as films hang, and notes, also on one that shows one side only.

    Patient Orientation names where rows and columns run to (C.7.6.1.1.1): L\\F is a film as it hangs, with the
    patient's left at the right. Another one is believed of a film that the file itself calls frontal; of others the
    pixels stay as they are stored, for a lateral film has no such way of hanging. Laterality (C.7.3.1.1) and Image
    Laterality (C.8.11.2.1.1) of a chest are U, B or empty.

    Args:
        frontal: the file says that the view is AP or PA.
    """
    turn = AS_STORED
    notes = []
    ends = of.raw("PatientOrientation")
    if not isinstance(ends, str) and ends is not None and len(ends) == 2:
        row, column = (str(end).strip().upper()[:1] for end in ends)
        found = _turn(row, column)
        if found:
            how = _LIES[found.upside_down, found.mirrored] if not found.exchanged else "on its side"
            done = "it is turned to hang as films do" if frontal else "shown as stored"
            notes.append(f"by its Patient Orientation {row}\\{column} the film lies {how}: {done}")
            turn = found if frontal else turn
    side = of.text("ImageLaterality") or of.text("Laterality")
    if side in ("L", "R"):
        notes.append(f"the file says that it shows the {'left' if side == 'L' else 'right'} side only")
    return turn, notes


def _turn(row: str, column: str) -> Turn:
    """What undoes rows that run to ``row`` and columns that run to ``column``; none where these are not frontal."""
    if row in ("L", "R") and column in ("F", "H"):
        return Turn(upside_down=column == "H", mirrored=row == "R")
    if row in ("F", "H") and column in ("L", "R"):
        return Turn(exchanged=True, upside_down=row == "H", mirrored=column == "R")
    return AS_STORED


def _coded(of: Attributes) -> str:
    for code in of.items("ViewCodeSequence"):
        known, meaning = _VIEW_CODES.get(code.text("CodeValue"), ""), code.text("CodeMeaning")
        if known or (_SIDE.search(meaning) and not _FRONT.search(meaning)):
            return known or LATERAL
    return ""


def _sagittal(of: Attributes) -> bool:
    """Rows or columns that run to the patient's front or back (C.7.6.1.1.1): seen from the side or lengthwise."""
    value = of.raw("PatientOrientation")
    ends = [value] if isinstance(value, str) else list(value or ())
    return any(str(end).strip().upper()[:1] in ("A", "P") for end in ends[:2])
