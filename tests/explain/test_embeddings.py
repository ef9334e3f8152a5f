"""What a model makes of many films: filled bit by bit, cancelled, searched, and drawn in two dimensions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from core.data.cohort import Cohort
from core.data.phantom.cohort import cohort
from core.explain import embeddings
from core.explain.embeddings import Embeddings, fill, projection, sample
from core.model.checkpoint import load
from core.model.classifier import Classifier
from tests.pages.tiny import tiny_checkpoint


class CancelledError(Exception):
    """Somebody went on to something else."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier(load(tiny_checkpoint(tmp_path_factory.mktemp("weights") / "tiny")))


@pytest.fixture
def films(tmp_path: Path) -> Cohort:
    """Twelve drawn films; the third is no picture."""
    drawn = cohort("fair").take(np.arange(12))
    damaged = tmp_path / "damaged.png"
    damaged.write_text("no picture")
    paths = [str(damaged) if row == 2 else path for row, path in enumerate(drawn.samples["path"])]
    for row in range(12):
        if row != 2:
            drawn.film(row)  # drawn once, for the table below draws none
    return replace(drawn, samples=drawn.samples.assign(path=paths), prepare=None)


def given(**features: tuple[float, float]) -> Embeddings:
    found = Embeddings()
    for row, feature in features.items():
        found.add(int(row[1:]), np.array(feature, np.float32), np.array([0.5, 0.5], np.float32))
    return found


def test_the_nearest_come_first_by_cosine_and_never_the_film_itself():
    found = given(r0=(1, 0), r1=(0.8, 0.6), r2=(0, 1), r3=(-1, 0))
    near = found.nearest(np.array([1, 0], np.float32), count=2, without=0)
    assert [row for row, _ in near] == [1, 2]
    assert [cosine for _, cosine in near] == pytest.approx([0.8, 0.0])
    assert found.nearest(np.array([1, 0], np.float32), 5, among=[3]) == [(3, -1.0)]
    assert Embeddings().nearest(np.array([1, 0], np.float32), 5) == []


def test_what_is_kept_elsewhere_is_looked_up_once():
    found = given(r0=(1, 0))
    assert found.not_looked_for([0, 1, 2]) == [1, 2]
    assert found.not_looked_for([0, 1, 2, 3]) == [3]
    assert found.missing([0, 1, 2, 3]) == [1, 2, 3]  # still to be scored


def test_films_are_scored_once_and_damaged_ones_left_out(model, films):
    found, shown = Embeddings(), []
    fill(found, model, films, list(range(12)), lambda share: None, lambda row, film: shown.append(row))
    assert sorted(found.rows()) == [row for row in range(12) if row != 2] == sorted(shown)
    assert found.missing(range(12)) == []
    features = found.matrix([0, 1])
    assert np.linalg.norm(features, axis=1) == pytest.approx(1)
    one = model.predict(films.film(0)).probabilities
    np.testing.assert_allclose(found.probabilities([0])[0], one, atol=2e-3)
    fill(found, model, films, list(range(12)), lambda share: pytest.fail("nothing is left to score"))


def test_a_cancelled_run_keeps_what_it_has_done(model, films):
    found = Embeddings()

    def cancel(share: float) -> None:
        if share:
            raise CancelledError

    with pytest.raises(CancelledError):
        fill(found, model, films, list(range(12)), cancel)
    assert len(found.rows()) == embeddings.BATCH - 1  # of the first batch one is damaged
    assert found.missing(range(12)) == list(range(embeddings.BATCH, 12))


class Torn(Embeddings):
    """As they were once: two tables without a lock, features first; what the test below must not let pass."""

    def __init__(self) -> None:
        super().__init__()
        self._features: dict[int, np.ndarray] = {}
        self._scores: dict[int, np.ndarray] = {}
        self.seen = Event()

    def add(self, row: int, features: np.ndarray, probabilities: np.ndarray) -> None:
        self._features[row] = features
        if row == 100:
            self.seen.wait(60)  # until somebody has read in between
        self._scores[row] = probabilities

    def rows(self) -> list[int]:
        return [row for row in self._features if row >= 0]

    def matrix(self, rows):
        return np.stack([self._features[row] for row in rows])

    def probabilities(self, rows):
        return np.stack([self._scores[row] for row in rows])


@pytest.mark.parametrize(("kind", "sound"), [(Embeddings, True), (Torn, False)], ids=["ours", "torn"])
def test_one_visitor_reads_while_others_fill(kind, sound):
    """A dict that grows while it is read raises, and a film whose features came first had no probabilities yet."""
    found, wrong, filled = kind(), [], Event()

    def fills(first: int) -> None:
        for row in range(first, 3000, 3):
            found.add(row, np.ones(4, np.float32), np.full(2, 0.5, np.float32))

    def reads() -> None:
        while not filled.is_set():
            try:
                if rows := found.rows():
                    assert len(found.matrix(rows)) == len(found.probabilities(rows))
            except (RuntimeError, KeyError) as error:
                wrong.append(error)
                found.seen.set()

    reader = Thread(target=reads)
    reader.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(fills, range(3)))
    filled.set()
    reader.join()
    assert (not wrong) is sound
    assert sorted(found.rows()) == list(range(3000))


def test_a_sample_is_spread_over_the_split():
    drawn = cohort("fair")
    rows = sample(drawn, "train", 10)
    assert len(rows) == 10
    assert set(drawn.samples["split"].iloc[rows]) == {"train"}
    everything = np.flatnonzero(drawn.samples["split"] == "train")
    assert (rows[0], rows[-1]) == (everything[0], everything[-1])
    assert sample(drawn, "nowhere") == []


def test_two_dimensions_keep_what_is_apart_apart():
    rng = np.random.default_rng(1)
    features = np.concatenate([rng.normal(0, 0.1, (6, 5)), rng.normal(3, 0.1, (6, 5))])
    flat = projection(features, "PCA")
    assert flat.shape == (12, 2)
    assert abs(flat[:6, 0].mean() - flat[6:, 0].mean()) > 20 * flat[:6, 0].std()
