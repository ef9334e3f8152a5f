"""Public collections with several findings of a film, each by its own heads: what is unknown stays unknown."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.readers import open_cohort
from core.errors import CohortError

CHEXPERT = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,"
    "Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices\n"
)
SMALL = "CheXpert-v1.0-small"
PADCHEST = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,ViewPosition_DICOM,Projection,"
    "MethodProjection,Pediatric,Modality_DICOM,ReportID,Report,MethodLabel,Labels,Localizations\n"
)
MIMIC = (
    "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,Fracture,Lung Lesion,"
    "Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,Pneumothorax,Support Devices\n"
)


def film(path: Path, size: tuple[int, int] = (64, 32)) -> Path:
    """Width and height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, 90).save(path)
    return path


def known(cohort, finding: str) -> list[float | None]:
    values = cohort.samples[f"finding: {finding}"].tolist()
    return [None if np.isnan(value) else value for value in values]


@pytest.fixture
def chexpert(tmp_path: Path) -> Path:
    root = tmp_path / SMALL
    for place in ("train/patient00001/study1/view1_frontal", "train/patient00001/study1/view2_lateral",
                  "train/patient00002/study1/view1_frontal", "valid/patient64541/study1/view1_frontal"):  # fmt: skip
        film(root / f"{place}.jpg")
    (root / "train.csv").write_text(
        CHEXPERT
        + f"{SMALL}/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n"
        + f"{SMALL}/train/patient00001/study1/view2_lateral.jpg,Female,68,Lateral,,1.0,,,,,,,,,0.0,,,,1.0\n"
        + f"{SMALL}/train/patient00002/study1/view1_frontal.jpg,Male,0,Frontal,PA,,,1.0,,,-1.0,,,,,1.0,,,\n"
    )
    (root / "valid.csv").write_text(
        CHEXPERT
        + "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,"
        + "0.0,1.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    )
    return root


def test_chexpert(chexpert: Path) -> None:
    cohort = open_cohort(chexpert)
    assert cohort.layout == "chexpert"
    assert "train.csv, valid.csv" in cohort.grounds
    samples = cohort.samples
    assert samples["label"].tolist() == ["Support Devices"] * 2 + [
        "Cardiomegaly|Pleural Effusion", "Enlarged Cardiomediastinum|Lung Opacity"
    ]  # fmt: skip
    assert samples["patient"].tolist() == ["patient00001", "patient00001", "patient00002", "patient64541"]
    assert samples["view"].tolist() == ["AP", "lateral", "PA", "AP"]
    assert samples["split"].tolist() == ["train", "train", "train", "validation"]
    assert np.isnan(samples["age"].iat[2])  # 0 is nobody's age there
    assert known(cohort, "Edema") == [0, 0, None, 0]  # absent by "No Finding", uncertain, said
    assert known(cohort, "Pleural Effusion") == [0, 0, 1, 0]
    assert known(cohort, "Consolidation") == [0, 0, None, 0]  # not mentioned is not absent
    assert known(cohort, "Support Devices") == [1, 1, None, 0]


def coded(mask: np.ndarray) -> dict:
    """As COCO's own tools write it."""
    from pycocotools.mask import encode

    found = encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


@pytest.mark.parametrize("folder", ["val", "valid"])
def test_outlines_of_chexlocalize(tmp_path: Path, folder: str) -> None:
    """Its images lie in val/ where its table says valid/; an outline comes in the frame of the film as it lies."""
    film(tmp_path / f"CheXpert/{folder}/patient64541/study1/view1_frontal.jpg", (60, 40))
    (tmp_path / "CheXpert/val_labels.csv").write_text(
        CHEXPERT + "CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,0,,,,,1,,,,,,,,1\n"
    )
    edema, device = np.zeros((80, 120), bool), np.zeros((80, 120), bool)
    edema[20:40, 60:100], device[:10] = True, True
    outlined = {"Edema": coded(edema), "Support Devices": coded(device), "Mass": coded(np.zeros((80, 120)))}
    (tmp_path / "CheXlocalize").mkdir()
    (tmp_path / "CheXlocalize/gt_segmentations_val.json").write_text(
        json.dumps({"patient64541_study1_view1_frontal": outlined})
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "chexpert"
    found = cohort.mask(0, "outlines")
    assert found is not None
    expected = np.zeros((40, 60), bool)
    expected[10:20, 30:50] = True
    assert (found == expected).all()


def test_masks_decode_as_coco_does() -> None:
    from core.data import outlines

    for seed in range(20):
        rng = np.random.default_rng(seed)
        high, wide = (int(side) for side in rng.integers(1, 200, 2))
        mask = rng.random((high, wide)) < rng.choice([0.0, 0.02, 0.5, 1.0])
        assert (outlines.decode(coded(mask)) == mask).all()


@pytest.mark.parametrize(
    "broken",
    [
        {"size": [4, 4], "counts": "zzzz"},
        {"size": [10**6, 10**6], "counts": "0"},
        {"size": [4, 4], "counts": ""},
        {"size": [4], "counts": "@"},
        {"counts": "@"},
        [],
    ],
)
def test_a_broken_outline_is_refused(broken) -> None:
    from core.data import outlines

    with pytest.raises(CohortError, match="cannot be decoded"):
        outlines.decode(broken)


def test_rsna(tmp_path: Path) -> None:
    film(tmp_path / "stage_2_train_images/p1.png", (256, 512))
    film(tmp_path / "stage_2_train_images/p2.png")
    film(tmp_path / "stage_2_train_images/p3.png")
    (tmp_path / "stage_2_train_labels.csv").write_text(
        "patientId,x,y,width,height,Target\np1,264.0,152.0,213.0,379.0,1\np1,562,152,256,453,1\np2,,,,,0\np3,,,,,0\n"
    )
    (tmp_path / "stage_2_detailed_class_info.csv").write_text(
        "patientId,class\np1,Lung Opacity\np1,Lung Opacity\np2,No Lung Opacity / Not Normal\np3,Normal\n"
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "rsna"
    assert cohort.samples["label"].tolist() == ["Lung Opacity", "No Lung Opacity / Not Normal", "Normal"]
    assert cohort.classes == ("Normal", "No Lung Opacity / Not Normal", "Lung Opacity")
    assert known(cohort, "Lung Opacity") == [1, 0, 0]
    assert cohort.samples["boxes"].tolist() == ["66.0,76.0,53.2,189.5;140.5,76.0,64.0,226.5", "", ""]


def test_vindr_by_physionets_tables(tmp_path: Path) -> None:
    for name in ("train/a", "train/b", "test/c"):
        film(tmp_path / f"{name}.png")
    (tmp_path / "annotations").mkdir()
    head = "Aortic enlargement,Cardiomegaly,Nodule/Mass,Pulmonary fibrosis,Other diseases,No finding\n"
    rows = ["a,R1,1,1,0,0,0,0", "a,R2,1,0,0,0,0,0", "a,R3,1,0,0,0,0,0", *(f"b,R{n},0,0,0,0,0,1" for n in (1, 2, 3))]
    (tmp_path / "annotations/image_labels_train.csv").write_text("image_id,rad_id," + head + "\n".join(rows) + "\n")
    (tmp_path / "annotations/image_labels_test.csv").write_text(
        "image_id," + head.replace("diseases", "disease") + "c,0,1,0,0,0,0\n"
    )
    (tmp_path / "annotations/annotations_train.csv").write_text(
        "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"
        "a,R1,Aortic enlargement,10,4,30,14\na,R2,Aortic enlargement,11,5,31,15\nb,R1,No finding,,,,\n"
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "vindr"
    assert cohort.samples["label"].tolist() == ["Cardiomegaly", "Aortic enlargement", "No Finding"]
    assert cohort.samples["split"].tolist() == ["test", "train", "train"]
    assert cohort.samples["readers"].tolist() == ["1", "3", "3"]
    assert known(cohort, "Cardiomegaly") == [1, None, 0]  # one of three readers: nobody knows
    assert known(cohort, "Other disease") == [0, 0, 0]  # one finding under two heads
    assert cohort.samples["boxes"].tolist() == ["", "10.0,4.0,20.0,10.0;11.0,5.0,20.0,10.0", ""]


def test_vindr_by_kaggles_table(tmp_path: Path) -> None:
    for name in ("a", "b"):
        film(tmp_path / f"train/{name}.png", (64, 32))
    (tmp_path / "train.csv").write_text(
        "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max\n"
        "a,Cardiomegaly,3,R8,100,40,300,140\na,Cardiomegaly,3,R9,100,40,300,140\na,Nodule/Mass,8,R10,0,0,10,10\n"
        "b,No finding,14,R1,,,,\nb,No finding,14,R2,,,,\nb,No finding,14,R3,,,,\n"
    )
    (tmp_path / "train_meta.csv").write_text("image_id,dim0,dim1\na,320,640\nb,320,640\n")
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "vindr"
    assert cohort.samples["label"].tolist() == ["Cardiomegaly", "No Finding"]
    assert known(cohort, "Nodule/Mass") == [None, 0]
    assert cohort.samples["boxes"].iat[0] == "10.0,4.0,20.0,10.0;10.0,4.0,20.0,10.0;0.0,0.0,1.0,1.0"


def test_padchest(tmp_path: Path) -> None:
    for name in "abcdef":
        film(tmp_path / f"0/{name}.png")
    rows = [
        ("a", "PA", "['pleural effusion', ' cardiomegaly', 'pleural effusion']"),
        ("b", "L", "['normal']"),
        ("c", "AP_horizontal", "['unchanged']"),
        ("d", "COSTAL", "['rib fracture']"),
        ("e", "PA", "['exclude']"),
        ("f", "PA", "__import__('os').system('true')"),
    ]
    (tmp_path / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv").write_text(
        PADCHEST
        + "".join(
            f'{n},{name}.png,0,20140915,s{n},p{n},1930.0,M,POSTEROANTERIOR,{view},Manual,No,CR,1,x,Physician,"{labels}",[]\n'
            for n, (name, view, labels) in enumerate(rows)
        )
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "padchest"
    assert cohort.samples["label"].tolist() == ["pleural effusion|cardiomegaly", "No Finding", "Unknown", "Unknown"]
    assert cohort.samples["view"].tolist() == ["PA", "lateral", "AP Supine", "PA"]
    assert cohort.samples["age"].tolist() == [84] * 4
    assert known(cohort, "cardiomegaly") == [1, 0, None, None]
    assert any(note.startswith("2 films of other views") for note in cohort.notes)


@pytest.mark.parametrize("end", [".csv", ".csv.gz"])
def test_mimic(tmp_path: Path, end: str) -> None:
    import gzip

    def write(name: str, text: str) -> None:
        data = text.encode()
        (tmp_path / f"mimic-cxr-2.0.0-{name}{end}").write_bytes(gzip.compress(data) if end.endswith("gz") else data)

    film(tmp_path / "files/p10/p10000032/s50414267/02aa.jpg")
    film(tmp_path / "files/p10/p10000032/s50414267/174f.jpg")
    film(tmp_path / "files/p10/p10000764/s57375967/096a.jpg")
    write("chexpert", MIMIC + "10000032,50414267,,,,,,,,,1.0,,,,,\n10000764,57375967,,,1.0,,,,,,,,,-1.0,0.0,\n")
    write(
        "metadata",
        "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,StudyDate,StudyTime\n"
        "02aa,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531\n"
        "174f,10000032,50414267,CHEST (PA AND LAT),LATERAL,3056,2544,21800506,213014.531\n"
        "096a,10000764,57375967,CHEST (PORTABLE AP),AP,3056,2544,21800506,213014.531\n"
        "none,10000999,1,CHEST (PORTABLE AP),AP,3056,2544,21800506,213014.531\n",
    )
    write(
        "split",
        "dicom_id,study_id,subject_id,split\n02aa,50414267,10000032,train\n174f,50414267,10000032,train\n"
        "096a,57375967,10000764,validate\n",
    )
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "mimic"
    assert cohort.samples["label"].tolist() == ["No Finding", "No Finding", "Consolidation"]
    assert cohort.samples["split"].tolist() == ["train", "train", "validation"]
    assert cohort.samples["view"].tolist() == ["PA", "lateral", "AP"]
    assert known(cohort, "Pneumonia") == [0, 0, None]
    assert known(cohort, "Pneumothorax") == [0, 0, 0]
    assert known(cohort, "Edema") == [0, 0, None]
    assert cohort.notes[0] == "1 film of studies without labels left out"


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    for name in "abcd":
        film(tmp_path / f"{name}.png")
    (tmp_path / "mine.csv").write_text("path,findings\na.png,Effusion|Edema\nb.png,No Finding\nc.png,\nd.png,Edema\n")
    cohort = open_cohort(tmp_path / "mine.csv")
    assert cohort.findings == ("Edema", "Effusion")
    assert known(cohort, "Edema") == [1, 0, 1]
    assert known(cohort, "Effusion") == [1, 0, 0]
    assert "1 row without a label left out: c.png" in cohort.notes
    (tmp_path / "mine.csv").write_text(
        "path,Effusion,Edema,age\na.png,1,0,40\nb.png,0,0,50\nc.png,,1,60\nd.png,maybe,0,70\n"
    )
    cohort = open_cohort(tmp_path / "mine.csv")  # a column with other words is not a finding
    assert cohort.findings == ("Edema",)
    (tmp_path / "mine.csv").write_text("path,label,icu\na.png,ill,1\nb.png,well,0\n")
    assert open_cohort(tmp_path / "mine.csv").findings == ()  # beside labels a column of 1 and 0 may be anything


def test_what_is_known_of_a_models_findings(tmp_path: Path) -> None:
    """The particular speaks for the general, never against it; a label says what is there, "Normal" that nothing is."""
    for name in "abc":
        film(tmp_path / f"{name}.png")
    (tmp_path / "mine.csv").write_text("path,Viral Pneumonia,Effusion\na.png,1,0\nb.png,0,1\nc.png,,\n")
    cohort = open_cohort(tmp_path / "mine.csv").with_findings({}, ("Pneumonia", "Pleural Effusion", "Mass"))
    assert known(cohort, "Pneumonia") == [1, None]
    assert known(cohort, "Pleural Effusion") == [0, 1]
    assert known(cohort, "Mass") == [None, None]
    assert any("1 films" in note for note in cohort.notes)
    (tmp_path / "mine.csv").write_text("path,label\na.png,Normal\nb.png,Viral Pneumonia\nc.png,COVID-19\n")
    cohort = open_cohort(tmp_path / "mine.csv").with_findings({}, ("Pneumonia", "No Finding"))
    assert known(cohort, "Pneumonia") == [0, 1, None]
    assert known(cohort, "No Finding") == [1, 0, 0]


@pytest.mark.real
def test_the_shared_films_of_nih_and_siim(real_data: Path) -> None:
    nih = open_cohort(real_data / "nih-chestxray14")
    assert len(nih.findings) == 14
    several = (nih.samples[[f"finding: {name}" for name in nih.findings]].to_numpy() == 1).sum(axis=1) > 1
    assert several.sum() == nih.samples["label"].str.contains("|", regex=False).sum() == 109
    siim = open_cohort(real_data / "siim-covid19-detection")
    values = np.array([-1 if v is None else v for v in known(siim, "Lung Opacity")])
    assert [(values == v).sum() for v in (1, 0)] == [2244, 908]
