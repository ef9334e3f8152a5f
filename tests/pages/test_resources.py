"""What visitors share is known by what made it, never by a name."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.data.phantom import CLASSES
from core.model.checkpoint import load, save
from pages.shared import corners
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


def test_every_streamlit_cache_is_in_one_module():
    using = {
        path.relative_to(REPOSITORY).as_posix()
        for path in [REPOSITORY / "dashboard.py", *(REPOSITORY / "pages").rglob("*.py")]
        if "@st.cache_" in path.read_text(encoding="utf-8")
    }
    assert using == {"pages/shared/resources/shelves.py"}
