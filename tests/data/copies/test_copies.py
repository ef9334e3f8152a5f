"""Copies are found however they were cropped, shifted, framed, mirrored, turned or inverted; others are not."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from core.data.cohort import Cohort
from core.data.copies import COPY, find_copies
from core.data.copies.keypoints import (
    FLIPS,
    flipped_descriptors,
    flipped_picture,
    flipped_points,
    from_bytes,
    keypoints,
)
from core.data.copies.library import Library, describe
from core.data.copies.verify import Agreement, agreement
from core.data.copies.words import nearest, words_of
from core.data.film import opener
from core.data.phantom.cohort import cohort as phantoms
from core.data.split import groups, split
from core.data.store import Store
from core.data.table import samples
from tests.data.conftest import draw

pytestmark = pytest.mark.usefixtures("own_cache")
Save = Callable[..., Path]


def detailed(seed: int, size: int = 256) -> np.ndarray:
    """A drawn film, uint8 (size, size), with as much detail as a real one has at its size."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), 2.5)
    return np.clip(draw(seed, size) * 0.7 + 30 + 18 * noise / noise.std(), 0, 255).astype(np.uint8)


def turned(film: np.ndarray, degrees: float) -> np.ndarray:
    height, width = film.shape
    return cv2.warpAffine(film, cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1), (width, height))


def cropped(film: np.ndarray, share: float) -> np.ndarray:
    dy, dx = (round(n * (1 - share) / 2) for n in film.shape)
    return film[dy : film.shape[0] - dy, dx : film.shape[1] - dx]


ALTERED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cropped to 95 %": lambda film: cropped(film, 0.95),
    "cropped to 80 %": lambda film: cropped(film, 0.8),
    "corner of 90 %": lambda film: film[: int(0.9 * film.shape[0]), : int(0.9 * film.shape[1])],
    "shifted by 6 %": lambda film: np.roll(film, round(0.06 * film.shape[1]), 1),
    "framed": lambda film: np.pad(film, round(0.06 * film.shape[0])),
    "mirrored": lambda film: film[:, ::-1],
    "inverted": lambda film: 255 - film,
    "mirrored and inverted": lambda film: 255 - film[:, ::-1],
    "turned by 12 degrees": lambda film: turned(film, 12),
    "turned by 90 degrees": np.rot90,
    "equalised": cv2.equalizeHist,
}


def cohort_of(paths: list[Path], **columns: list[str]) -> Cohort:
    rows = [
        {"path": path, "label": "film", **{name: column[i] for name, column in columns.items()}}
        for i, path in enumerate(paths)
    ]
    return Cohort("planted", samples(rows)[0], ("film",))


