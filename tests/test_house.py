"""The house: files of a size that is read at one sitting."""

import statistics

from tests.conftest import REPOSITORY

ROOMS = ("core", "pages", "benchmarks", "tests")
LONGEST, MEDIAN = 300, 150  # lines


def lines() -> dict[str, int]:
    """Every Python file of the house -> how many lines it has."""
    files = [REPOSITORY / "dashboard.py", *(file for room in ROOMS for file in (REPOSITORY / room).rglob("*.py"))]
    return {str(file.relative_to(REPOSITORY)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}


def test_no_file_is_longer_than_300_lines_and_half_are_below_150():
    found = lines()
    assert len(found) > 300
    assert {name: length for name, length in found.items() if length > LONGEST} == {}
    assert statistics.median(length for length in found.values() if length) < MEDIAN
