"""What a film looks like by its details: some 300 SIFT keypoints (Lowe 2004) that survive cropping, turning, scaling.

Mirroring and inversion need no second look at the film. A SIFT descriptor is a grid of 4 x 4 histograms of 8 gradient
directions, laid along the keypoint's own direction: inversion turns that direction round, so the grid is seen from its
other end; mirroring flips the grid's rows and the sense of the directions.
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 256  # pixels, longest side of the film that keypoints are looked for on
PICTURE = 128  # pixels, longest side of the small film that two films are compared by
MOST = 300  # keypoints per film
_CONTRAST = 0.01  # SIFT's default of 0.04 leaves 69 keypoints on a chest film
_EDGE, _OCTAVE_LAYERS, _SIGMA = 12, 3, 1.6
_OFFSET = (
    0.25  # pixels by which OpenCV's keypoints lie too far right and down; mirrored films would differ by twice that
)
_CLIP, _TILES = 4.0, (6, 6)  # of CLAHE, which makes contrast and exposure alike first
_SUBPIXELS = 128  # coordinates are kept as whole numbers of 1/128 pixel
_HEADER = struct.Struct("<6H")  # keypoints; height and width of the film at 256 and at 128 pixels; reserved

FLIPS = ("", "mirrored", "inverted", "mirrored and inverted")


@dataclass(frozen=True, eq=False)
class Description:
    """The keypoints of one film, and the film in small.

    Args:
        points: float32 (n, 2), x and y in pixels of the film at 256 pixels on its longest side; n <= 300.
        descriptors: uint8 (n, 128), RootSIFT (Arandjelovic and Zisserman 2012), length near 512.
        words: uint16 (n,), the visual word of each.
        shape: (height, width) of the film at 256 pixels.
        picture: uint8 (h, w), the film at 128 pixels on its longest side.
    """

    points: np.ndarray
    descriptors: np.ndarray
    words: np.ndarray
    shape: tuple[int, int]
    picture: np.ndarray

    def __len__(self) -> int:
        return len(self.points)

    def to_bytes(self) -> bytes:
        """About 55 kB; `from_bytes` reads them."""
        points = np.round(self.points * _SUBPIXELS).clip(0, 65535).astype("<u2")
        head = _HEADER.pack(len(self), *self.shape, *self.picture.shape, 0)
        parts = (points, self.descriptors, self.words.astype("<u2"), self.picture)
        return head + b"".join(part.tobytes() for part in parts)


def from_bytes(data: bytes) -> Description:
    """What `Description.to_bytes` wrote."""
    n, height, width, small_height, small_width, _ = _HEADER.unpack_from(data)
    at = _HEADER.size
    points = np.frombuffer(data, "<u2", n * 2, at).reshape(n, 2).astype(np.float32) / _SUBPIXELS
    descriptors = np.frombuffer(data, np.uint8, n * 128, at := at + n * 4).reshape(n, 128)
    words = np.frombuffer(data, "<u2", n, at := at + n * 128)
    picture = np.frombuffer(data, np.uint8, small_height * small_width, at + n * 2)
    return Description(points, descriptors, words, (height, width), picture.reshape(small_height, small_width))


def keypoints(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keypoints of a film uint8 (H, W): points float32 (n, 2), descriptors uint8 (n, 128), the film at 256 pixels."""
    film = shrunk(pixels, SIDE)
    even = cv2.createCLAHE(_CLIP, _TILES).apply(film)
    sift = cv2.SIFT.create(MOST, _OCTAVE_LAYERS, _CONTRAST, _EDGE, _SIGMA)
    found, raw = sift.detectAndCompute(even, None)
    if not found:
        return np.zeros((0, 2), np.float32), np.zeros((0, 128), np.uint8), film
    points = np.array([k.pt for k in found[:MOST]], np.float32) - _OFFSET
    share = raw[:MOST] / (raw[:MOST].sum(axis=1, keepdims=True) + 1e-6)
    return points, np.round(np.sqrt(share) * 512).clip(0, 255).astype(np.uint8), film


def shrunk(pixels: np.ndarray, side: int) -> np.ndarray:
    """A film uint8 (H, W) with its longest side brought to ``side`` pixels, its shape kept."""
    height, width = pixels.shape
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)


def flipped_descriptors(descriptors: np.ndarray, flip: int) -> np.ndarray:
    """Descriptors (n, 128) of the film mirrored (flip & 1), inverted (flip & 2), or both."""
    return descriptors[:, _ORDERS[flip]]


def flipped_points(points: np.ndarray, shape: tuple[int, int], flip: int) -> np.ndarray:
    """Points (n, 2) of a film of ``shape`` (H, W) after the same."""
    if not flip & 1:
        return points
    return np.stack([shape[1] - 1 - points[:, 0], points[:, 1]], axis=1)


def flipped_picture(picture: np.ndarray, flip: int) -> np.ndarray:
    """A picture uint8 (h, w) after the same."""
    picture = picture[:, ::-1] if flip & 1 else picture
    return 255 - picture if flip & 2 else picture


def _order(flip: int) -> np.ndarray:
    """Where each of the 128 numbers of a flipped descriptor stands in the original."""
    grid = np.arange(128).reshape(4, 4, 8)
    if flip & 1:
        grid = grid[::-1][:, :, -np.arange(8) % 8]
    if flip & 2:
        grid = grid[::-1, ::-1]
    return grid.ravel()


_ORDERS = tuple(_order(flip) for flip in range(len(FLIPS)))
