"""The dashboard as its visitors find it, without a browser, with two small untrained models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import REPOSITORY
from tests.pages.tiny import sound, tiny_checkpoint

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two small untrained models, "tiny" and "other"."""
    folder = tmp_path_factory.mktemp("weights")
    for name in ("tiny", "other"):
        tiny_checkpoint(folder / name)
    return folder


@pytest.fixture
def open_page(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Open a page by its address: a path below pages/ and what a link says."""
    monkeypatch.setenv("HILUM_WEIGHTS", str(tiny_weights))

    def run(path: str, **link: str) -> AppTest:
        if link.get("cohort"):
            monkeypatch.setenv("HILUM_COHORTS", str(link["cohort"]))  # or the page would ask before it opens it
        app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=240)
        app.query_params.update({"cohort": "phantom:fair", "model": "tiny", **link})
        app.switch_page(f"pages/{path}").run()
        return sound(app)

    return run