def recall_and_others(films: list[np.ndarray], alter: Callable, folder: Path, save: Save) -> tuple[float, int]:
    """Share of the planted copies that are called copies, and how many other pairs are."""
    films = [*films, *(np.ascontiguousarray(alter(film)) for film in films)]
    found = find_copies(cohort_of([save(folder / f"{i}.png", pixels=film) for i, film in enumerate(films)]))
    copies = found[found["level"] == COPY]
    planted = copies["second"] - copies["first"] == len(films) // 2
    return planted.sum() / (len(films) // 2), int((~planted).sum())


@pytest.mark.parametrize("name", ALTERED)
def test_planted_copies_of_drawn_films(name: str, tmp_path: Path, save: Save) -> None:
    recall, others = recall_and_others([detailed(seed) for seed in range(5)], ALTERED[name], tmp_path, save)
    assert recall == 1.0
    assert others == 0


@pytest.mark.real
@pytest.mark.parametrize("name", ["cropped to 95 %", "mirrored", "turned by 12 degrees", "shifted by 6 %", "framed"])
def test_planted_copies_of_real_films(name: str, real_data: Path, tmp_path: Path, save: Save) -> None:
    paths = sorted((real_data / "montgomery-shenzhen" / "images").iterdir())[::50]
    recall, others = recall_and_others([opener.read(p).pixels for p in paths], ALTERED[name], tmp_path, save)
    assert recall == 1.0
    assert others == 0


@pytest.mark.real
def test_no_split_parts_the_copies_that_were_found_by_eye(real_data: Path) -> None:
    known = pd.read_csv(real_data / "found_duplicates.csv")
    names = sorted({*known["film"], *known["same_as"]})
    films = cohort_of([real_data / name for name in names])
    place = {name: i for i, name in enumerate(names)}
    pairs = [(place[a], place[b]) for a, b in zip(known["film"], known["same_as"], strict=True)]
    group = groups(films)
    assert all(group[a] == group[b] for a, b in pairs)
    assert len(np.unique(group)) > len(names) / 4, "not simply all in one group"
    side = split(films, 0.3, 0.3).samples["split"]
    assert side.nunique() == 3
    assert all(side[a] == side[b] for a, b in pairs)


@pytest.mark.real
def test_two_exposures_of_one_patient_are_no_copies(real_data: Path) -> None:
    """Films of one patient on different days, as its metadata has them, from patients with at least three."""
    collection = real_data / "covid-chestxray-dataset"
    rows = pd.read_csv(collection / "metadata.csv")
    rows = rows[[(collection / "images" / str(name)).is_file() for name in rows["filename"]]]
    rows = rows[rows["view"].isin(["PA", "AP", "AP Supine"])].dropna(subset=["offset"])
    rows = rows.drop_duplicates(["patientid", "offset"])
    rows = rows[rows.groupby("patientid")["filename"].transform("size") >= 4].head(40)
    films = cohort_of([collection / "images" / str(name) for name in rows["filename"]])
    found = find_copies(films)
    patients = rows["patientid"].to_numpy()
    of_one_patient = patients[found["first"]] == patients[found["second"]]
    assert len(films) == 40
    assert not (found["level"][of_one_patient] == COPY).any()
    # The collection holds one case twice, as the patients 97 and 178: these films are one picture indeed.
    assert set(zip(patients[found["first"]], patients[found["second"]], strict=True)) - {("13", "13")} <= {
        ("97", "178")
    }


EXPOSURES = (  # seen by eye: the heart, the diaphragm or the stomach has moved against the ribs
    ("nih-chestxray14/images/00001389_001.png", "nih-chestxray14/images/00001389_003.png"),
    ("nih-chestxray14/images/00003426_008.png", "nih-chestxray14/images/00003426_015.png"),
    ("nih-chestxray14/images/00001749_000.png", "nih-chestxray14/images/00001749_003.png"),
    ("covid-chestxray-dataset/images/7afaaccc.jpg", "covid-chestxray-dataset/images/ec083e35.jpg"),
    (
        "Coronahack-Chest-XRay-Dataset/test/person1669_virus_2884.jpeg",
        "Coronahack-Chest-XRay-Dataset/test/person1669_virus_2885.jpeg",
    ),
    ("siim-covid19-detection/train/4024e564722b.jpg", "siim-covid19-detection/train/61ec09d32116.jpg"),
)
ONE_FILM = (  # the same shadows throughout, under other contrast or another name
    ("siim-covid19-detection/train/39cd89772e5e.jpg", "siim-covid19-detection/train/586ea12cdc1c.jpg"),
    ("covid-chestxray-dataset/images/AR-1.jpg", "covid-chestxray-dataset/images/AR-2.jpg"),
)


@pytest.mark.real
def test_exposures_as_alike_as_copies_are_possible_ones_and_stay_on_one_side(real_data: Path) -> None:
    names = [name for pair in (*EXPOSURES, *ONE_FILM) for name in pair]
    films = cohort_of([real_data / name for name in names])
    found = find_copies(films)
    level = dict(zip(zip(found["first"], found["second"], strict=True), found["level"], strict=True))
    pairs = [(2 * n, 2 * n + 1) for n in range(len(names) // 2)]
    assert [level[pair] for pair in pairs] == ["possible"] * len(EXPOSURES) + [COPY] * len(ONE_FILM)
    assert set(level) == set(pairs)
    group = groups(films, found)
    assert all(group[a] == group[b] for a, b in pairs)


@pytest.mark.parametrize("flip", [1, 2, 3])
def test_keypoints_of_a_flipped_film_are_known_without_looking(flip: int) -> None:
    points, descriptors, film = keypoints(detailed(3))
    again, seen, _ = keypoints(np.ascontiguousarray(flipped_picture(film, flip)))
    distance = np.linalg.norm(flipped_points(points, film.shape, flip)[:, None] - again, axis=2)
    similarity = flipped_descriptors(descriptors, flip).astype(float) @ seen.T / 512**2
    plain = descriptors.astype(float) @ seen.T / 512**2
    there = distance.min(axis=1) < 1
    assert there.mean() > 0.7
    assert np.median(np.where(distance < 1, similarity, 0).max(axis=1)[there]) > 0.98
    assert np.median(np.where(distance < 1, plain, 0).max(axis=1)[there]) < 0.9
    known = (words_of(descriptors) // 1024 ^ flip) * 1024 + words_of(descriptors) % 1024
    assert (known == words_of(flipped_descriptors(descriptors, flip))).mean() > 0.98


def test_a_description_survives_being_kept() -> None:
    film = describe(detailed(4, 200)[:, :150])
    again = from_bytes(film.to_bytes())
    assert again.shape == film.shape == (256, 192)
    np.testing.assert_allclose(again.points, film.points, atol=1 / 128)
    for name in ("descriptors", "words", "picture"):
        np.testing.assert_array_equal(getattr(again, name), getattr(film, name))


def test_the_search_does_not_depend_on_order_or_on_which_film_is_flipped() -> None:
    bags = [describe(detailed(seed)).words for seed in range(6)]
    bags.append(describe(np.ascontiguousarray(detailed(2)[:, ::-1])).words)
    there, back = nearest(bags), nearest(bags[::-1])
    assert [2, 6, 1] in there.tolist()
    assert sorted([6 - b, 6 - a, f] for a, b, f in back.tolist()) == there.tolist()


@pytest.mark.parametrize("degrees", [3, 90, 180, 270])
@pytest.mark.parametrize("flip", [0, 1])
def test_details_lie_on_each_other_however_a_film_is_turned(degrees: int, flip: int) -> None:
    film = detailed(3)[:211]  # at 128 pixels its sides are not halved alike
    first = np.ascontiguousarray(flipped_picture(film, flip))
    second = turned(film, degrees) if degrees % 90 else np.ascontiguousarray(np.rot90(film, degrees // 90))
    assert agreement(describe(first), describe(second), flip).correlation > 0.98


def test_the_rule() -> None:
    assert Agreement(70, 0.75, 55, 0.65).level == Agreement(45, 0.95, 35, 0.6).level == COPY
    assert Agreement(25, 0.70, 20, 0.9).level == "possible"
    assert Agreement(111, 0.94, 50, 0.42).level == "possible", "many keypoints, and the heart has moved"
    assert Agreement(70, 0.94, 54, 0.9).level == Agreement(90, 0.94, 55, 0.64).level == "possible"
    assert Agreement(24, 0.99, 24, 1.0).level == Agreement(200, 0.69, 200, 1.0).level == ""
    blank = describe(np.zeros((64, 64), np.uint8))
    assert agreement(blank, blank, 0) == Agreement()


def test_a_copy_of_a_copy_that_the_hashes_know_is_paired_with_all_of_them(tmp_path: Path, save: Save) -> None:
    film = detailed(1)
    pictures = [film, film ^ np.uint8(1), np.ascontiguousarray(film[:, ::-1]), detailed(2)]
    found = find_copies(cohort_of([save(tmp_path / f"{i}.png", pixels=p) for i, p in enumerate(pictures)]))
    assert found[["first", "second"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2]]
    assert found["flip"].tolist() == ["", "mirrored", "mirrored"]
    assert set(found["flip"]) <= set(FLIPS)


def test_drawn_patients_who_share_a_skeleton_are_not_one() -> None:
    films = phantoms("fair", films=24, size=256)
    patient = films.samples["patient"].to_numpy()
    found = find_copies(films)
    assert (patient[found["first"]] == patient[found["second"]]).all()


def test_what_is_found_is_kept_and_work_can_be_ended(tmp_path: Path, save: Save, monkeypatch) -> None:
    films = cohort_of([save(tmp_path / f"{i}.png", pixels=detailed(i % 4)[i:, :]) for i in range(8)])
    told: list[tuple[str, int, int]] = []

    def stop(what: str, done: int, total: int) -> None:
        told.append((what, done, total))
        if what == "comparing films":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_copies(films, progress=stop)
    assert ("reading films", 8, 8) in told
    first = find_copies(films)
    monkeypatch.setattr(Cohort, "film", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("core.data.copies.agreement", lambda *_: pytest.fail("compared again"))
    pd.testing.assert_frame_equal(find_copies(films), first)


def test_a_damaged_cache_is_thrown_away_and_a_film_that_is_no_film_is_in_no_pair(tmp_path: Path, save: Save) -> None:
    paths = [save(tmp_path / "a.png", 1), save(tmp_path / "b.png", 1), tmp_path / "c.png", tmp_path / "d.png"]
    for path in paths[2:]:
        path.write_text("no film")
    films = cohort_of(paths)
    first = find_copies(films)
    assert first[["first", "second"]].to_numpy().tolist() == [[0, 1]]
    for store in (Store("signatures-3").path.parent).glob("*.sqlite"):
        store.write_bytes(b"damaged" * 1000)
    pd.testing.assert_frame_equal(find_copies(films), first)


def test_the_cache_names_no_folder(tmp_path: Path, save: Save) -> None:
    find_copies(cohort_of([save(tmp_path / "Erika Mustermann" / "a.png", 1)]))
    library = Library()
    assert len(library.lacks(["nothing"])) == 1
    for path in Store("x").path.parent.glob("*.sqlite"):
        assert b"Mustermann" not in path.read_bytes()
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*) FROM facts").fetchone()[0] <= 1
