"""`make run TORCH=cpu`: the small torch first, the usual one where its index cannot be reached."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
PIP = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in *--index-url*) exit {status};; esac
"""


def installed(folder: Path, status: int, *options: str) -> tuple[list[str], subprocess.CompletedProcess]:
    """What pip was asked for, one line each, by a Python that only writes that down, and what make said."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(REPOSITORY / name, folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    python, log = folder / ".venv" / "bin" / "python", folder / "log"
    python.write_text(PIP.format(log=log, status=status))
    python.chmod(0o755)
    command = ["make", "-C", str(folder), ".venv/run.stamp", "PYTHON=true", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (log.read_text().splitlines() if log.is_file() else []), done


@pytest.mark.parametrize("reached", [True, False])
def test_the_cpu_build_is_asked_for_first_and_the_usual_one_stands_in(tmp_path: Path, reached: bool) -> None:
    asked, done = installed(tmp_path, 0 if reached else 1, "TORCH=cpu")
    assert done.returncode == 0, done.stderr
    _, torch, rest = asked
    assert "--index-url https://download.pytorch.org/whl/cpu torch==" in torch
    assert " torchvision==" in torch
    assert "-r requirements.txt" in rest
    said = "cannot be reached from here: torch comes from the usual index instead"
    assert any(line.startswith("https") and said in line for line in done.stdout.splitlines()) is not reached
    assert (tmp_path / ".venv" / "run.stamp").is_file()


def test_without_it_nothing_changes_and_another_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    asked, _ = installed(tmp_path / "plain", 1)
    assert not any("--index-url" in line for line in asked)
    (tmp_path / "other").mkdir()
    asked, done = installed(tmp_path / "other", 0, "TORCH=tpu")
    assert done.returncode != 0
    assert "TORCH is tpu. Expected cpu" in done.stderr
    assert not asked
