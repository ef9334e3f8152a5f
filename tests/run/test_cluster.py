"""The same rows from a Ray cluster as from threads, whatever dies on the way."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.cohort import Cohort
from core.errors import RunError
from core.model.classifier import Classifier
from core.run import stream
from core.run.cluster import Ray
from core.run.parts import Parts
from core.run.score import Score
from tests.explain.toys import classifier
from tests.run.work import Mean

ray = pytest.importorskip("ray", reason="requirements-cluster.txt is not installed")


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Two processors, however many this machine has."""
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    yield
    ray.shutdown()


def table(folder: Path, cohort: Cohort, work: stream.Work, engine: stream.Engine | None = None) -> pd.DataFrame:
    parts = Parts(folder, work.key, work.columns)
    stream.into(parts, cohort, work, batch=4, engine=engine)
    return parts.read().sort_values(["id", "unit"], ignore_index=True)


def test_rows_are_those_of_threads_and_a_second_run_has_nothing_to_do(films: Cohort, tmp_path: Path) -> None:
    work = Mean(("a", "b"))
    found = table(tmp_path / "ray", films, work, Ray(1))
    pd.testing.assert_frame_equal(found, table(tmp_path / "threads", films, work))
    parts = Parts(tmp_path / "ray", work.key, work.columns)
    assert (
        stream.into(parts, films.where(films.samples["film_id"] != "COVID/7.png"), Mean(("a", "b")), engine=Ray(1))
        == 44
    )


def test_a_dead_actor_is_replaced_and_its_films_are_done_by_another(films: Cohort, tmp_path: Path) -> None:
    deadly = tmp_path / "once"
    deadly.touch()
    found = table(tmp_path / "ray", films, Mean(once=deadly), Ray(1))
    assert not deadly.exists()
    pd.testing.assert_frame_equal(found, table(tmp_path / "threads", films, Mean()))


def test_a_model_says_the_same_there(films: Cohort, tmp_path: Path) -> None:
    model = Score(Classifier(classifier().checkpoint, "torch"))
    one, two = table(tmp_path / "ray", films, model, Ray(1)), table(tmp_path / "threads", films, model)
    numbers = list(model.columns.numbers)
    pd.testing.assert_frame_equal(one.drop(columns=numbers), two.drop(columns=numbers))
    np.testing.assert_allclose(one[numbers], two[numbers], atol=1e-5)


def test_an_actor_on_every_processor_is_refused(films: Cohort, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"3 actors were asked for on 3 processors.*2 at most"):
        table(tmp_path / "ray", films, Mean(), Ray(3))
