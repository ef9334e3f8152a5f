"""The layouts of the public collections, made small."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.patients import patient_of
from core.data.readers import open_cohort
from core.data.readers.covid_chestxray import read as read_covid_chestxray
from core.data.readers.radiography import KERMANY, RSNA

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
    assert rows.loc["person1000_virus_1681.png", "patient"] == "person1000_virus"
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
    assert list(cohort.samples["patient"]) == ["IM-0128", "person7_bacteria", ""]


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


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person1000_virus_1681.jpeg", "person1000_virus"),
        ("person1000_bacteria_2931.jpeg", "person1000_bacteria"),
        ("person1000.jpeg", ""),
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
