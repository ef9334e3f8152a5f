"""The films of a run: each is read and segmented once, its lungs kept beside it, however often the run is killed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.cohort import Cohort
from core.data.film.radiograph import Radiograph
from core.lungs import segment
from core.training import films
from core.training.finish import finish
from core.training.fit import fit
from core.training.recipe import Recipe
from core.training.run import begin
from core.transform.preprocess import Preprocess, Region


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cohort:
    """32 drawn films of four classes."""
    from core.data.phantom.cohort import cohort

    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    return cohort("confounded", films=32, size=96)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """How many films were read and how many segmented."""
    counted: Counter = Counter()
    read, segmented = Cohort.film, segment.mask

    def film(self: Cohort, i: int) -> Radiograph:
        counted["read"] += 1
        return read(self, i)

    def mask(film: Radiograph) -> np.ndarray | None:
        counted["segmented"] += 1
        return segmented(film)

    monkeypatch.setattr(Cohort, "film", film)
    monkeypatch.setattr(segment, "mask", mask)
    return counted


@pytest.mark.parametrize("region", ["film", "lungs"])
def test_a_penalised_run_reads_and_segments_each_film_once(
    squares: Cohort, tiny_recipe: Recipe, done: Counter, tmp_path: Path, region: Region
) -> None:
    training = replace(tiny_recipe.training, epochs=2, lungs=1.0)
    recipe = replace(tiny_recipe, preprocess=Preprocess(size=32, region=region), training=training)
    films.prepare(squares, recipe)  # dividing looks for films that resemble one another, and remembers them
    done.clear()
    next(fit(begin(squares, recipe, tmp_path, "cpu")))  # left after its first epoch, as by a kill
    seen = dict(done)
    assert len(list(fit(begin(squares, recipe, tmp_path, "cpu")))) == 2
    finish(begin(squares, recipe, tmp_path, "cpu"))
    assert seen == done == {"read": len(squares), "segmented": len(squares)}
    assert not list(tmp_path.glob("*.npy"))


@pytest.mark.parametrize("region", ["film", "lungs"])
def test_lungs_lie_where_the_picture_shows_them(drawn: Cohort, tmp_path: Path, region: Region) -> None:
    preprocess = Preprocess(size=64, region=region)
    seen = films.films_of(drawn, preprocess, tmp_path / "films.npy", lungs=True)
    assert seen.lungs is not None
    shares = []
    for i in range(len(drawn)):
        mask = segment.mask(drawn.film(i))
        picture = preprocess.picture(drawn.film(i), mask if region == "lungs" else None)
        assert np.array_equal(seen.pictures[i].numpy(), picture)
        expected = np.ones((64, 64), bool) if mask is None else preprocess.to_picture(mask, mask)
        assert np.array_equal(seen.lungs[i].numpy(), 255 * expected)
        shares.append(expected.mean())
    assert min(shares) < 0.9  # lungs were found


def test_films_without_lungs_count_as_lung_everywhere(
    drawn: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment, "mask", lambda film: None)
    seen = films.films_of(drawn, Preprocess(size=32), tmp_path / "films.npy", lungs=True)
    assert seen.lungs is not None
    assert bool((seen.lungs == 255).all())


def test_pictures_that_an_older_run_kept_without_lungs_are_made_again(
    drawn: Cohort, done: Counter, tmp_path: Path
) -> None:
    plain = films.films_of(drawn, Preprocess(size=32), tmp_path / "films.npy")
    assert plain.lungs is None
    assert done["segmented"] == 0
    pictures = plain.pictures.clone()
    marked = films.films_of(drawn, Preprocess(size=32), tmp_path / "films.npy", lungs=True)
    assert torch.equal(marked.pictures, pictures)
    assert marked.lungs is not None
    again = films.films_of(drawn, Preprocess(size=32), tmp_path / "films.npy")  # as at the end of the run
    assert torch.equal(again.pictures, pictures)
    assert done == {"read": 2 * len(drawn), "segmented": len(drawn)}


def test_chosen_films_keep_all_that_is_known_of_them() -> None:
    count = torch.arange(6)
    pictures, masks = (torch.full((6, 4, 4), k, dtype=torch.uint8) + count[:, None, None] for k in (0, 100))
    few = films.Films(pictures, count, count + 10, masks).where(np.array([False, True] * 3))
    assert few.labels.tolist() == [1, 3, 5]
    assert few.sources is not None
    assert few.sources.tolist() == [11, 13, 15]
    assert few.pictures[:, 0, 0].tolist() == [1, 3, 5]
    assert few.outlines is not None
    assert few.outlines[:, 0, 0].tolist() == [101, 103, 105]
