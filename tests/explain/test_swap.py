"""What is pasted lands where it is said to land, and the lungs stay as they are."""

import cv2
import numpy as np
import pytest

from core.explain.swap import CUES, OUTSIDE, ZONE_OF, Sight

SIDE = 128


def sight(seed: int, grey: float = 90, tilt: float = 0.0, wide: float = 1.0, sharp: float = 6.0) -> Sight:
    """Noise of some strength round two oval lungs."""
    rng = np.random.default_rng(seed)
    sheet = np.zeros((SIDE, SIDE), np.uint8)
    for across in (-24, 24):
        angle = np.deg2rad(tilt)
        middle = 64 + wide * across * np.cos(angle), 60 + wide * across * np.sin(angle)
        axes = round(15 * wide * 16), 28 * 16
        cv2.ellipse(sheet, [round(v * 16) for v in middle], axes, tilt, 0, 360, 1, -1, cv2.LINE_8, 4)
    picture = np.clip(rng.normal(grey, sharp, (SIDE, SIDE)), 0, 255)
    picture[sheet > 0] = 40
    return Sight(picture.astype(np.uint8), sheet > 0)


@pytest.mark.parametrize("key", [*ZONE_OF, OUTSIDE])
def test_a_place_is_pasted_and_the_lungs_stay(key: str) -> None:
    onto, donor = sight(0, 90), sight(1, 200)
    pasted = CUES[key].paste(onto, donor)
    changed = np.abs(pasted.astype(int) - onto.picture) > 40
    assert changed.any()
    assert not (changed & onto.hull).any()
    grown = cv2.dilate(onto.places[key].astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert not (changed & ~grown).any()
    core = cv2.erode((onto.places[key] & ~donor.hull).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.array_equal(pasted[core], donor.picture[core])


def test_the_places_are_apart_and_none_touches_the_lungs() -> None:
    places = sight(0).places
    together = sum(places[key].astype(int) for key in ZONE_OF)
    assert together.max() == 1
    assert not (places[OUTSIDE] & sight(0).lungs).any()
    assert all(place.any() for place in places.values())


def test_exposure_becomes_the_donors_and_of_itself_changes_little() -> None:
    onto, donor = sight(0, 90), sight(1, 170)
    pasted = CUES["exposure"].paste(onto, donor)
    outside = ~onto.hull
    assert abs(float(pasted[outside].mean()) - 170) < 3
    same = CUES["exposure"].paste(onto, onto)
    assert np.abs(same.astype(int) - onto.picture).max() <= 2


def test_sharpness_becomes_the_donors() -> None:
    sharp, soft = sight(0, sharp=12.0), sight(1, sharp=3.0)
    for onto, donor in ((sharp, soft), (soft, sharp)):
        pasted = Sight(CUES["sharpness"].paste(onto, donor), onto.lungs)
        assert abs(pasted.fine - donor.fine) < 0.35 * donor.fine
        assert abs(pasted.fine - donor.fine) < abs(onto.fine - donor.fine)


def test_a_wire_over_the_lungs_is_handed_over_and_an_opacity_is_not() -> None:
    onto, donor = sight(0, sharp=0.0), sight(1, sharp=0.0)
    blurred = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(blurred, (44, 70), 8, 120.0, -1)
    picture = donor.picture + cv2.GaussianBlur(blurred, (0, 0), 3)
    cv2.line(picture, (30, 40), (100, 90), 200.0, 1)
    film = Sight(np.clip(picture, 0, 255).astype(np.uint8), donor.lungs)
    pasted = CUES["lines"].paste(onto, film)
    changed = pasted.astype(int) - onto.picture
    wire = np.zeros((SIDE, SIDE), np.uint8)
    cv2.line(wire, (30, 40), (100, 90), 1, 1)
    assert np.median(changed[(wire > 0) & film.lungs]) > 60
    assert np.abs(changed[~film.hull]).max() == 0
    assert changed[66:75, 40:49][wire[66:75, 40:49] == 0].max() < 30  # of 120 that the opacity is brighter
    taken = CUES["lines"].paste(film, onto).astype(int)
    assert np.median(taken[(wire > 0) & film.lungs] - onto.picture[(wire > 0) & film.lungs]) < 30
    assert taken[70, 44] - onto.picture[70, 44] > 60


def test_position_turns_and_stretches_the_film_until_the_lungs_lie_alike() -> None:
    upright, other = sight(0), sight(1, tilt=8.0, wide=1.15)
    moved = CUES["position"].paste(upright, other)
    found = Sight(moved, (moved < 60) & (cv2.GaussianBlur(moved, (0, 0), 2) < 70))
    assert abs(np.rad2deg(found.pose[1]) - 8) < 2
    assert np.abs(found.pose[0] - other.pose[0]).max() < 2
    still = CUES["position"].paste(upright, upright)
    assert np.abs(still.astype(int) - upright.picture)[8:-8, 8:-8].max() <= 2
