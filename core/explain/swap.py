"""Paste onto one film what another film shows away from the lungs, or how it was taken, and leave its lungs alone.

If an answer follows what was pasted, it rests on that. The control is another donor: what a film of the class does more
than a film of no such answer is not due to pasting. After Xiao et al., *Noise or Signal: The Role of Image Backgrounds
in Object Recognition*, ICLR 2021 (backgrounds of the same class against random ones); here with the places of a chest
film, and with exposure, sharpness and position as well. Only one cue touches the lungs: what is bright and too narrow
for an opacity, such as a wire, by its white top-hat (Serra 1982).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from core.explain.zones import zones
from core.lazy import cached_property

OUTSIDE = "outside"
_ROOM = 0.03  # round the hull of both lungs, in parts of the picture's side: consolidated lung at their edge
_FEATHER = 0.006  # of a pasted region's edge, standard deviation in parts of the picture's side
_NARROW = 0.04  # of a wire, tube or clip over the lungs, at most, in parts of the picture's side
_FINE = 1 / 96  # of what counts as fine detail, standard deviation in parts of the picture's side
_STEPS = np.linspace(0, 100, 33)  # percentiles by which grey levels are matched


@dataclass(frozen=True, eq=False)
class Sight:
    """A film as the model sees it, uint8 (S, S), and its lungs, bool (S, S), not empty."""

    picture: np.ndarray
    lungs: np.ndarray

    @cached_property
    def hull(self) -> np.ndarray:
        """What must not be touched, bool (S, S): both lungs, what lies between them, and a little room."""
        points = np.argwhere(self.lungs)[:, ::-1].astype(np.int32)
        sheet = np.zeros(self.lungs.shape, np.uint8)
        cv2.fillConvexPoly(sheet, cv2.convexHull(points), 1)
        room = 2 * round(_ROOM * len(sheet)) + 1
        grown: np.ndarray = cv2.dilate(sheet, np.ones((room, room), np.uint8)) > 0
        return grown

    @cached_property
    def places(self) -> dict[str, np.ndarray]:
        """Where something may be pasted, bool (S, S) each, by cue."""
        cut = zones(self.hull)
        named = {key: cut[zone] for key, zone in ZONE_OF.items()}
        return named | {OUTSIDE: ~self.hull}

    @cached_property
    def pose(self) -> tuple[np.ndarray, float, np.ndarray]:
        """Where the chest lies: centre (x, y), tilt in radians, extent along and across (2,); in pixels."""
        points = np.argwhere(self.lungs)[:, ::-1].astype(float)
        centre = points.mean(0)
        left = points[:, 0] < centre[0]
        across = points[~left].mean(0) - points[left].mean(0) if left.any() and (~left).any() else np.array([1.0, 0.0])
        tilt = float(np.arctan2(across[1], across[0]))
        turned = (points - centre) @ _turn(-tilt).T
        return centre, tilt, turned.std(0)

    @cached_property
    def lines(self) -> np.ndarray:
        """How much brighter than what surrounds it a pixel over the lungs is that lies in something narrow: int16
        (S, S), grey levels; 0 elsewhere."""
        side = 2 * max(round(_NARROW / 2 * len(self.picture)), 1) + 1
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        found: np.ndarray = np.where(self.hull, cv2.morphologyEx(self.picture, cv2.MORPH_TOPHAT, disk), 0)
        return found.astype(np.int16)

    @cached_property
    def fine(self) -> float:
        """How much fine detail lies outside the lungs: its standard deviation, grey levels."""
        smooth = cv2.GaussianBlur(self.picture.astype(np.float32), (0, 0), _FINE * len(self.picture))
        return float((self.picture - smooth)[~self.hull].std())


@dataclass(frozen=True)
class Cue:
    """Something that may go with a class and is no disease.

    Args:
        key: its name.
        title: what it is, in words, after "with".
        paste: the first film with what the second one shows of it, uint8 (S, S).
        placed: whether it has a place on the film that can be hidden; else it is of the whole film.
        like_disease: whether disease can look like it, so that an answer that follows it may be right to do so.
    """

    key: str
    title: str
    paste: Callable[[Sight, Sight], np.ndarray]
    placed: bool = True
    like_disease: bool = False


def _pasted(key: str) -> Callable[[Sight, Sight], np.ndarray]:
    def paste(onto: Sight, donor: Sight) -> np.ndarray:
        region = (onto.places[key] & ~donor.hull).astype(np.float32)
        share = cv2.GaussianBlur(region, (0, 0), max(_FEATHER * len(region), 0.3))
        share = np.where(onto.hull | donor.hull, 0, share)
        mixed = onto.picture * (1 - share) + donor.picture * share
        found: np.ndarray = np.round(mixed).astype(np.uint8)
        return found

    return paste


def _lined(onto: Sight, donor: Sight) -> np.ndarray:
    """What is narrow and bright over the lungs taken away, and the donor's put there."""
    found: np.ndarray = np.clip(onto.picture - onto.lines + donor.lines, 0, 255).astype(np.uint8)
    return found


