"""A file is whole or not there, whoever else writes it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.atomic import replacing, write_whole


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fill_the_disk() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="full"):
        fill_the_disk()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_text_is_written_as_it_is_and_bytes_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, "Lungentzündung\r\n")
    assert path.read_bytes() == "Lungentzündung\r\n".encode()
    write_whole(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]


def test_many_writers_of_one_file_each_leave_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def write(number: int) -> bool:
        for _ in range(50):
            with replacing(path) as temporary:
                temporary.write_text(str(number) * 2000)
            if len(set(path.read_text())) != 1:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(8)))
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
