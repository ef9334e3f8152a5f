"""Old pixels and films already met: what a resumed or a second run must not take for its own."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.errors import CohortError
from core.model.checkpoint import EVALUATION
from core.training import films
from core.training.finish import finish
from core.training.fit import fit
from core.training.recipe import Recipe, SplitConfig
from core.training.run import begin
from core.training.started_from import ancestors, without_met
from core.transform.preprocess import Preprocess
from tests.squares import draw_films

SEEN = Preprocess(size=32)


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    return open_cohort(draw_films(tmp_path / "squares", 8))


def repaint(path: str) -> None:
    Image.fromarray(255 - np.asarray(Image.open(path))).save(path)


def pictures(cohort: Cohort, path: Path, **options: bool) -> np.ndarray:
    return films.films_of(cohort, SEEN, path, **options).pictures.numpy().copy()


def test_decoded_films_are_found_again_unless_one_changed(cohort: Cohort, tmp_path: Path, monkeypatch) -> None:
    kept = tmp_path / "films.npy"
    before = pictures(cohort, kept)
    with monkeypatch.context() as patched:
        patched.setattr(Cohort, "film", lambda *_: pytest.fail("a film was read again"))
        touched = Path(cohort.samples["path"][1])
        touched.write_bytes(touched.read_bytes())  # another time of change, the same bytes
        assert (pictures(cohort, kept, begun=True) == before).all()
    repaint(cohort.samples["path"][3])
    after = pictures(cohort, kept)
    assert [i for i in range(len(cohort)) if (after[i] != before[i]).any()] == [3]


def test_films_decoded_another_way_are_not_taken(cohort: Cohort, tmp_path: Path) -> None:
    kept = tmp_path / "films.npy"
    before = pictures(cohort, kept)
    record = kept.with_suffix(".json")
    told = json.loads(record.read_text())
    record.write_text(json.dumps(told | {"key": "of older code"}))
    np.save(kept, np.zeros_like(before))
    assert (pictures(cohort, kept) == before).all()
    record.unlink()  # a run of before films were recorded
    np.save(kept, np.zeros_like(before))
    assert (pictures(cohort, kept) == before).all()


def test_a_run_that_has_begun_refuses_changed_films_by_name(
    cohort: Cohort, tiny_recipe: Recipe, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    next(fit(begin(cohort, tiny_recipe, out, "cpu")))  # killed after its first epoch
    repaint(cohort.samples["path"][3])
    with pytest.raises(CohortError, match=r"1 films have changed .* A/3\.png"):
        list(fit(begin(cohort, tiny_recipe, out, "cpu")))
    repaint(cohort.samples["path"][3])  # put back
    assert len(list(fit(begin(cohort, tiny_recipe, out, "cpu")))) == tiny_recipe.training.epochs
    finish(begin(cohort, tiny_recipe, out, "cpu"))
    assert not list(out.glob("films-*"))


@pytest.fixture(scope="module")
def first(squares: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with a few epochs, whose successors may start from it."""
    from core.training.recipe import NetworkConfig, TrainingConfig

    recipe = Recipe(
        name="tiny",
        title="Tiny",
        classes=("A", "B"),
        labels={"A": "A", "B": "B"},
        network=NetworkConfig("resnet_small"),
        preprocess=SEEN,
        split=SplitConfig(validation=0.2, test=0.2),
        training=TrainingConfig(epochs=1, batch=8),
    )
    out = tmp_path_factory.mktemp("runs") / "first"
    list(fit(begin(squares, recipe, out, "cpu")))
    finish(begin(squares, recipe, out, "cpu"))
    return out


def test_films_the_starting_checkpoint_learned_from_judge_nothing(
    squares: Cohort, tiny_recipe: Recipe, first: Path
) -> None:
    other = replace(tiny_recipe, split=replace(tiny_recipe.split, seed=7))
    plain = films.prepare(squares, other).samples.set_index("film_id")["split"]
    started = replace(other, network=replace(other.network, weights=str(first)))
    divided = films.prepare(squares, started)
    now = divided.samples.set_index("film_id")["split"]
    known = pd.read_parquet(first / EVALUATION).set_index("film_id")["split"]
    for split, met in (("validation", ["train"]), ("test", ["train", "validation"])):
        before, after = plain.index[plain == split], now.index[now == split]
        assert set(after) == {film for film in before if known[film] not in met}
        assert len(after) < len(before)
    assert (now[plain == "train"] == "train").all()
    left = int((now != plain).sum())
    assert any(note.startswith(f"{left} films left out of the judging") and "first" in note for note in divided.notes)


def test_what_no_checkpoint_has_met_stays(squares: Cohort, tiny_recipe: Recipe, first: Path, tmp_path: Path) -> None:
    divided = films.prepare(squares, tiny_recipe)
    assert without_met(divided, "none").samples.equals(divided.samples)
    strange = open_cohort(draw_films(tmp_path / "elsewhere", 8))
    strange = replace(strange, samples=strange.samples.assign(source="elsewhere"))
    divided = films.prepare(strange, tiny_recipe)
    assert without_met(divided, str(first)).samples.equals(divided.samples)


def test_a_checkpoint_that_keeps_no_evaluation_is_said_to(
    squares: Cohort, tiny_recipe: Recipe, first, tmp_path
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(first, bare)
    (bare / EVALUATION).unlink()
    notes = without_met(films.prepare(squares, tiny_recipe), str(bare)).notes
    assert "nothing is kept of what bare learned from" in notes[-1]


def test_ancestors_are_followed_to_the_first(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "first")
    second = tmp_path / "second"
    shutil.copytree(first, second)
    card = json.loads((second / "card.json").read_text())
    card["recipe"]["network"]["weights"] = "first"
    (second / "card.json").write_text(json.dumps(card))
    assert [folder.name for folder in ancestors(str(second))] == ["second", "first"]
    assert list(ancestors("imagenet")) == []
