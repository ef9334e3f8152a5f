"""Lines on a film."""

import numpy as np

from core.report.overlay import contour, outline

MIDDLE, OUTER = (32, 32), (32, 12)  # row, column: of the hole, on the outer border


def ring() -> np.ndarray:
    """A ring, bool (64, 64): between 10 and 20 pixels from the middle."""
    distance = np.hypot(*np.mgrid[-32:32, -32:32])
    return (distance >= 10) & (distance <= 20)


def test_the_outline_of_a_ring_has_its_hole():
    drawn = outline(np.zeros((64, 64, 3), np.uint8), ring(), (255, 255, 255), thickness=1).any(axis=2)
    assert drawn[OUTER]
    assert drawn[32, 21:24].any()
    assert not drawn[MIDDLE]
    assert not drawn[32, 14:19].any()  # within the ring nothing is drawn


def test_contour_lines_follow_each_level_around_a_hole():
    share = np.where(ring(), 0.6, 0.0).astype(np.float32)
    drawn = contour(np.zeros((64, 64, 3), np.uint8), share).any(axis=2)
    assert drawn[32, 21:24].any()
    assert not drawn[MIDDLE]
