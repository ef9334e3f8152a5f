"""SIIM-FISABIO-RSNA's two tables and NIH's: boxes land in the stored film's pixels; what is unusable is counted."""

from pathlib import Path

import pytest
from PIL import Image

from core.data.readers import layout_of, open_cohort
from core.data.readers.nih import as_rsna_read
from core.errors import CohortError

HEAD = "id,Negative for Pneumonia,Typical Appearance,Indeterminate Appearance,Atypical Appearance\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Three films of two studies, squashed to 64 px from 100 x 200 (high x wide), and one of a study nobody read."""
    (tmp_path / "train").mkdir()
    for name in "abcd":
        Image.new("L", (64, 64), 90).save(tmp_path / "train" / f"{name}.png")
    (tmp_path / "train_study_level.csv").write_text(HEAD + "s1_study,0,1,0,0\ns2_study,1,0,0,0\ns3_study,0,0,0,0\n")
    rows = [
        "a_image,,opacity 1 20 10 120 60 opacity 1 0 0 10 10,s1",
        "b_image,,none 1 0 0 1 1,s1",
        "c_image,,none 1 0 0 1 1,s2",
        "d_image,,none 1 0 0 1 1,s3",
        "e_image,,none 1 0 0 1 1,s2",
    ]
    (tmp_path / "train_image_level.csv").write_text("id,boxes,label,StudyInstanceUID\n" + "\n".join(rows))
    (tmp_path / "meta.csv").write_text("image_id,dim0,dim1\na,100,200\n")
    return tmp_path


def test_boxes_lie_in_the_stored_films_pixels(small: Path) -> None:
    cohort = open_cohort(small)
    assert cohort.layout == "siim"
    assert cohort.samples["label"].tolist() == ["Typical Appearance"] * 2 + ["Negative for Pneumonia"]
    assert cohort.samples["boxes"].tolist() == ["6.4,6.4,32.0,32.0;0.0,0.0,3.2,6.4", "", ""]
    assert cohort.samples["patient"].tolist() == ["s1", "s1", "s2"]  # films of one study stay together
    assert cohort.notes[0] == "1 films of studies without an appearance left out"
    assert "e.dcm" in cohort.notes[1]  # named, not silently dropped


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("train_image_level.csv", "20 10 120", "20 ten 120", "opacity 1 20 ten 120"),
        ("train_image_level.csv", "10 120 60 opacity", "10 120", "opacity 1 20 10 120"),
        ("train_study_level.csv", "Typical Appearance", "Typical", "no column Typical Appearance"),
    ],
)
def test_a_damaged_table_is_refused_by_name(small: Path, file: str, old: str, new: str, told: str) -> None:
    path = small / file
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(CohortError, match=told):
        open_cohort(small)


@pytest.mark.real
def test_the_shared_films_of_siim(real_data: Path) -> None:
    cohort = open_cohort(real_data / "siim-covid19-detection")
    assert cohort.counts()[""].tolist() == [908, 1483, 541, 268]
    boxed = cohort.samples["boxes"] != ""
    assert int(boxed.sum()) == 2244
    assert not boxed[cohort.samples["label"] == "Negative for Pneumonia"].any()
    row = int(boxed.to_numpy().argmax())
    mask = cohort.mask(row, "boxes")
    assert mask is not None
    assert mask.shape == (256, 256)
    assert 0.02 < mask.mean() < 0.6


@pytest.mark.real
def test_the_shared_films_of_nih(real_data: Path) -> None:
    cohort = open_cohort(real_data / "nih-chestxray14")
    assert layout_of(real_data / "nih-chestxray14") == "nih"
    assert len(cohort) == 320
    assert cohort.samples["age"].between(1, 100).all()
    read = as_rsna_read(cohort)
    assert dict(read.samples["label"].value_counts()) == {
        "No Lung Opacity / Not Normal": 39,
        "Lung Opacity": 35,
        "Normal": 17,
    }
    boxed = read.samples["boxes"] != ""
    assert (boxed == (read.samples["label"] == "Lung Opacity")).all()
    assert float(read.samples.loc[boxed, "boxes"].iloc[0].split(",")[0]) < 224  # not in RSNA's frame of 1,024
    with pytest.raises(CohortError, match="no film that RSNA read"):
        as_rsna_read(cohort.where(cohort.samples["reading"] == ""))
