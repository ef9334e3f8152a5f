"""The table: what it refuses, what its verbs keep."""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.cohort import Cohort, boxes_to_mask, concatenate
from core.data.joined_sources import Maker
from core.data.phantom import cohort as phantom
from core.data.table import samples
from core.errors import CohortError, FilmError


def cohort(folder: str = "/films", **changes: object) -> Cohort:
    rows = [
        {"path": f"{folder}/{name}.png", "label": label, "patient": name[0], "split": split}
        for name, label, split in (("a1", "ill", "train"), ("a2", "ill", "test"), ("b1", "well", "train"))
    ]
    return Cohort("small", samples(rows)[0].assign(**changes), ("well", "ill"))


def test_labels_counts_and_splits() -> None:
    assert cohort().labels().tolist() == [1, 1, 0]
    assert cohort().labels().dtype == np.int64
    assert cohort().counts().to_dict() == {"train": {"well": 1, "ill": 1}, "test": {"well": 0, "ill": 1}}
    assert len(cohort().split("train")) == 2
    assert len(cohort().where([True, False, False])) == 1
    assert cohort().take([2, 0]).samples["label"].tolist() == ["well", "ill"]
    assert cohort().take([2, 0]).samples.index.tolist() == [0, 1]


def test_relabel_drops_and_notes() -> None:
    fewer = cohort().relabel({"ill": "sick"}, ["healthy", "sick"])
    assert fewer.classes == ("healthy", "sick")
    assert fewer.samples["label"].tolist() == ["sick", "sick"]
    assert fewer.notes == ("left out by their label: 1 well",)


def test_refusals() -> None:
    with pytest.raises(CohortError, match="labels ill"):
        Cohort("x", cohort().samples, ("well",))
    with pytest.raises(CohortError, match="lacks patient"):
        Cohort("x", cohort().samples.drop(columns="patient"), ("well", "ill"))
    with pytest.raises(CohortError, match="holdout"):
        cohort().with_splits(["holdout"] * 3)
    with pytest.raises(CohortError, match="2 came for 3"):
        cohort().with_splits(["train", "test"])
    with pytest.raises(FilmError, match="a1"):
        cohort().film(0)


def test_fingerprint_follows_the_rows_and_not_the_place() -> None:
    here = cohort("/films").fingerprint
    assert cohort("/somewhere/else").fingerprint == here
    assert cohort().take([2, 1, 0]).fingerprint == here
    assert cohort(label=["ill", "well", "well"]).fingerprint != here
    assert len(here) == 64


def test_concatenate_keeps_classes_columns_and_notes() -> None:
    other = Cohort("other", cohort("/others", ward="north").samples, ("ill", "well"), ("a note",), layout="folders")
    both = concatenate("both", [cohort(), other])
    assert both.classes == ("well", "ill")
    assert len(both) == 6
    assert both.samples["ward"].tolist() == ["", "", "", "north", "north", "north"]
    assert both.notes == ("other: a note",)
    assert both.layout == "table + folders"
    assert concatenate("both", [other, other]).layout == "folders"
    with pytest.raises(CohortError):
        concatenate("none", [])


def test_boxes() -> None:
    mask = boxes_to_mask("1,2,3,4;-5,-5,6,6", (8, 8))
    assert mask[2:6, 1:4].all()
    assert mask[0, 0]
    assert mask.sum() == 13
    assert boxes_to_mask("0.4,0.4,100,100", (4, 4)).all()


def make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    from PIL import Image

    Image.new("L", (32, 32), 90).save(path)


def everything(path: str | Path) -> bool:
    return True


def test_missing_films_are_prepared(tmp_path: Path) -> None:
    drawn = Cohort("drawn", cohort(str(tmp_path / "new")).samples, ("well", "ill"), prepare=Maker(make, everything))
    assert drawn.film(0).pixels[0, 0] == 90
    assert pickle.loads(pickle.dumps(drawn)).film(1).shape == (32, 32)


def test_a_real_film_beside_drawn_ones_is_known_as_it_is_now(tmp_path: Path) -> None:
    """Whatever it was joined with; all films of such a cohort were taken for drawn ones, which never change."""
    real = cohort(str(tmp_path / "new"))
    for path in real.samples["path"]:
        make(Path(path))
    drawn = phantom.cohort("fair").take([0, 1])
    both = concatenate("both", [drawn, real])
    assert both.film(0).shape == (256, 256)
    assert both.film(2).shape == (32, 32)
    assert (drawn.drawn, both.drawn, real.drawn) == (True, False, False)
    assert both.stamp(0) == drawn.stamp(0) == "drawn"
    stamp, key = both.stamp(2), both.key
    assert stamp == real.stamp(0)
    Path(both.samples["path"].iat[2]).write_bytes(b"another film")
    assert both.stamp(2) != stamp
    assert both.key != key
    assert drawn.key == phantom.cohort("fair").take([0, 1]).key  # drawn or not yet


def test_what_a_drawn_cohort_is_known_by_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page asks for it at each run; to walk two thousand paths took half of its time."""
    drawn, other = phantom.cohort("fair").take([0, 1]), phantom.cohort("fair").take([0, 1])
    key = drawn.key
    monkeypatch.setattr(Cohort, "is_drawn", lambda *_: pytest.fail("it walks through its paths"))
    assert drawn.key == key
    with pytest.raises(pytest.fail.Exception):
        _ = other.key


def test_an_empty_selection_is_a_cohort() -> None:
    none = cohort().split("validation")
    assert len(none) == 0
    assert none.labels().shape == (0,)
    assert len(none.fingerprint) == 64
    assert isinstance(none.counts(), pd.DataFrame)


def test_a_draw_is_no_head_of_the_list_and_grows_with_its_number() -> None:
    rows = [{"path": f"/f/{i:03}.png", "label": "well" if i % 4 else "ill", "split": ""} for i in range(400)]
    many = Cohort("many", samples(rows)[0], ("well", "ill"))
    some, more = many.draw(50), many.draw(80)
    assert some.samples["label"].value_counts().to_dict() == {"well": 50, "ill": 50}
    assert set(some.samples["path"]) <= set(more.samples["path"])
    assert some.samples["path"].is_monotonic_increasing
    places = some.samples.loc[some.samples["label"] == "well", "path"].str[3:6].astype(int)
    assert 150 < places.mean() < 250  # the first 50 would have a mean of 33
    assert many.draw(50, seed=1).samples["path"].tolist() != some.samples["path"].tolist()
    shuffled = many.take(np.random.default_rng(0).permutation(400)).draw(50)
    assert set(shuffled.samples["path"]) == set(some.samples["path"])
    assert len(many.draw(1000)) == 400
    with pytest.raises(CohortError, match="0 films of each label"):
        many.draw(0)
