"""Films without a label: what their teachers say of them is learned, and what could flatter the judging is kept out."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from core.cli import main
from core.data.cohort import Cohort
from core.data.progress import quiet
from core.data.readers import open_cohort
from core.errors import CohortError, EvaluationError, RecipeError
from core.evaluate import met
from core.evaluate.provenance import Provenance, provenance
from core.model.card import Card
from core.model.checkpoint import EVALUATION, TAUGHT, Checkpoint, find, load, save
from core.networks.zoo import build
from core.training import teachers
from core.training.calibrate import store
from core.training.films import films_of
from core.training.finish import finish
from core.training.fit import fit
from core.training.recipe import NetworkConfig, Recipe
from core.training.run import Run, begin
from core.training.started_from import without_met
from tests.squares import draw_films


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 films of no class: new squares, in a folder that says nothing of them."""
    root = tmp_path_factory.mktemp("further")
    (root / "unknown").mkdir()
    for number in range(24):
        rng = np.random.default_rng([number, 7])
        film = rng.integers(0, 120, (8, 8)).repeat(8, axis=0).repeat(8, axis=1)
        if number % 2:
            y, x = rng.integers(0, 40, 2)
            film[y : y + 24, x : x + 24] += 130
        Image.fromarray(film.astype(np.uint8)).save(root / "unknown" / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def sure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that calls every film B, with p = 0.88."""
    network = build("resnet_small", 2)
    with torch.no_grad():
        network.head.classifier.weight.zero_()
        network.head.classifier.bias.copy_(torch.tensor([-1.0, 1.0]))
    look = tiny().preprocess
    card = Card("sure", "Sure", ("A", "B"), "resnet_small", look, {}, 0, "")
    return save(Checkpoint(card, network.state_dict()), tmp_path_factory.mktemp("sure") / "sure")


def tiny() -> Recipe:
    from core.training.recipe import SplitConfig, TrainingConfig
    from core.transform.augment import Step
    from core.transform.preprocess import Preprocess

    return Recipe(
        name="tiny", title="Tiny", classes=("A", "B"), labels={"A": "A", "B": "B"},
        network=NetworkConfig("resnet_small"),
        preprocess=Preprocess(size=32, mean=(0.5,) * 3, std=(0.25,) * 3),
        augment=(Step("rotate", {"angle": (-10, 10)}),),
        split=SplitConfig(validation=0.2, test=0.2),
        training=TrainingConfig(epochs=2, batch=8),
    )  # fmt: skip


def joined(squares: Cohort, further: Path, sure: Path, folder: Path) -> Run:
    return begin(squares, tiny(), folder, "cpu", unlabelled=open_cohort(further, "films"), taught_by=[sure])


def test_teachers_answers_are_learned_beside_the_labels(
    squares: Cohort, further: Path, sure: Path, tmp_path: Path
) -> None:
    run = joined(squares, further, sure, tmp_path)
    assert run.lesson is not None
    assert "24 films without a label (" in run.divided.notes[-1]
    training = run.films(begun=False).where((run.divided.samples["split"] == "train").to_numpy())
    both = teachers.joined(
        run.lesson, training, run.taught(begun=False), run.recipe, run.answers_path, torch.device("cpu"), quiet
    )
    assert len(both) == len(training) + 24
    assert both.labels[-24:].tolist() == [-1] * 24
    assert both.said is not None
    assert torch.allclose(both.said[-24:], torch.tensor([0.1192, 0.8808]).expand(24, 2), atol=1e-3)
    assert torch.equal(both.said[:-24].argmax(1), training.labels)  # the labelled films keep their own
    assert set(both.said[:-24].flatten().tolist()) == {0.0, 1.0}

    for epoch in fit(run):
        assert np.isfinite(epoch.train_loss)
    made = finish(run)
    assert made.card.data["notes"][-1].startswith("24 films without a label")
    assert not list(tmp_path.glob("films-*"))  # nothing decoded stays


def test_what_they_say_moves_what_is_learned(squares: Cohort, further: Path, sure: Path, tmp_path: Path) -> None:
    """Twenty-four films that are all called B, among 24 labelled ones, make B likelier than the labels alone do."""

    def mean_of_b(run: Run) -> float:
        for _ in fit(run):
            pass
        checkpoint = finish(run)
        films = films_of(run.divided, checkpoint.card.preprocess, tmp_path / f"{run.folder.name}.npy")
        with torch.inference_mode():
            return float(
                checkpoint.network()(checkpoint.card.preprocess.tensor(films.pictures)).softmax(1)[:, 1].mean()
            )

    recipe = replace(tiny(), training=replace(tiny().training, epochs=8, learning_rate=3e-3))
    alone = mean_of_b(begin(squares, recipe, tmp_path / "alone", "cpu"))
    films = open_cohort(further, "films")
    taught = mean_of_b(begin(squares, recipe, tmp_path / "taught", "cpu", unlabelled=films, taught_by=[sure]))
    assert taught > alone + 0.05


def test_a_run_goes_on_without_asking_again(
    squares: Cohort, further: Path, sure: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = fit(joined(squares, further, sure, tmp_path / "stopped"))
    next(epochs)
    epochs.close()
    straight = [e.train_loss for e in fit(joined(squares, further, sure, tmp_path / "straight"))]

    def asked_again(*_: object) -> None:
        raise AssertionError("the teachers were asked again")

    monkeypatch.setattr(teachers, "answers", asked_again)
    resumed = [e.train_loss for e in fit(joined(squares, further, sure, tmp_path / "stopped"))]
    assert resumed == straight
    with pytest.raises(AssertionError, match="asked again"):  # another teacher is another run
        next(fit(joined(squares, further, other(sure, tmp_path), tmp_path / "another")))


def other(sure: Path, folder: Path) -> Path:
    found = load(sure)
    state = {**found.state, "head.classifier.bias": torch.tensor([1.0, -1.0])}
    return save(Checkpoint(found.card, state), folder / "other")


def test_copies_of_labelled_films_are_left_out(squares: Cohort, further: Path, sure: Path, tmp_path: Path) -> None:
    shutil.copytree(further, tmp_path / "more")
    first = Path(squares.samples["path"].iloc[0])
    shutil.copy(first, tmp_path / "more" / "unknown" / "a copy.png")
    run = begin(
        squares, tiny(), tmp_path / "run", "cpu", unlabelled=open_cohort(tmp_path / "more", "films"), taught_by=[sure]
    )
    assert run.lesson is not None
    assert len(run.lesson.films) == 24
    assert "1 left out as copies of labelled films" in run.divided.notes[-1]


def test_a_film_that_cannot_be_read_is_left_out_and_named(
    squares: Cohort, further: Path, sure: Path, tmp_path: Path
) -> None:
    shutil.copytree(further, tmp_path / "more")
    (tmp_path / "more" / "unknown" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    run = begin(
        squares, tiny(), tmp_path / "run", "cpu", unlabelled=open_cohort(tmp_path / "more", "films"), taught_by=[sure]
    )
    assert run.lesson is not None
    assert len(run.lesson.films) == 24
    assert any("1 films left out that cannot be read" in note and "torn.png" in note for note in run.divided.notes)


def test_films_that_a_teacher_learned_from_judge_nobody(squares: Cohort, further: Path, tmp_path: Path) -> None:
    teacher = begin(squares, replace(tiny(), split=replace(tiny().split, seed=1)), tmp_path / "teacher", "cpu")
    for _ in fit(teacher):
        pass
    finish(teacher)
    run = joined(squares, further, tmp_path / "teacher", tmp_path / "run")
    learned = set(teacher.divided.split("train").samples["film_id"])
    assert learned & set(begin(squares, tiny(), tmp_path / "alone", "cpu").divided.split("test").samples["film_id"])
    for name in ("validation", "test"):
        assert not learned & set(run.divided.split(name).samples["film_id"])


def test_places_that_vote_are_taught_as_outlines(further: Path, tmp_path: Path) -> None:
    """A mirrored film is asked, too, and its map turned back: the mean of both is symmetric on a symmetric film."""
    folder = load("opacity").path
    assert folder is not None
    lesson = teachers.Lesson(open_cohort(further, "films"), (folder,))
    places, classes = teachers.answers(lesson, torch.device("cpu"), quiet)
    assert places.shape == (24, 64, 64)
    assert places.dtype == np.uint8
    assert places.std() > 0
    assert np.allclose(classes.sum(1), 1, atol=1e-5)
    film = np.asarray(Image.open(lesson.films.samples["path"].iloc[0]))
    (tmp_path / "even" / "x").mkdir(parents=True)
    Image.fromarray(np.hstack([film[:, :32], film[:, 31::-1]])).save(tmp_path / "even" / "x" / "f.png")
    even, _ = teachers.answers(
        teachers.Lesson(open_cohort(tmp_path / "even", "films"), (folder,)), torch.device("cpu"), quiet
    )
    assert np.abs(even[0].astype(int) - even[0, :, ::-1]).max() <= 1


def test_what_cannot_be_taught_is_refused(squares: Cohort, further: Path, sure: Path, tmp_path: Path) -> None:
    unlabelled = open_cohort(further, "films")
    with pytest.raises(RecipeError, match="0 teachers and 24 films"):
        begin(squares, tiny(), tmp_path, "cpu", unlabelled=unlabelled)
    with pytest.raises(RecipeError, match="1 teachers and no films"):
        begin(squares, tiny(), tmp_path, "cpu", taught_by=[sure])
    three = replace(tiny(), classes=("B", "A"))
    with pytest.raises(RecipeError, match="teacher sure tells A, B"):
        begin(squares, three, tmp_path, "cpu", unlabelled=unlabelled, taught_by=[sure])
    weighted = replace(tiny(), training=replace(tiny().training, sampling="weighted"))
    with pytest.raises(RecipeError, match="no class by which to weigh"):
        begin(squares, weighted, tmp_path, "cpu", unlabelled=unlabelled, taught_by=[sure])
    outlined = replace(tiny(), training=replace(tiny().training, outlines=1.0))
    with pytest.raises(RecipeError, match="does not tell what each place shows"):
        teachers.refuse(outlined, [sure])


def test_a_teacher_that_sees_another_frame_teaches_no_places(tmp_path: Path) -> None:
    voting = load("opacity")
    recipe = Recipe.from_dict({**voting.card.recipe, "name": "student"})
    teachers.refuse(recipe, ["opacity"])  # the same frame
    for other_frame in ({"region": "lungs"}, {"fit": "pad"}):
        card = replace(voting.card, preprocess=replace(voting.card.preprocess, **other_frame))
        folder = save(Checkpoint(card, voting.state), tmp_path / "teacher")
        with pytest.raises(RecipeError, match="in another frame"):
            teachers.refuse(recipe, [folder])


def test_films_of_a_pacs_are_not_kept_on_disk(squares: Cohort, further: Path, sure: Path, tmp_path: Path) -> None:
    remote = replace(open_cohort(further, "films"), fetch=lambda path: b"")
    with pytest.raises(CohortError, match="films of a PACS"):
        begin(squares, tiny(), tmp_path, "cpu", unlabelled=remote, taught_by=[sure])


def test_the_command_line_takes_films_and_teachers(further: Path, sure: Path, tmp_path: Path, capsys) -> None:
    from tests.training.test_fit import as_toml

    draw_films(tmp_path / "films")
    (tmp_path / "tiny.toml").write_text(as_toml(tiny()))
    command = ["train", str(tmp_path / "tiny.toml"), "--data", str(tmp_path / "films"), "--epochs", "1"]
    command += ["--out", str(tmp_path / "run"), "--device", "cpu", "--unlabelled", f"{further}::films"]
    assert main([*command, "--teachers", str(sure)]) == 0
    assert "24 films without a label" in capsys.readouterr().out.replace("\n", " ")
    assert (tmp_path / "run" / "model.safetensors").is_file()


def test_films_without_a_label_count_as_learned_from(
    squares: Cohort, further: Path, sure: Path, tmp_path: Path
) -> None:
    run = joined(squares, further, sure, tmp_path / "student")
    for _ in fit(run):
        pass
    student = finish(run)
    films = open_cohort(further, "films")
    assert set(provenance(films, met.known(student))) == {Provenance.TRAIN}
    plain = begin(squares, tiny(), tmp_path / "plain", "cpu")
    for _ in fit(plain):
        pass
    assert Provenance.TRAIN not in provenance(films, met.known(finish(plain)))
    ours = films.with_splits(["test"] * len(films))
    assert set(without_met(ours, str(tmp_path / "student")).samples["split"]) == {
        ""
    }  # its successor is not judged by them
    assert set(without_met(ours, str(tmp_path / "plain")).samples["split"]) == {"test"}

    made = replace(student, card=replace(student.card, title="Calibrated"))
    store(made, pd.read_parquet(tmp_path / "student" / EVALUATION), tmp_path / "calibrated", student.path)
    assert set(provenance(films, met.known(load(tmp_path / "calibrated")))) == {Provenance.TRAIN}


@pytest.mark.parametrize("damage", ["text", "another table"])
def test_a_damaged_table_of_such_films_is_told_and_not_passed_over(tmp_path: Path, damage: str) -> None:
    folder = Path(shutil.copytree(find("opacity"), tmp_path / "opacity"))
    assert (met.known(load(folder))["split"] == "train").sum() > 2304  # SIIM's, and those without a label
    if damage == "text":
        (folder / TAUGHT).write_text("film_id,path,source,patient")
    else:
        pd.DataFrame({"film": ["a.png"]}).to_parquet(folder / TAUGHT)
    with pytest.raises(EvaluationError, match=r"[Tt]aught.parquet in opacity (cannot be read|has no column film_id)"):
        met.known(load(folder))
