"""What is said of the battery of shortcuts: its figures, its rows, and drawings that are made once."""

from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import battery, shortcuts
from benchmarks.battery import keep, read
from core.data.phantom import draw
from core.data.phantom.cohort import cohort, prepare


def rows(kinds: str, strength: float, hunter: list[float], hypotheses: list[int]) -> list[dict[str, object]]:
    """One row of the CSV for each kind; no other score sees anything."""
    told = zip(kinds.split(), hunter, hypotheses, strict=True)
    nothing = {"seed": 0, "home": 0.6, "elsewhere": 0.3, "audit": 0.0, "trust": 0.0, "strategies": 0.0, "first": ""}
    return [nothing | {"kind": k, "strength": strength, "hunter": h, "hypotheses": n} for k, h, n in told]


def test_the_area_is_the_chance_that_a_planted_network_scores_higher() -> None:
    value, low, high = shortcuts.auroc(np.array([0.9, 0.2, 0.0]), np.array([0.0, 0.1]))
    assert value == pytest.approx((2 + 2 + 0.5) / 6)  # a tie counts half
    assert low < value < high
    value, low, high = shortcuts.auroc(np.array([0.9, 0.8]), np.array([0.0, 0.1]))
    assert value == high == 1
    assert low < 0.6  # two against two are no proof


def test_unseen_kinds_and_false_alarms_are_told() -> None:
    planted = rows("wire tilt device", 1.0, [0.0, 0.3, 0.05], [0, 1, 0])
    clean = rows("wire tilt device", 0.0, [0.0, 0.0, 0.04], [0, 0, 0])
    told = shortcuts.summary(pd.DataFrame(planted + clean)).splitlines()
    of_hunter = next(line for line in told if " hunter " in line)
    assert "AUROC 0.778" in of_hunter
    assert "above 0.040: 2 of 3" in of_hunter
    assert of_hunter.endswith("unseen: wire")
    assert next(line for line in told if " audit " in line).endswith("0 of 3 [0.00, 0.73]  unseen: wire, tilt, device")
    assert "strength 1  with a hypothesis: 1 of 3; without: wire, device" in told
    assert "clean networks above the limit of hunter: 0 of 3 [0.00, 0.73]" in told  # three clean ones tell little


def test_without_clean_networks_nothing_is_compared() -> None:
    told = shortcuts.summary(pd.DataFrame(rows("wire tilt", 1.0, [0.5, 0.0], [1, 0])))
    assert "AUROC" not in told
    assert "with a hypothesis: 1 of 2; without: tilt" in told


def test_a_score_that_a_row_lacks_is_left_out() -> None:
    table = pd.DataFrame(rows("wire tilt", 1.0, [0.5, 0.4], [1, 1]) + rows("wire", 0.0, [0.0], [0]))
    told = shortcuts.summary(table.assign(trust=[0.6, "", 0.2]))
    assert "trust       AUROC 1.000" in told
    assert "above 0.200: 1 of 1" in told
    assert "above 0.000: 2 of 2" in told


def test_rows_of_other_scores_are_refused(tmp_path: Path) -> None:
    file, some = tmp_path / "runs" / "rows.csv", rows("wire", 1.0, [0.5], [1])
    assert read(file, shortcuts.COLUMNS) == []
    keep(file, some)
    assert read(file, shortcuts.COLUMNS) == some
    keep(file, [{key: value for key, value in some[0].items() if key != "trust"}])
    with pytest.raises(SystemExit, match="has no trust: name another file"):
        read(file, shortcuts.COLUMNS)


def test_cohorts_of_two_strengths_share_their_drawings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    memory = lru_cache(draw)
    for strength in (1.0, 0.75):
        planned = cohort("wire", 16, 3, strength, 64)
        for path in planned.samples["path"]:
            partial(prepare, drawer=memory)(Path(path))
        kept = [Path(path).read_bytes() for path in planned.samples["path"]]
        for path in planned.samples["path"]:
            Path(path).unlink()
            prepare(Path(path))
        assert [Path(path).read_bytes() for path in planned.samples["path"]] == kept
    assert memory.cache_info().currsize == 16  # wires are laid over what is drawn


def test_networks_of_two_strengths_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clean network was the one of strength 1, found again: rows of both say the same of other films."""
    monkeypatch.setattr(battery, "KEPT", tmp_path)
    states = [battery.trained("border-width", strength, 0, 8, epochs=1).model for strength in (1.0, 0.0, 1.0)]
    assert len(list(tmp_path.iterdir())) == 2
    first, clean, again = (model.checkpoint.weights for model in states)
    assert clean != first == again
