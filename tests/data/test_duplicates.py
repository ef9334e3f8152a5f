"""Copies are found however they were made; different patients are never called one."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.duplicates import (
    ALIGNED_SIMILARITY,
    CLEAR_SIMILARITY,
    MIN_SIMILARITY,
    _similarity,
    candidates,
    judged,
    near_duplicates,
)
from core.data.phantom.cohort import cohort as phantoms
from core.data.readers import open_cohort
from core.data.signatures import ANGLES, hashes_of, signatures, thumbnail_of
from core.data.table import samples
from tests.data.conftest import draw

pytestmark = pytest.mark.usefixtures("own_cache")


def turn(film: Image.Image, rng: np.random.Generator) -> Image.Image:
    return film.rotate(rng.uniform(-5, 5), Image.Resampling.BICUBIC)


def rescale(film: Image.Image, rng: np.random.Generator) -> Image.Image:
    factor = rng.uniform(0.4, 1.6)
    return film.resize((int(film.width * factor), int(film.height * factor)), Image.Resampling.BICUBIC)


def recompress(film: Image.Image, rng: np.random.Generator) -> Image.Image:
    file = io.BytesIO()
    film.save(file, "JPEG", quality=int(rng.integers(25, 80)))
    return Image.open(file)


def everything(film: Image.Image, rng: np.random.Generator) -> Image.Image:
    return recompress(rescale(turn(film, rng), rng), rng)


def expose(film: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Another exposure, contrast and window, which may clip."""
    light = (np.asarray(film, float) / 255) ** rng.uniform(0.7, 1.4)
    light = (light - 0.5) * rng.uniform(0.75, 1.25) + 0.5 + rng.uniform(-0.05, 0.05)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))


ALTERATIONS = (turn, rescale, recompress, everything, expose)


def cohort_of(paths: list[Path]) -> Cohort:
    return Cohort("planted", samples([{"path": p, "label": "film"} for p in paths])[0], ("film",))


