"""Cohorts as people really have them: what is left out is counted by reason and named."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.readers import layout_of, open_cohort, renamed
from core.data.readers.files import LeftOut, walk
from core.errors import CohortError
from core.model.bulk.files import find_files
from tests.data.conftest import draw

Save = Callable[..., Path]


def said(cohort: object) -> str:
    return " ".join(cohort.notes)  # type: ignore[attr-defined]


def as_dicom(path: Path, seed: int) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    d.Rows, d.Columns, d.SamplesPerPixel, d.PixelRepresentation, d.Modality = 96, 96, 1, 0, "CR"
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PhotometricInterpretation = 8, 8, 7, "MONOCHROME2"
    d.PixelData = draw(seed).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    d.save_as(path, enforce_file_format=True)


def test_content_decides_in_class_folders(tmp_path: Path, save: Save) -> None:
    for number in range(3):
        save(tmp_path / f"Normal/{number}.png", seed=number)
        as_dicom(tmp_path / f"Pneumonia/{number}.dicom", 10 + number)
        as_dicom(tmp_path / f"COVID/1.2.840.{number}", 20 + number)
    (tmp_path / "COVID/README").write_text("what the CD holds")
    (tmp_path / "COVID/x.dcm").mkdir()
    cohort = open_cohort(tmp_path)
    assert cohort.samples["label"].value_counts().to_dict() == {"Normal": 3, "Pneumonia": 3, "COVID": 3}
    assert "1 file left out (a text file): COVID/README" in cohort.notes
    assert cohort.film(3).shape == (96, 96)
    assert len(find_files([str(tmp_path)])) == 9  # one rule


def test_predict_follows_links_once_and_names_what_it_leaves(tmp_path: Path, save: Save) -> None:
    film = save(tmp_path / "film.png").read_bytes()
    (tmp_path / "films").mkdir()
    for name in ("a.PNG", "c.jfif", "1.2.826.0.1"):
        (tmp_path / "films" / name).write_bytes(film)
    (tmp_path / "films/LICENSE").write_text("words")
    (tmp_path / "films/empty").touch()
    save(tmp_path / "elsewhere/d.png")
    os.symlink(tmp_path / "elsewhere", tmp_path / "films/linked")
    os.symlink(tmp_path / "films", tmp_path / "films/again")
    left_out = LeftOut()
    found = find_files([str(tmp_path / "films")], left_out)
    assert sorted(Path(path).name for path in found) == ["1.2.826.0.1", "a.PNG", "c.jfif", "d.png"]
    assert set(left_out.notes()) == {
        "1 file left out (a text file): LICENSE",
        "1 file left out (empty): empty",
    }
    assert left_out.count == 2


def test_predict_takes_a_table(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("path,label\na.png,x\na.png,x\ngone.png,x\n")
    left_out = LeftOut()
    assert [Path(path).name for path in find_files([str(tmp_path / "t.csv")], left_out)] == ["a.png"]
    assert "gone.png" in " ".join(left_out.notes())


def test_subfolders_loose_films_masks_and_unknown_splits_are_told(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "train/Normal/a.png", 1)
    save(tmp_path / "train/Normal/ward 3/b.png", 2)
    save(tmp_path / "train/COVID/images/c.png", 3)
    save(tmp_path / "train/COVID/masks/c.png", pixels=np.eye(96, dtype=np.uint8) * 255)
    save(tmp_path / "train/loose.png", 4)
    save(tmp_path / "holdout/Normal/d.png", 5)
    save(tmp_path / "e.png", 6)
    (tmp_path / "train/.DS_Store").write_bytes(b"x")
    cohort = open_cohort(tmp_path)
    assert cohort.samples["film_id"].tolist() == [
        "train/COVID/images/c.png",
        "train/Normal/a.png",
        "train/Normal/ward 3/b.png",
    ]
    assert cohort.mask(0, "lungs") is not None
    for note in (
        "2 files left out (in no class folder): train/loose.png, e.png",
        "1 file left out (in a folder that is neither train, validation nor test): holdout",
        "1 file left out (masks): train/COVID/masks",
        "1 file left out (hidden): .DS_Store",
    ):
        assert note in cohort.notes
    films = 3 + 3  # in the cohort, and without a label: predict takes all of them
    assert len(list(walk(tmp_path, LeftOut()))) == films


def test_an_own_metadata_csv_is_no_collection(tmp_path: Path, save: Save) -> None:
    for label in ("Normal", "Pneumonia"):
        save(tmp_path / label / "a.png")
    (tmp_path / "metadata.csv").write_text("image,age\na.png,33\n")
    (tmp_path / "Corona_metadata.csv").write_text("image,age\na.png,33\n")
    assert layout_of(tmp_path) == "folders"
    assert len(open_cohort(tmp_path)) == 2
    with pytest.raises(CohortError, match="no column patientid"):
        open_cohort(tmp_path, "covid-chestxray")
    with pytest.raises(CohortError, match="no layout"):
        open_cohort(tmp_path, "unheard-of")


def test_running_numbers_in_folders_like_kaggles_claim_nothing(tmp_path: Path, save: Save) -> None:
    for label in ("COVID", "Normal", "Viral Pneumonia"):
        for number in range(60, 64):
            save(tmp_path / label / "images" / f"{label}-{number}.png", seed=number)
    cohort = open_cohort(tmp_path)
    assert cohort.layout == "folders"
    assert cohort.samples["source"].eq("").all()
    assert "0 of its six marks" in said(cohort)
    claimed = open_cohort(tmp_path, "radiography")
    assert claimed.layout == "radiography"
    assert claimed.samples["source"].ne("").all()
    assert claimed.grounds == "the layout was named"


def test_a_reader_that_stumbles_says_so(tmp_path: Path, save: Save) -> None:
    for label in ("COVID", "Normal", "Viral Pneumonia", "Lung_Opacity"):
        save(tmp_path / label / "images" / "person1_virus_1.png")
    save(tmp_path / "COVID/masks/person1_virus_1.png")
    (tmp_path / "COVID/boxes.csv").write_text("other,heads\n1,2\n")
    with pytest.raises(CohortError, match="cannot be read as COVID-19 Radiography Database"):
        open_cohort(tmp_path)


@pytest.mark.parametrize("word", ["None", "NA", "null", "N/A", "nan", "0"])
def test_labels_are_words(tmp_path: Path, save: Save, word: str) -> None:
    rows = [f"{i}.png,{'1' if i % 2 else word}" for i in range(4)]
    for i in range(4):
        save(tmp_path / f"{i}.png", i)
    (tmp_path / "t.csv").write_text("\n".join(["path,label", *rows, "0.png,"]) + "\n")
    cohort = open_cohort(tmp_path / "t.csv")
    assert set(cohort.classes) == {word, "1"}
    assert cohort.samples["label"].value_counts().to_dict() == {word: 2, "1": 2}
    assert "1 row without a label" in said(cohort)
    [named] = renamed([cohort], {"1": "COVID-19", word: "Normal"})
    assert set(named.classes) == {"COVID-19", "Normal"}
    with pytest.raises(CohortError, match="No film is labelled 7"):
        renamed([cohort], {"7": "x"})


def test_numeric_columns_with_blanks_are_words(tmp_path: Path, save: Save) -> None:
    for i in range(4):
        save(tmp_path / f"{i}.png", i)
    table = pd.DataFrame(
        {
            "path": [f"{i}.png" for i in range(4)],
            "label": [0, 1, 0, 1],
            "patient": [1, 1, 2, None],
            "source": [3, 3, 4, None],
            "sex": ["male", "F", None, "Female"],
            "ward": [1, 2, 1, None],
            "dose": [0.1, 0.25, None, 3.5],
        }
    )
    table.to_parquet(tmp_path / "t.parquet")
    table.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.parquet", "t.csv"):
        samples = open_cohort(tmp_path / name).samples
        assert samples["patient"].tolist() == (
            ["1", "1", "2", ""] if name == "t.parquet" else ["1.0", "1.0", "2.0", ""]
        )
        assert samples["sex"].tolist() == ["M", "F", "", "F"]
        assert samples["label"].tolist() == ["0", "1", "0", "1"]
        assert samples["dose"].dtype == float
        assert not pd.api.types.is_numeric_dtype(samples["ward"])


def test_ages(tmp_path: Path, save: Save) -> None:
    ages = ("058Y", "006M", "044", "413", "44,5", "", "young")
    for i, _ in enumerate(ages):
        save(tmp_path / f"{i}.png", i)
    rows = [f'{i}.png,x,"{age}"' for i, age in enumerate(ages)]
    (tmp_path / "t.csv").write_text("\n".join(["path,label,age", *rows]))
    cohort = open_cohort(tmp_path / "t.csv")
    found = cohort.samples["age"].to_numpy()
    assert np.allclose(found, [58, 0.5, 44, np.nan, 44.5, np.nan, np.nan], equal_nan=True)
    assert '2 ages not understood: "413", "young"' in cohort.notes


@pytest.mark.parametrize(
    ("separator", "encoding", "site"),
    [
        (";", "cp1252", "Universitätsklinikum Köln"),
        (";", "cp1252", "Hôpital privé, Besançon"),
        (",", "shift_jis", "東京大学病院"),
        ("\t", "utf-16", "東京"),
        (",", "utf-8-sig", "Köln"),
    ],
)
def test_tables_as_excel_writes_them(tmp_path: Path, save: Save, separator: str, encoding: str, site: str) -> None:
    save(tmp_path / "a.png")
    lines = [separator.join(row) for row in (("Path", "label", "source"), ("a.png", "x", f'"{site}"'))]
    (tmp_path / "t.csv").write_bytes("\r\n".join(lines).encode(encoding))
    assert open_cohort(tmp_path / "t.csv").samples["source"].tolist() == [site]


def test_rows_of_one_film(tmp_path: Path, save: Save) -> None:
    rows = ["path,label,boxes,patient"]
    for i in range(4):
        save(tmp_path / f"{i}.png", i)
        rows += [f'{i}.png,{"NP"[i % 2]},"{n},1,5,5;",p{i}' for n in range(3)]
    rows += ["0.png,P,,p0", '1.png,P,"a,b,c,d",q']
    (tmp_path / "t.csv").write_text("\n".join(rows))
    cohort = open_cohort(tmp_path / "t.csv")
    assert len(cohort) == 4
    assert cohort.samples["label"].tolist() == ["N", "P", "N", "P"]
    assert cohort.samples["boxes"][0] == "0,1,5,5;1,1,5,5;2,1,5,5"
    assert "1 film under two labels, of which the first counts: 0.png (N first, then P)" in cohort.notes
    assert "1 film with several values of patient, of which the first counts: 1.png" in cohort.notes
    assert '1 box left out, not x,y,w,h: "a,b,c,d" of 1.png' in cohort.notes
    assert "10 repeated rows of 4 films joined: a film counts once" in cohort.notes


def test_masks_however_they_are_stored(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "f.png")
    mask = np.zeros((96, 96), np.uint8)
    mask[40:80, 40:80] = 1
    palette = Image.fromarray(mask).convert("P")
    palette.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
    kinds = {
        "l255": Image.fromarray(mask * 255),
        "l01": Image.fromarray(mask),
        "left2": Image.fromarray(mask + np.pad(mask[:, 60:], ((0, 0), (60, 0)))),
        "palette": palette,
        "alpha": Image.fromarray(np.dstack([mask * 0] * 3 + [mask * 255])),
        "deep": Image.fromarray(mask.astype(np.uint16) * 65535),
        "bits": Image.fromarray(mask * 255).convert("1"),
        "blank": Image.fromarray(mask * 0),
    }
    for name, picture in kinds.items():
        picture.save(tmp_path / f"{name}.png")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    names = [*kinds, "damaged", "gone"]
    rows = [f"f.png,x,{name}.png" for name in names]
    (tmp_path / "t.csv").write_text("\n".join(["path,label,truth", *rows]))
    cohort = open_cohort(tmp_path / "t.csv")
    masks = [cohort.mask(i, "truth") for i in range(len(cohort))]
    counts = [None if m is None else int(m.sum()) for m in masks]
    assert counts == [1600] * 7 + [0, None, None]
    assert "1 film shown without the truth mask that is missing: gone.png" in cohort.notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_and_masks_turn_with_their_film(tmp_path: Path, orientation: int) -> None:
    film = np.full((200, 300), 60, np.uint8)
    film[20:60, 30:110] = 240
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(film).save(tmp_path / "f.png", exif=exif)
    Image.fromarray(np.uint8(255 * (film > 200))).save(tmp_path / "mask.png")
    Image.fromarray(np.uint8(255 * (film > 200))).save(tmp_path / "tagged.png", exif=exif)
    rows = ['f.png,x,"30,20,80,40",mask.png,tagged.png']
    (tmp_path / "t.csv").write_text("\n".join(["path,label,boxes,truth,lungs", *rows]))
    cohort = open_cohort(tmp_path / "t.csv")
    bright = cohort.film(0).pixels > 200
    for column in ("boxes", "truth", "lungs"):
        assert np.array_equal(cohort.mask(0, column), bright), column


def test_a_folder_with_a_table_only_says_so(tmp_path: Path, save: Save) -> None:
    save(tmp_path / "x/a.png")
    shutil.copy(save(tmp_path / "b.png"), tmp_path / "x/b.png")
    (tmp_path / "x/labels.csv").write_text("path,label\na.png,x\n")
    with pytest.raises(CohortError, match=r"Open its table \(labels.csv\)"):
        open_cohort(tmp_path / "x")
