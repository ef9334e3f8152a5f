"""A real PACS for the tests: Debian's Orthanc with its DICOMweb plugin, on loopback, its port and storage its own."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"
COMMAND = shutil.which("Orthanc") or "/usr/sbin/Orthanc"  # Debian puts it where only root looks
needs_orthanc = pytest.mark.tool("Orthanc", "orthanc orthanc-dicomweb")


@dataclass
class Orthanc:
    """A running server.

    Args:
        folder: of its configuration and storage.
        port: on 127.0.0.1.
        users: names and passwords; none for a server without a login.
    """

    folder: Path
    port: int
    users: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        """Where DICOMweb begins."""
        return f"http://127.0.0.1:{self.port}/dicom-web"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "Name": "tests", "StorageDirectory": str(self.folder), "IndexDirectory": str(self.folder),
            "HttpPort": self.port, "DicomServerEnabled": False, "SyncStorageArea": False, "RemoteAccessAllowed": False,
            "AuthenticationEnabled": bool(self.users), "RegisteredUsers": self.users,
            "Plugins": [PLUGIN], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        }  # fmt: skip
        path = self.folder / "orthanc.json"
        path.write_text(json.dumps(settings))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([COMMAND, str(path)], stdout=log, stderr=log)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                self.rest("/system")
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text()[-2000:])

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def rest(self, path: str, body: bytes | None = None, method: str | None = None) -> Any:
        """Its own interface, beside DICOMweb: what an independent client sees."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, method=method)
        for name, password in self.users.items():
            request.add_header("Authorization", f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if "json" in answer.headers.get("Content-Type", "") else content

    def put(self, *films: bytes) -> None:
        """Store DICOM files, several as one archive."""
        if len(films) == 1:
            self.rest("/instances", films[0])
            return
        archive = BytesIO()
        with ZipFile(archive, "w") as file:
            for number, film in enumerate(films):
                file.writestr(f"{number}.dcm", film)
        self.rest("/instances", archive.getvalue())

    def headers(self) -> list[dict[str, Any]]:
        """The header of everything it holds."""
        return [self.rest(f"/instances/{one}/simplified-tags") for one in self.rest("/instances")]

    def empty(self) -> None:
        """Forget everything."""
        for patient in self.rest("/patients"):
            self.rest(f"/patients/{patient}", method="DELETE")


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(folder: Path, **users: str) -> Iterator[Orthanc]:
    """A server of one's own."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Orthanc(folder, free_port(), users)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def shared_orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """One server for all tests that leave it as it was."""
    with running(tmp_path_factory.mktemp("orthanc")) as server:
        yield server


@pytest.fixture
def orthanc(shared_orthanc: Orthanc) -> Orthanc:
    """An empty server."""
    shared_orthanc.empty()
    return shared_orthanc
