"""Every layout, made small, and the real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli.data import describe
from core.data.cohort import COLUMNS
from core.data.layouts import KERMANY, RSNA, patient_of, read_covid_chestxray
from core.data.readers import cohorts_below, data_root, open_cohort, open_cohorts
from core.errors import CohortError

Save = Callable[..., Path]


def by_name(samples: pd.DataFrame) -> pd.DataFrame:
    return samples.set_index(samples["path"].map(lambda p: Path(p).name))


def test_radiography(tmp_path: Path, save: Save) -> None:
    for name in ("COVID/images/COVID-1.png", "Normal/images/Normal-61.png", "Normal/images/Normal-2000.png"):
        save(tmp_path / name)
    save(tmp_path / "Viral Pneumonia/images/person1000_virus_1681.png")
    save(tmp_path / "Lung_Opacity/images/00000061_012.png")
    save(tmp_path / "COVID/masks/COVID-1.png", pixels=np.tri(64, dtype=np.uint8) * 255)
    (tmp_path / "Lung_Opacity/boxes.csv").write_text(
        'file,boxes_xywh_1024\n00000061_012.png,"512,0,512,1024;0,0,10.24,10.24"\n'
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "radiography"
    assert cohort.classes == ("Normal", "COVID-19", "Viral Pneumonia", "Lung Opacity")
    rows = by_name(cohort.samples)
    assert rows.loc["person1000_virus_1681.png", "patient"] == "person1000"
    assert rows.loc["COVID-1.png", "patient"] == ""
    assert rows["source"].to_dict() == {
        "COVID-1.png": "unknown",
        "Normal-61.png": KERMANY,
        "Normal-2000.png": RSNA,
        "person1000_virus_1681.png": KERMANY,
        "00000061_012.png": "NIH ChestX-ray14",
    }
    opacity = cohort.where(cohort.samples["label"] == "Lung Opacity")
    mask = opacity.mask(0, "boxes")
    assert mask is not None
    assert mask[:, 48:].all()
    assert mask[:, 2:48].sum() == 0
    lungs = cohort.where(cohort.samples["label"] == "COVID-19").mask(0, "lungs")
    assert lungs is not None
    assert lungs.shape == (96, 96)
    assert cohort.mask(int(np.flatnonzero(cohort.samples["label"] == "Normal")[0]), "lungs") is None


def test_coronahack(tmp_path: Path, save: Save) -> None:
    rows = [
        ",X_ray_image_name,Label,Dataset_type,Label_2_Virus_category,Label_1_Virus_category",
        "0,IM-0128-0001.jpeg,Normal,TRAIN,,",
        "1,person7_bacteria_24.jpeg,Pnemonia,TEST,,bacteria",
        "2,covid.png,Pnemonia,TRAIN,COVID-19,Virus",
        "3,gone.jpeg,Normal,TRAIN,,",
        "4,lost.jpeg,Normal,TEST,,",
    ]
    (tmp_path / "Chest_xray_Corona_Metadata.csv").write_text("\n".join(rows))
    for name in ("train/IM-0128-0001.jpeg", "test/person7_bacteria_24.jpeg", "train/covid.png"):
        save(tmp_path / "Coronahack-Chest-XRay-Dataset/Coronahack-Chest-XRay-Dataset" / name)
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "coronahack"
    assert cohort.classes == ("Normal/NA", "Pnemonia/NA", "Pnemonia/COVID-19")
    assert cohort.notes == ("2 rows name a file that is missing: gone.jpeg, lost.jpeg",)
    assert list(cohort.samples["split"]) == ["train", "test", "train"]
    assert list(cohort.samples["patient"]) == ["IM-0128", "person7", ""]


def test_covid_chestxray(tmp_path: Path, save: Save) -> None:
    table = pd.DataFrame(
        [
            ("2", "65", "M", "COVID-19, ARDS", "PA", "X-ray", "a.jpg", "https://www.eurorad.org/case/1"),
            ("2", "65", "M", "COVID-19", "L", "X-ray", "b.jpg", "https://www.eurorad.org/case/1"),
            ("3", "", "", "No Finding", "AP Supine", "X-ray", "c.jpg", "https://example.org"),
            ("4", "50", "F", "COVID-19", "Axial", "CT", "d.jpg", ""),
            ("5", "50", "F", "todo", "PA", "X-ray", "e.jpg", ""),
            ("6", "50", "F", "Klebsiella", "PA", "X-ray", "f.jpg", ""),
        ],
        columns=["patientid", "age", "sex", "finding", "view", "modality", "filename", "url"],
    ).assign(folder="images")
    table.to_csv(tmp_path / "metadata.csv", index=False)
    for name in "abcde":
        save(tmp_path / f"images/{name}.jpg")
    save(tmp_path / "lung_masks/a.png", pixels=np.full((96, 96), 255, np.uint8))
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "covid-chestxray"
    rows = by_name(cohort.samples)
    assert list(rows.index) == ["a.jpg", "c.jpg"]
    assert rows.loc["a.jpg", ["label", "patient", "source", "view", "age", "sex"]].tolist() == [
        *("COVID-19", "2", "Eurorad", "PA", 65.0, "M")
    ]
    assert np.isnan(rows.loc["c.jpg", "age"])
    assert rows["lungs"].ne("").tolist() == [True, False]
    assert any("f.jpg" in note for note in cohort.notes)
    assert len(read_covid_chestxray(tmp_path, xray_only=False, frontal_only=False)) == 4


def test_montgomery_shenzhen(tmp_path: Path, save: Save) -> None:
    for stem in ("MCUCXR_0001_0", "CHNCXR_0327_1"):
        save(tmp_path / f"images/{stem}.png")
        save(tmp_path / f"masks/{stem}.png", pixels=np.eye(32, dtype=np.uint8) * 255)
    cohort = open_cohort(tmp_path)
    rows = by_name(cohort.samples)
    assert cohort.layout == "montgomery-shenzhen"
    assert rows.loc["CHNCXR_0327_1.png", ["label", "source", "patient"]].tolist() == [
        *("Tuberculosis", "Shenzhen", "CHNCXR_0327")
    ]
    assert rows.loc["MCUCXR_0001_0.png", "label"] == "Normal"
    assert cohort.mask(0, "lungs") is not None


@pytest.mark.parametrize("splits", [("",), ("train/", "val/", "test/")])
def test_folders_of_classes(tmp_path: Path, save: Save, splits: tuple[str, ...]) -> None:
    for split in splits:
        save(tmp_path / f"{split}NORMAL/IM-0001-0001.jpeg")
        save(tmp_path / f"{split}PNEUMONIA/person3_virus_1.jpeg")
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "folders"
    assert cohort.classes == ("NORMAL", "PNEUMONIA")
    expected = {""} if splits == ("",) else {"train", "validation", "test"}
    assert set(cohort.samples["split"]) == expected
    assert set(cohort.samples["patient"]) == {"IM-0001", "person3"}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_own_table(tmp_path: Path, save: Save, form: str) -> None:
    save(tmp_path / "films/a.png")
    absolute = save(tmp_path / "elsewhere/b.png")
    table = pd.DataFrame(
        {
            "path": ["films/a.png", str(absolute), "films/missing.png", "films/a.png"],
            "label": ["well", "ill", "ill", None],
            "patient": ["007", "2", "3", "4"],
            "split": ["train", "val", "test", "train"],
            "age": ["41", "?", "5", "6"],
            "ward": ["north", "south", "south", "north"],
        }
    )
    path = tmp_path / f"mine.{form}"
    table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    cohort = open_cohort(path)
    assert cohort.name == "mine"
    assert cohort.classes == ("ill", "well")
    assert list(cohort.samples["patient"]) == ["007", "2"]
    assert list(cohort.samples["split"]) == ["train", "validation"]
    assert list(cohort.samples["ward"]) == ["north", "south"]
    assert cohort.samples["age"].iat[0] == 41
    assert "missing.png" in cohort.notes[0]
    assert "without a label" in cohort.notes[1]
    assert cohort.film(1).shape == (96, 96)


def test_every_cohort_has_every_column(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "a/x.png")
    save(tmp_path / "b/y.png")
    cohort = open_cohort(tmp_path)
    assert tuple(cohort.samples.columns) == COLUMNS
    assert cohort.samples["age"].dtype == float
    assert cohort.samples[["patient", "source", "view", "sex", "split"]].eq("").all(axis=None)


def test_a_folder_in_a_folder_and_a_folder_of_cohorts(tmp_path: Path, save: Save) -> None:
    for name in ("a/x.png", "b/y.png"):
        save(tmp_path / "archive/one" / name)
    assert open_cohort(tmp_path / "archive").name == "one"
    for name in ("a/x.png", "b/y.png"):
        save(tmp_path / "archive/two" / name)
    with pytest.raises(CohortError, match="one, two"):
        open_cohort(tmp_path / "archive")
    assert [c.name for c in open_cohorts([tmp_path / "archive"])] == ["one", "two"]


def test_refusals(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "flat/x.png")
    (tmp_path / "bad.csv").write_text("file,class\na.png,x\n")
    (tmp_path / "split.csv").write_text("path,label,split\nflat/x.png,x,holdout\n")
    (tmp_path / "empty.csv").write_text("path,label\nnone.png,x\n")
    (tmp_path / "junk.parquet").write_bytes(b"no parquet")
    for name, words in {
        "nothing": "There is no",
        "flat": "not a cohort",
        "bad.csv": "no column path and no label",
        "split.csv": "holdout",
        "empty.csv": "no film",
        "junk.parquet": "not a readable table",
    }.items():
        with pytest.raises(CohortError, match=words):
            open_cohort(tmp_path / name)
    with pytest.raises(CohortError, match="phantom"):
        open_cohort("phantom:unheard-of")


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person1000_virus_1681.jpeg", "person1000"),
        ("IM-0128-0001.jpeg", "IM-0128"),
        ("IM-0001-0001-0002.jpeg", "IM-0001"),
        ("NORMAL2-IM-0501-0001.jpeg", "NORMAL2-IM-0501"),
        ("00000061_012.png", "00000061"),
        ("COVID-1009.png", ""),
        ("personal.png", ""),
    ],
)
def test_patients_in_file_names(name: str, patient: str) -> None:
    assert patient_of(name) == patient


def test_data_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_DATA", "/films")
    assert data_root() == Path("/films")
    monkeypatch.delenv("HILUM_DATA")
    assert data_root().parts[-2:] == ("shared", "data")


@pytest.mark.real
def test_real_cohorts(real_data: Path) -> None:
    cohorts = {c.layout: c for c in map(open_cohort, cohorts_below(real_data))}
    assert {name: len(c) for name, c in cohorts.items()} == {
        "radiography": 3790,
        "coronahack": 5903,
        "covid-chestxray": 520,
        "montgomery-shenzhen": 578,
    }
    assert cohorts["coronahack"].notes[0].startswith("294 rows name a file that is missing")
    assert cohorts["radiography"].counts()[""].to_dict() == {
        "Normal": 1200,
        "COVID-19": 1200,
        "Viral Pneumonia": 1326,
        "Lung Opacity": 64,
    }
    assert (cohorts["radiography"].samples["boxes"] != "").sum() == 64
    assert (cohorts["covid-chestxray"].samples["lungs"] != "").sum() == 418
    assert (cohorts["montgomery-shenzhen"].samples["lungs"] != "").all()
    for cohort in cohorts.values():
        assert cohort.film(len(cohort) // 2).pixels.std() > 5


@pytest.mark.real
def test_every_finding_of_covid_chestxray_has_its_class(real_data: Path) -> None:
    samples = open_cohort(real_data / "covid-chestxray-dataset").samples
    found = samples.groupby("label")["finding"].agg(lambda names: sorted(set(names))).to_dict()
    assert found == {
        "COVID-19": ["COVID-19", "COVID-19, ARDS"],
        "No Finding": ["No Finding"],
        "Viral Pneumonia": ["Influenza", "SARS", "Varicella"],
        "Fungal Pneumonia": ["Pneumocystis"],
        "Bacterial Pneumonia": [
            *("Bacterial", "Chlamydophila", "E.Coli", "Klebsiella", "Legionella"),
            *("Mycoplasma Bacterial Pneumonia", "Streptococcus"),
        ],
        "Other Pneumonia": ["ARDS", "Lipoid", "Pneumonia"],
    }


def test_a_cohort_is_described_by_what_is_known_of_its_films(tmp_path: Path, save: Save) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.png")
    rows = [("a.png", "x", 4, "F"), ("b.png", "x", 18, ""), ("c.png", "y", None, "F")]
    pd.DataFrame(rows, columns=["path", "label", "age", "sex"]).to_csv(tmp_path / "films.csv", index=False)
    text = describe(open_cohort(tmp_path / "films.csv"))
    assert "sex: F 2, unknown 1" in text
    assert "age: under 18 1, 18 and over 1, unknown 1" in text
    assert "view:" not in text
