"""What visitors share is known by what made it, never by a name."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.phantom import CLASSES
from core.data.readers import open_cohort
from core.identity import stamp
from core.model.checkpoint import load, save
from pages.shared import corners, resources
from pages.shared.resources.cohorts import WATCHED
from tests.conftest import REPOSITORY
from tests.pages.tiny import small_cohort, tiny_checkpoint


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one model, "tiny"."""
    monkeypatch.setenv("HILUM_WEIGHTS", str(tmp_path / "weights"))
    return tiny_checkpoint(tmp_path / "weights" / "tiny").parent


@pytest.fixture
def cohort(tmp_path: Path) -> str:
    """A cohort of two test films of its first class, and one more of each following one."""
    root = tmp_path / "films"
    root.mkdir()
    small_cohort(root)
    rows = [
        f"{path.relative_to(root).as_posix()},{label},test"
        for number, label in enumerate(CLASSES, start=2)
        for path in sorted((root / label).iterdir())[:number]
    ]
    (root / "films.csv").write_text("\n".join(["path,label,split", *rows]))
    return str(root / "films.csv")


def always(folder: Path, number: int) -> None:
    """Replace a checkpoint by one that calls every film the class of this number."""
    stored = load(folder)
    state = {name: value.clone() for name, value in stored.state.items()}
    bias = next(
        name for name, value in state.items() if name.endswith("bias") and len(value) == len(stored.card.classes)
    )
    state[bias][number] += 1000
    save(replace(stored, state=state), folder)


def test_a_replaced_model_is_asked_again_with_the_corners_hidden(weights, cohort):
    found = []
    for number in (0, 1):
        always(weights / "tiny", number)
        found.append(corners.accuracy(cohort, "tiny", "black"))
    assert found == [(pytest.approx(2 / 14), 14), (pytest.approx(3 / 14), 14)]


def draw(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(path)


def test_a_cohort_is_opened_anew_where_it_changed_and_else_once(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("core.data.readers.open_cohort", lambda spec: opened.append(spec) or open_cohort(spec))
    for name in ("A/0.png", "A/1.png", "B/0.png"):
        draw(tmp_path / name)
    spec = str(tmp_path)
    assert [len(resources.cohort(spec)) for _ in range(3)] == [3, 3, 3]
    assert len(opened) == 1
    draw(tmp_path / "B/ward/1.png")
    assert len(resources.cohort(spec)) == 4
    (tmp_path / "A/1.png").unlink()
    assert len(resources.cohort(spec)) == 3
    assert len(opened) == 3


def test_of_a_cohort_of_many_folders_a_few_are_looked_at_for_changes(tmp_path, monkeypatch):
    for number in range(300):
        draw(tmp_path / ("Normal", "COVID")[number % 2] / str(number) / "film.png")
    assert len(resources.cohort(str(tmp_path))) == 300
    looked = []
    monkeypatch.setattr(
        "pages.shared.resources.cohorts.identity.stamp", lambda path: looked.append(path) or stamp(path)
    )
    assert len(resources.cohort(str(tmp_path))) == 300
    assert 0 < len(looked) <= WATCHED


def test_every_streamlit_cache_is_in_one_module():
    using = {
        path.relative_to(REPOSITORY).as_posix()
        for path in [REPOSITORY / "dashboard.py", *(REPOSITORY / "pages").rglob("*.py")]
        if "@st.cache_" in path.read_text(encoding="utf-8")
    }
    assert using == {"pages/shared/resources/shelves.py"}
