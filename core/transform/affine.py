"""Rotations, shifts, zooms, shears, flips and crops as 3x3 matrices.

A matrix maps a point (x, y, 1) of the picture before to the point after, in coordinates where the picture spans
[-1, 1] from edge to edge, x to the right and y downwards. Matrices of consecutive steps are multiplied, so that a chain
of them interpolates the picture once.
"""

from math import cos, radians, sin, tan

import numpy as np

Matrix = np.ndarray  # float64 (3, 3)


def rotate(angle: float) -> Matrix:
    """Anticlockwise as seen on the screen, degrees."""
    c, s = cos(radians(angle)), sin(radians(angle))
    return np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])


def shift(x: float, y: float) -> Matrix:
    """To the right and downwards, percent of the picture's side."""
    return np.array([[1, 0, x / 50], [0, 1, y / 50], [0, 0, 1.0]])


def zoom(factor: float, aspect: float) -> Matrix:
    """Larger by `factor` (above 1 = nearer); `aspect` above 1 = wider than tall, same area."""
    return np.diag([factor * aspect**0.5, factor / aspect**0.5, 1.0])


def field_of_view(x: float, y: float) -> Matrix:
    """The picture shows `x` times its width and `y` times its height: below 1 = nearer.

    Keras-Preprocessing draws both evenly from 1 - zoom_range to 1 + zoom_range (zx, zy of `apply_affine_transform`).
    """
    return np.diag([1 / x, 1 / y, 1.0])


def shear(x: float, y: float) -> Matrix:
    """Slanted by `x` degrees sideways, then by `y` degrees up and down; areas stay, as in torchvision's affine."""
    sideways, upright = tan(radians(x)), tan(radians(y))
    return np.array([[1, sideways, 0], [upright, 1 + sideways * upright, 0], [0, 0, 1.0]])


def flip(horizontal: bool) -> Matrix:
    """Left and right swapped, or up and down."""
    return np.diag([-1.0, 1, 1]) if horizontal else np.diag([1.0, -1, 1])


def crop(area: float, x: float, y: float) -> Matrix:
    """A square of `area` percent of the picture fills it; x, y = 0..100 place it from left to right, top to bottom."""
    side = (area / 100) ** 0.5
    centre = (1 - side) * (np.array([x, y]) / 50 - 1)
    return np.array([[1 / side, 0, -centre[0] / side], [0, 1 / side, -centre[1] / side], [0, 0, 1.0]])


def warp(array: np.ndarray, matrix: Matrix, nearest_edge: bool) -> np.ndarray:
    """`array` (S, S), uint8 or float32, moved by `matrix`; what comes in from outside is black or the nearest edge."""
    import cv2

    if np.array_equal(matrix, np.eye(3)):
        return array.copy()
    size = array.shape[0]
    # Pixel centres sit at whole numbers for OpenCV and at (2 i + 1) / S - 1 here.
    to_pixels = np.array([[size / 2, 0, (size - 1) / 2], [0, size / 2, (size - 1) / 2], [0, 0, 1]])
    pixels = to_pixels @ matrix @ np.linalg.inv(to_pixels)
    border = cv2.BORDER_REPLICATE if nearest_edge else cv2.BORDER_CONSTANT
    return cv2.warpAffine(array, pixels[:2], (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
