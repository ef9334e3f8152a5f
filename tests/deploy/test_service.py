"""deploy/hilum.service: systemd takes it, and the command that it starts answers."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.login import SECRETS

UNIT = (REPOSITORY / "deploy" / "hilum.service").read_text(encoding="utf-8")
PATIENCE = 120  # seconds


def said(key: str) -> str:
    """What the unit file gives as the value of a key."""
    return re.findall(rf"^{key}=(.*)$", UNIT, re.MULTILINE)[0]


def judged(folder: Path, text: str) -> str:
    """What systemd says of a unit file; nothing where it takes it."""
    unit = folder / "hilum.service"
    unit.write_text(text)
    told = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    return told.stderr + told.stdout


@pytest.mark.tool("systemd-analyze", "systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    python = shlex.split(said("ExecStart"))[0]
    assert python == f"{said('WorkingDirectory')}/.venv/bin/python"
    here = UNIT.replace(python, sys.executable)
    assert judged(tmp_path, here) == ""
    assert "MemoryHighest" in judged(tmp_path, here.replace("MemoryHigh=", "MemoryHighest="))
    assert "not executable" in judged(tmp_path, UNIT.replace(python, "/opt/none/python"))


@pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")
def test_the_command_that_it_starts_answers(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    secrets.chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, *shlex.split(said("ExecStart").replace("/etc/hilum/secrets.toml", str(secrets)))[1:]]
    wanted = dict(pair.split("=", 1) for pair in shlex.split(said("Environment")))
    wanted["HILUM_CACHE"] = str(tmp_path / "cache")  # where this user may write
    with subprocess.Popen([*command, "--port", str(port)], cwd=REPOSITORY, env=os.environ | wanted) as process:
        try:
            assert answer(f"http://127.0.0.1:{port}/_stcore/health", process) == "ok"
        finally:
            process.kill()


def answer(address: str, process: subprocess.Popen) -> str:
    """What the server says once it is up."""
    deadline = time.monotonic() + PATIENCE
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return direct.open(address, timeout=10).read().decode()
        except OSError:
            time.sleep(0.2)
    return f"nothing: exit status {process.poll()}"
