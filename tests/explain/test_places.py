"""Places by name: the sides as a reader faces the patient, thirds of each lung, and what lies outside."""

import numpy as np
import pytest

from core.explain import places, zones
from tests.explain.spotter import lungs


def test_six_zones_share_out_the_lungs():
    found = places.lung_zones(lungs())
    assert len(found) == 6
    assert (sum(zone.astype(int) for zone in found.values()) == lungs()).all()


@pytest.mark.parametrize("level", places.LEVELS)
@pytest.mark.parametrize("side", ["right", "left"])
def test_evidence_in_one_zone_is_named(level, side):
    name = f"{level} zone of the {side} lung"
    zone = places.lung_zones(lungs())[name]
    assert (np.argwhere(zone)[:, 1].mean() < 32) == (side == "right")  # the patient faces the reader
    assert places.in_words(zone.astype(np.float32), lungs()) == f"The evidence lies 100% in the {name}."


def test_evidence_outside_is_named_by_what_is_there():
    corner = zones.zones(lungs())["corner"].astype(np.float32)
    assert places.in_words(corner, lungs()) == "The evidence lies 100% in the corners."
    assert sum(places.shares(corner + 1, lungs()).values()) == pytest.approx(1)


def test_nothing_is_said_that_is_not_there():
    blank = np.zeros((64, 64), np.float32)
    assert places.in_words(blank, lungs()) == "There is no positive evidence anywhere."
    assert "No lungs were found" in places.in_words(blank + 1, None)
    assert places.in_words(-np.ones((64, 64), np.float32), lungs()) == "There is no positive evidence anywhere."


def test_one_lung_that_is_whole_white_leaves_the_other_its_name():
    right = lungs() & (np.arange(64)[None, :] < 32)
    assert all("right" in name for name in places.lung_zones(right))


def test_evidence_spread_evenly_names_the_few_largest_places():
    told = places.in_words(np.ones((64, 64), np.float32), lungs())
    assert told.count("%") <= places.MOST
