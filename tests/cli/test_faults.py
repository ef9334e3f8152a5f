"""A full disk, a folder that may not be written to: one sentence and exit status 2, no traceback."""

import errno
import os
from pathlib import Path

import pytest

from core.cli import main


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG])
def test_what_the_system_refuses_is_said_in_a_sentence(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code), str(tmp_path / "out"))

    monkeypatch.setattr("core.data.readers.open_cohorts", refused)
    assert main(["data", "phantom"]) == 2
    said = capsys.readouterr().err
    assert os.strerror(code) in said
    assert str(tmp_path / "out") in said
    assert "Traceback" not in said