def plant(films: list[Path], folder: Path, alter: Callable, seed: int = 0) -> Cohort:
    """The films, then an altered copy of each."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    copies = []
    for path in films:
        with Image.open(path) as film:
            copies.append(folder / f"{path.stem}-copy.png")
            alter(film.convert("L"), rng).save(copies[-1])
    return cohort_of([*films, *copies])


def recall_and_false_alarms(cohort: Cohort, count: int) -> tuple[float, int]:
    """Share of planted copies found, and pairs found between films that are not copies."""
    pairs = near_duplicates(signatures(cohort))
    planted = (pairs["second"] - pairs["first"] == count) & (pairs["first"] < count)
    return float(planted.sum() / count), int((pairs["first"] % count != pairs["second"] % count).sum())


@pytest.mark.parametrize("alter", ALTERATIONS)
def test_planted_copies_of_drawn_films(alter: Callable, tmp_path: Path, save: Callable[..., Path]) -> None:
    films = [save(tmp_path / f"{seed}.png", pixels=draw(seed, 128)) for seed in range(40)]
    recall, false = recall_and_false_alarms(plant(films, tmp_path / "copies", alter), len(films))
    assert recall == 1.0
    assert false == 0


@pytest.mark.real
def test_planted_copies_of_real_films(real_data: Path, tmp_path: Path) -> None:
    """At least 99 % of the copies; at most 0.1 % of other pairs (here 20,000 a kind), and in truth none."""
    found = []
    for alter in ALTERATIONS:
        cohort = open_cohort(real_data / "montgomery-shenzhen")
        films = [Path(p) for p in cohort.samples["path"][::8]]
        recall, false = recall_and_false_alarms(plant(films, tmp_path / alter.__name__, alter), len(films))
        found.append(recall)
        assert false == 0
    assert np.mean(found) >= 0.99
    assert min(found) >= 0.95


ALIKE = (  # patients of the fair cohort whose films come as near as copies do, in hash and in pixels as they stand
    *("F0563-3", "F0116-4", "F0197-3", "F0410-2", "F0400-1", "F0196-3", "F0548-4", "F0176-1", "F0500-4", "F0012-3"),
    *("F0012-2", "F0500-2", "F0376-2", "F0323-1", "F0756-2", "F0172-2", "F0764-4", "F0176-2", "F0188-1", "F0068-2"),
)


def test_patients_who_share_a_skeleton_are_not_one(tmp_path: Path) -> None:
    """Drawn patients have the same bones: their films are candidates, and aligning them must not make them one."""
    fair = phantoms("fair")
    films = fair.where(fair.samples["path"].str.extract(r"(F\d+-\d)\.png")[0].isin(ALIKE))
    signs = signatures(films)
    assert len(films) == len(ALIKE)
    assert len(candidates(signs.hashes)[0]) >= 0.4 * len(ALIKE)
    patient = films.samples["patient"].to_numpy()
    pairs = near_duplicates(signs)
    assert (patient[pairs["first"]] == patient[pairs["second"]]).all()
    copies = plant([Path(p) for p in films.samples["path"]], tmp_path / "copies", everything)
    pairs = near_duplicates(signatures(copies))
    assert (pairs["second"] - pairs["first"] == len(films)).sum() == len(films)


def test_a_doubtful_pair_is_decided_by_aligning_it() -> None:
    """One film stretched and shifted: too unlike as it stands, one picture once aligned; another film stays another."""
    rng, decided = np.random.default_rng(2), 0
    for seed in range(30):
        film = Image.fromarray(draw(seed, 256))
        left, top = rng.uniform(4, 9, 2)
        moved = film.transform(film.size, Image.Transform.AFFINE, (0.97, 0.01, left, -0.01, 0.98, top), Image.BICUBIC)
        first, second = (thumbnail_of(np.asarray(f)) for f in (film, moved))
        doubtful = MIN_SIMILARITY <= _similarity(first, second, 0) < CLEAR_SIMILARITY
        decided += doubtful
        assert judged(first, second, 0)[0] >= ALIGNED_SIMILARITY or not doubtful
        assert judged(first, thumbnail_of(draw(seed + 100, 256)), 0)[0] == 0
    assert decided >= 5
    blank = np.zeros((64, 64), np.uint8)
    assert judged(blank, blank, 0) == (0, False)


def test_candidates_are_what_comparing_all_would_find() -> None:
    rng = np.random.default_rng(3)
    hashes = rng.integers(0, 256, (300, len(ANGLES), 32), dtype=np.uint8)
    upright = ANGLES.index(0)
    for i in range(60):  # a near copy of film i, at one of its angles, with up to 20 bits changed
        flips = np.packbits(np.isin(np.arange(256), rng.choice(256, rng.integers(0, 21), replace=False)))
        hashes[200 + i, upright] = hashes[i, rng.integers(len(ANGLES))] ^ flips
    pairs, bits, angles = candidates(hashes, max_bits=24)
    every = np.bitwise_count(hashes[:, :, None] ^ hashes[None, None, :, upright]).sum(axis=-1)
    every = np.minimum(every.min(axis=1), every.min(axis=1).T)
    expected = {(i, j) for i, j in np.argwhere(np.triu(every <= 24, 1)).tolist()}
    assert {(min(p), max(p)) for p in pairs.tolist()} == expected
    assert len(expected) >= 60
    for (a, b), n, k in zip(pairs, bits, angles, strict=True):
        assert np.bitwise_count(hashes[a, k] ^ hashes[b, upright]).sum() == n


def test_the_hash_is_that_of_the_library() -> None:
    import imagehash

    thumbnail = thumbnail_of(draw(5))
    middle = Image.fromarray(thumbnail).crop((6, 6, 58, 58))
    expected = imagehash.phash(middle, hash_size=16, highfreq_factor=3)
    assert np.unpackbits(hashes_of(thumbnail)[ANGLES.index(0)]).tolist() == expected.hash.ravel().tolist()


def test_signatures_are_cached_until_the_file_changes(tmp_path: Path, save: Callable[..., Path], monkeypatch) -> None:
    cohort = cohort_of([save(tmp_path / "a.png", 1), save(tmp_path / "b.png", 2)])
    first = signatures(cohort)
    monkeypatch.setattr(Cohort, "film", lambda *_: pytest.fail("decoded again"))
    again = signatures(cohort)
    np.testing.assert_array_equal(again.hashes, first.hashes)
    np.testing.assert_array_equal(again.thumbnails, first.thumbnails)
    assert again.frame.equals(first.frame)
    monkeypatch.undo()
    save(tmp_path / "a.png", 7)
    assert signatures(cohort).sha256[0] != first.sha256[0]


def test_unreadable_films_match_nothing(tmp_path: Path, save: Callable[..., Path]) -> None:
    for name in ("x.png", "y.png"):
        (tmp_path / name).write_text("not a film")
    signs = signatures(cohort_of([tmp_path / "x.png", tmp_path / "y.png", save(tmp_path / "a.png")]))
    assert list(signs.errors) == [0, 1]
    assert near_duplicates(signs).empty


def test_nothing_and_one_film(tmp_path: Path, save: Callable[..., Path]) -> None:
    one = cohort_of([save(tmp_path / "a.png")])
    assert near_duplicates(signatures(one)).empty
    assert near_duplicates(signatures(one.take([]))).empty
