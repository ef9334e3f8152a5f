"""Do two films show one picture? Their keypoints must agree on one affine map, and their details once laid over.

Unrelated films agree on at most 23 keypoints. Two exposures of one patient may agree on 100, and their details to 0.94:
what tells them from copies is how exactly keypoints lie on the map, for between two exposures the patient breathes,
the heart beats and ribs move against the diaphragm, while what was done to a copy moves all of it as one.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from core.data.copies.keypoints import (
    Description,
    flipped_descriptors,
    flipped_picture,
    flipped_points,
)

COPY, POSSIBLE = "copy", "possible"
LEAST_INLIERS, LEAST_CORRELATION = 25, 0.70  # below either: two pictures; from both on: possible, look
FALSE_COPIES = 1e-6  # of pairs of different films, at most: 0 of 3.6 million were called one (`benchmarks.audit`)
_SURE = ((55, 0.65, 0.75), (35, 0.6, 0.95))  # exact keypoints, their share of the inliers, correlation: a copy
_RATIO = 0.85  # of the distances to the nearest and the next keypoint (Lowe 2004)
_PIXELS = 3.0  # by which an inlier may miss, at 256 pixels
_EXACT_PIXELS = 1.0  # by which an exact one may
_CELL = 4  # pixels; inliers in one cell count once
_SCALES = (0.45, 2.2)  # singular values of the map
_STRETCH = 1.5  # the larger over the smaller
_LEAST_OVERLAP = 0.15  # of the second film, which the first must cover to be compared
_DEVIATION = 6  # pixels at 128: contrast is made even over this many
_ERODED = 7  # pixels at 128, cut off the rim of the overlap


@dataclass(frozen=True)
class Agreement:
    """How far two films agree.

    Args:
        inliers: keypoints within 3 pixels of one affine map, one for each place.
        correlation: of the details, -1 to 1, once the films are laid over each other by that map.
        exact: keypoints within 1 pixel of the map.
        share: exact ones among all within 3 pixels, 0 to 1.
    """

    inliers: int = 0
    correlation: float = 0.0
    exact: int = 0
    share: float = 0.0

    @property
    def level(self) -> str:
        """ "copy", "possible" or ""."""
        if self.inliers < LEAST_INLIERS or self.correlation < LEAST_CORRELATION:
            return ""
        sure = any(self.exact >= n and self.share >= s and self.correlation >= r for n, s, r in _SURE)
        return COPY if sure else POSSIBLE


def agreement(first: Description, second: Description, flip: int) -> Agreement:
    """How far the first film, flipped (mirrored 1, inverted 2, both 3), agrees with the second."""
    if min(len(first), len(second)) < LEAST_INLIERS:
        return Agreement()
    left, right = _matches(flipped_descriptors(first.descriptors, flip), second.descriptors)
    if len(left) < LEAST_INLIERS:
        return Agreement()
    source, target = flipped_points(first.points, first.shape, flip)[left], second.points[right]
    found, mask = cv2.estimateAffine2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=_PIXELS)
    if found is None or not _plausible(found):
        return Agreement()
    inside = mask.ravel().astype(bool)
    inliers = min(_distinct(source[inside]), _distinct(target[inside]))
    if inliers < LEAST_INLIERS:
        return Agreement(inliers)
    missed = np.linalg.norm(source[inside] @ found[:, :2].T + found[:, 2] - target[inside], axis=1)
    exact = int((missed <= _EXACT_PIXELS).sum())
    return Agreement(inliers, _correlation(first, second, flip, found), exact, exact / len(missed))


def _matches(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of keypoints that are each other's nearest, clearly nearer than the next."""
    a, b = first.astype(np.float32), second.astype(np.float32)
    squared = a @ b.T  # whole numbers below 2**24: exact, in whatever order they are summed
    squared *= -2
    squared += np.einsum("ij,ij->i", b, b)
    squared += np.einsum("ij,ij->i", a, a)[:, None]
    nearest = squared.argmin(axis=1)
    rows = np.arange(len(a))
    mutual = np.ascontiguousarray(squared.T).argmin(axis=1)[nearest] == rows
    rows, nearest = rows[mutual], nearest[mutual]
    distances = squared[rows]
    least = distances[np.arange(len(rows)), nearest]
    distances[np.arange(len(rows)), nearest] = np.inf
    clear = least < _RATIO**2 * distances.min(axis=1)
    return rows[clear], nearest[clear]


def _plausible(affine: np.ndarray) -> bool:
    large, small = np.linalg.svd(affine[:, :2], compute_uv=False)
    return bool(_SCALES[0] <= small and large <= _SCALES[1] and large < _STRETCH * small)


def _distinct(points: np.ndarray) -> int:
    cells = (points // _CELL).astype(np.int64)
    return len(np.unique(cells[:, 0] * 10_000 + cells[:, 1]))


def _correlation(first: Description, second: Description, flip: int, affine: np.ndarray) -> float:
    """Of the details of two pictures at 128 pixels, the first, flipped, laid over the second by a map at 256."""
    picture = np.ascontiguousarray(flipped_picture(first.picture, flip))
    small = _resized(affine, _scale(first), _scale(second))
    height, width = second.picture.shape
    over = cv2.warpAffine(picture, small, (width, height), flags=cv2.INTER_LINEAR)
    covered = cv2.warpAffine(np.full_like(picture, 255), small, (width, height), flags=cv2.INTER_NEAREST)
    kernel = np.ones((2 * _ERODED + 1,) * 2, np.uint8)
    inside = cv2.erode(covered, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0) > 0
    if inside.mean() < _LEAST_OVERLAP:
        return 0.0
    a, b = _even(over)[inside], _even(second.picture)[inside]
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-6))


def _scale(film: Description) -> np.ndarray:
    """By how much the picture is smaller than what the keypoints were found on, across and down."""
    smaller: np.ndarray = np.array(film.picture.shape[::-1]) / np.array(film.shape[::-1])
    return smaller


def _resized(affine: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """A map (2, 3) between two pictures as one between these pictures scaled; pixels lie about their centres."""
    linear, moved = affine[:, :2].astype(np.float64), affine[:, 2].astype(np.float64)
    scaled = second[:, None] * linear / first
    middle = scaled.sum(axis=1) / 2 - second * linear.sum(axis=1) / 2
    return np.column_stack([scaled, middle + second * (moved + 0.5) - 0.5])


def _even(picture: np.ndarray) -> np.ndarray:
    """float32 (h, w): the picture with its mean taken off and its contrast made even, place by place."""
    values = picture.astype(np.float32)
    values -= cv2.GaussianBlur(values, (0, 0), _DEVIATION)
    spread = np.sqrt(cv2.GaussianBlur(values**2, (0, 0), _DEVIATION))
    return values / (spread + 2.0)
