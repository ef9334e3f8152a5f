"""A folder of films without labels: opened where that is asked for, and never by itself."""

from pathlib import Path

import pytest
from PIL import Image

from core.data.phantom.cohort import cohort
from core.data.readers import layout_of, open_cohort
from core.data.readers.unlabelled import NO_LABEL, holds_films
from core.errors import CohortError


def test_films_at_any_depth_under_one_class(tmp_path: Path) -> None:
    for number, place in enumerate(("a.png", "ward/b.png")):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.fromarray(cohort("fair").film(number).pixels).save(tmp_path / place)
    (tmp_path / "notes.txt").write_text("no film")
    with pytest.raises(CohortError):
        open_cohort(tmp_path)
    assert layout_of(tmp_path) is None
    found = open_cohort(f"{tmp_path}::films")
    assert found.classes == (NO_LABEL,)
    assert sorted(found.samples["film_id"]) == ["a.png", "ward/b.png"]
    assert found.film(0).shape == cohort("fair").film(0).shape
    assert holds_films(str(tmp_path))


def test_a_folder_without_films_is_refused(tmp_path: Path) -> None:
    assert not holds_films(str(tmp_path))
    assert not holds_films(str(tmp_path / "nothing"))
    with pytest.raises(CohortError, match="holds no film"):
        open_cohort(f"{tmp_path}::films")
