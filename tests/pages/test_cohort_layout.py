"""The page says how a cohort was read and by what, and reads it otherwise where that is asked for."""

from pathlib import Path

import pytest

from core.data.readers import open_cohort, split_layout
from core.errors import CohortError
from tests.pages.tiny import small_cohort, sound


def test_a_path_may_name_its_layout(tmp_path: Path) -> None:
    spec = small_cohort(tmp_path, films=1)
    assert split_layout(f"{spec}::folders") == (spec, "folders")
    for other in (spec, f"{spec}::nothing", "phantom:fair", "C:\\films"):
        assert split_layout(other) == (other, None)
    (tmp_path / "a::folders").mkdir()
    assert split_layout(str(tmp_path / "a::folders"))[1] is None
    assert open_cohort(f"{spec}::folders").grounds == "the layout was named"
    with pytest.raises(CohortError):
        open_cohort(f"{spec}::siim")


def test_the_layout_is_chosen_in_the_sidebar(open_page, tmp_path: Path) -> None:
    spec = small_cohort(tmp_path, films=1)
    app = open_page("data/explore.py", cohort=spec)
    assert any("Read as class folders" in caption.value for caption in app.caption)
    (box,) = [box for box in app.selectbox if box.label == "Read it as"]
    sound(box.set_value("folders").run())
    assert app.session_state["cohort"] == f"{spec}::folders"
    assert any("the layout was named" in caption.value for caption in app.caption)
    (box,) = [box for box in app.selectbox if box.label == "Read it as"]
    app = box.set_value("siim").run()  # it is none: said, and the cohort stays
    assert not app.exception
    assert app.error
    assert app.session_state["cohort"] == f"{spec}::folders"
