"""What all tests share: where the real films are, and that CI skips nothing."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from tests.browser.server import browser  # noqa: F401 - a fixture
from tests.orthanc import orthanc, shared_orthanc  # noqa: F401 - fixtures
from tests.several import findings_recipe, several  # noqa: F401 - fixtures
from tests.squares import squares, tiny_recipe  # noqa: F401 - fixtures

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine lacks, saying so; in CI a lack is a failure."""
    chromium = shutil.which("chromium") is not None
    wanted = [
        (item.get_closest_marker("real"), data_root().is_dir(), f"no real films at {data_root()}; set HILUM_DATA"),
        (
            item.get_closest_marker("browser"),
            chromium,
            "no Chromium on the PATH; install it (apt-get install chromium)",
        ),
    ]
    for marker in item.iter_markers("tool"):
        command, package = marker.args
        remedy = f"no {command} on the PATH; install it (apt-get install {package})"
        wanted.append((marker, shutil.which(command) is not None, remedy))
    for marked, present, remedy in wanted:
        if marked and not present:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(remedy)


def data_root() -> Path:
    """Folder of the real films: HILUM_DATA, else ../shared/data beside the repository."""
    return Path(os.environ.get("HILUM_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real films; use together with ``@pytest.mark.real``."""
    return data_root()


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tiny networks gain nothing from more, and lose much when tests run side by side."""
    torch.set_num_threads(1)