def _exposed(onto: Sight, donor: Sight) -> np.ndarray:
    """Grey levels of the whole film as those outside the lungs have to change to be the donor's."""
    mine, theirs = (np.percentile(film.picture[~film.hull], _STEPS) for film in (onto, donor))
    mine = np.maximum.accumulate(mine + np.arange(len(mine)) * 1e-3)  # strictly rising
    levels = np.arange(256)
    told = np.interp(levels, mine, theirs)
    told += np.minimum(levels - mine[0], 0) + np.maximum(levels - mine[-1], 0)  # darker lungs, denser bone
    told = np.clip(told, 0, 255)
    matched: np.ndarray = np.round(told).astype(np.uint8)[onto.picture]
    return matched


def _sharpened(onto: Sight, donor: Sight) -> np.ndarray:
    """Fine detail as strong as the donor's."""
    smooth = cv2.GaussianBlur(onto.picture.astype(np.float32), (0, 0), _FINE * len(onto.picture))
    factor = np.clip(donor.fine / max(onto.fine, 0.1), 0.0, 4.0)
    found: np.ndarray = np.round(np.clip(smooth + factor * (onto.picture - smooth), 0, 255)).astype(np.uint8)
    return found


def _moved(onto: Sight, donor: Sight) -> np.ndarray:
    """The whole film turned, stretched and shifted until its lungs lie as the donor's do."""
    (mine, tilt, extent), (theirs, other, wanted) = onto.pose, donor.pose
    scale = np.clip(wanted / np.maximum(extent, 1e-6), 0.7, 1.4)
    matrix = _turn(other) @ np.diag(scale) @ _turn(-tilt)
    affine = np.column_stack([matrix, theirs - matrix @ mine])
    moved: np.ndarray = cv2.warpAffine(
        onto.picture, affine, onto.picture.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return moved


def _turn(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


ZONE_OF = {"corner": "corner", "border": "border", "abdomen": "below the diaphragm", "wall": "elsewhere"}
CUES = {
    cue.key: cue
    for cue in (
        Cue("corner", "what lies in the corners", _pasted("corner")),
        Cue("border", "what lies along the border", _pasted("border")),
        Cue("abdomen", "what lies below the diaphragm", _pasted("abdomen")),
        Cue("wall", "what lies on the chest wall, shoulders and neck", _pasted("wall")),
        Cue(OUTSIDE, "what lies outside the lungs", _pasted(OUTSIDE)),
        Cue("lines", "what lies over the lungs and is narrow, such as a wire", _lined, False, like_disease=True),
        Cue("exposure", "how dark and how contrasty the film is", _exposed, placed=False),
        Cue("sharpness", "how sharp the film is", _sharpened, placed=False),
        Cue("position", "how the chest lies in the picture: turned, stretched, off centre", _moved, placed=False),
    )
}
