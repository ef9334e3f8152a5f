"""Where the evidence lies: every pixel in one zone, and evidence found where it was put."""

import numpy as np
import pytest

from core.explain import zones
from tests.explain.spotter import lungs


def test_zones_share_out_the_whole_picture():
    where = zones.zones(lungs())
    assert tuple(where) == zones.ZONES
    assert (sum(zone.astype(int) for zone in where.values()) == 1).all()
    assert where["mediastinum"][30, 32]
    assert where["below the diaphragm"][50, 32]
    assert where["below the diaphragm"][48, 20]
    assert where["corner"][2, 2]
    assert where["border"][32, 1]
    assert where["elsewhere"][10, 32]


@pytest.mark.parametrize("zone", zones.ZONES)
def test_evidence_in_one_zone_is_found_there(zone):
    map_ = 3 * zones.zones(lungs())[zone].astype(np.float32)
    assert zones.shares(map_, lungs())[zone] == pytest.approx(1)
