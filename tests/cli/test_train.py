"""`python -m core train` from films to a checkpoint that the rest of Hilum can open."""

from dataclasses import replace
from pathlib import Path
from shutil import copy

import pandas as pd
import pytest

from core.cli import main
from core.cli.train import adjusted, what_augmentation_did, with_published_split, without_augmentation
from core.errors import RecipeError
from core.evaluate.compare import compare
from core.evaluate.met import stored
from core.model.checkpoint import load
from core.training import run
from core.training.recipe import Recipe, SplitConfig, Stage
from core.training.recipe import load as load_recipe
from tests.squares import draw_films
from tests.training.test_fit import as_toml


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A run of two epochs, and the command that made it."""
    root = tmp_path_factory.mktemp("cli")
    draw_films(root / "films")
    (root / "films" / "A" / "Doe.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (root / "tiny.toml").write_text(as_toml(Recipe.from_dict(TINY)))
    command = ["train", str(root / "tiny.toml"), "--data", str(root / "films"), "--out", str(root / "run")]
    command += ["--epochs", "2", "--device", "cpu"]
    assert main(command) == 0
    return root / "run", command


def test_the_films_are_divided_once_and_a_damaged_one_is_named_on_the_screen_but_not_in_the_card(
    trained: tuple[Path, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    divided, prepare = [], run.prepare
    monkeypatch.setattr(run, "prepare", lambda *given: divided.append(given) or prepare(*given))
    command = [str(tmp_path) if word == str(trained[0]) else word for word in trained[1]]
    assert main([*command, "--epochs", "1"]) == 0
    assert len(divided) == 1
    assert "Doe.png" in capsys.readouterr().out.replace("\n", "")
    card = (tmp_path / "card.json").read_text()
    assert "Doe" not in card
    assert "1 films left out that cannot be read (their names are left out here)" in card


TINY = {
    "name": "tiny",
    "title": "Tiny",
    "classes": ["A", "B"],
    "network": {"name": "resnet_small", "dropout": 0.2},
    "augment": [{"name": "rotate", "angle": [-10, 10]}],
}


def test_the_checkpoint_is_whole(trained: tuple[Path, list[str]]) -> None:
    card = load(trained[0]).card
    assert card.classes == ("A", "B")
    assert card.network == "resnet_small"
    assert [row["epoch"] for row in card.history] == [1, 2]
    assert sum(row["chosen"] for row in card.history) == 1
    assert card.parameters == 307_794
    assert {split: sum(films.values()) for split, films in card.data["splits"].items()} == {
        "train": 24,
        "validation": 8,
        "test": 8,
    }
    assert 0 <= card.metrics["accuracy"] <= 1
    assert set(card.thresholds) == {"A", "B"}
    assert card.domain["films"] == 24
    assert card.versions["processor"].endswith("1 thread")
    assert load(trained[0]).domain


def test_nothing_else_stays_but_the_state(trained: tuple[Path, list[str]]) -> None:
    names = sorted(path.name for path in trained[0].iterdir())
    assert names == ["card.json", "evaluation.parquet", "model.safetensors", "state.pt"]


def test_predictions_stand_beside_it_without_paths(trained: tuple[Path, list[str]]) -> None:
    table = pd.read_parquet(trained[0] / "evaluation.parquet")
    assert len(table) == 40
    assert not table["path"].str.contains("/").any()
    assert table[["p_A", "p_B"]].sum(axis=1).between(0.999, 1.001).all()
    test = table[table["split"] == "test"]
    card = load(trained[0]).card
    called = (test[["p_A", "p_B"]] / [card.thresholds["A"], card.thresholds["B"]]).to_numpy().argmax(1)
    assert (called == (test["label"] == "B")).mean() == pytest.approx(card.metrics["accuracy"])
    assert card.metrics["home"]["called_by"] == card.metrics["called_by"]


def test_prediction_sets_are_fitted_once(tmp_path: Path, trained, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.model import conformal

    fits: list[int] = []
    real = conformal.fit
    monkeypatch.setattr(conformal, "fit", lambda *given, **more: fits.append(1) or real(*given, **more))
    assert main([*trained[1][:5], str(tmp_path / "again"), "--epochs", "1"]) == 0
    assert len(fits) == 1


def test_the_classifier_says_what_the_table_says(trained: tuple[Path, list[str]]) -> None:
    from core.data.film.opener import read
    from core.model.classifier import open_classifier

    table = pd.read_parquet(trained[0] / "evaluation.parquet")
    row = table[table["label"] == "B"].iloc[0]
    films = Path(trained[1][3])
    prediction = open_classifier(trained[0]).predict(read(films / "B" / row["path"]))
    assert prediction.probabilities[1] == pytest.approx(row["p_B"], abs=1e-4)


def test_the_same_command_again_says_so_and_trains_nothing(trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(trained[1]) == 0
    assert "goes on" in capsys.readouterr().out


def test_another_recipe_in_the_same_folder_is_refused(trained, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*trained[1], "--seed", "5"]) == 2
    assert "another recipe or other films" in capsys.readouterr().err


def test_limit_takes_the_same_few_films(tmp_path: Path, trained, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*trained[1][:5], str(tmp_path), "--epochs", "1", "--limit"]
    assert main([*command, "10"]) == 0
    assert "20 films" in capsys.readouterr().out
    for none in ("0", "-1"):
        assert main([*command, none]) == 2
        assert f"{none} films of each label" in capsys.readouterr().err


def test_a_cohort_held_out_is_the_test_and_nothing_of_it_is_learned_from(trained, tmp_path: Path) -> None:
    films, other = Path(trained[1][3]), tmp_path / "other"
    fresh = draw_films(tmp_path / "fresh", per_class=60)
    for label in ("A", "B"):
        (other / label).mkdir(parents=True)
        for number in range(4):
            film = films / label / "0.png" if number == 0 else fresh / label / f"{50 + number}.png"
            copy(film, other / label / f"o{number}.png")
    out = tmp_path / "run"
    command = [*trained[1][:4], "--hold-out", str(other), "--out", str(out), "--epochs", "1", "--device", "cpu"]
    assert main([*command, "--weights", str(trained[0])]) == 0
    card = load(out).card
    assert card.recipe["network"]["weights"] == "run"  # the folder's name: a card tells nothing of its machine
    assert card.data["splits"]["test"] == {"A": 4, "B": 4}
    assert any("2 training films share" in note for note in card.data["notes"])
    table = pd.read_parquet(out / "evaluation.parquet")
    assert set(table.loc[table["split"] == "test", "path"]) == {f"o{n}.png" for n in range(4)}
    assert not set(table.loc[table["split"] != "", "path"]) & {"0.png"}


def test_changes_on_the_command_line_are_checked_like_a_recipe() -> None:
    staged = adjusted(load_recipe("deep_cnn"), 21, None, 3)
    assert [stage.epochs for stage in staged.training.stages] == [20, 1]
    assert staged.training.seed == 3
    assert [stage.epochs for stage in adjusted(load_recipe("deep_cnn"), 1, None, None).training.stages] == [1]
    many = replace(staged.training, epochs=10, stages=tuple(Stage(epochs, 1e-3) for epochs in (1, 3, 3, 3)))
    shortened = adjusted(replace(staged, training=many), 2, None, None)
    assert [stage.epochs for stage in shortened.training.stages] == [1, 1]
    assert adjusted(load_recipe("shipped_resnet18"), 4, None, None).training.half_size_epochs == 3
    with pytest.raises(RecipeError, match="freeze"):
        adjusted(load_recipe("frozen_resnet"), None, "none", None)


def test_the_published_split_is_asked_for_by_name() -> None:
    first = load_recipe("resnet18_three_class")
    assert with_published_split(first).split == SplitConfig(validation=0.08, test=0.2)
    assert with_published_split(first).fingerprint != first.fingerprint
    with pytest.raises(RecipeError, match="deep_cnn has no published_split"):
        with_published_split(load_recipe("deep_cnn"))


def test_without_augmentation_says_what_the_augmentation_did(trained, capsys: pytest.CaptureFixture[str]) -> None:
    out = trained[0].with_name("run-without-augmentation")
    command = [*trained[1][:4], "--out", str(out), "--epochs", "2", "--device", "cpu", "--without-augmentation"]
    assert main(command) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "With augmentation less without, on 8 test films" in told
    with_, without = (
        stored(load(folder)).split("test") for folder in (trained[0], out)
    )  # by each model's operating points
    gap = compare(without, with_).differences["accuracy"]
    assert f"accuracy {gap.text()}" in told
    assert not load(out).card.recipe["augment"]
    alone = out.with_name("alone-without-augmentation")
    assert "No run with augmentation" in what_augmentation_did(out.with_name("alone"), alone)
    with pytest.raises(RecipeError, match="has no augmentation"):
        without_augmentation(load_recipe("phantom_cheat"))


def test_films_that_the_starting_checkpoint_learned_from_are_counted_and_said(
    trained: tuple[Path, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, command = trained
    recipe = Path(command[1])
    other = tmp_path / "other.toml"
    other.write_text(recipe.read_text().replace("split = { ", "split = { seed = 7, "))
    again = ["train", str(other), *command[2:4], "--out", str(tmp_path / "run"), "--epochs", "1", "--device", "cpu"]
    assert main([*again, "--weights", str(run)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "films left out of the judging" in said
    assert "run had learned from them" in said
    assert said.index("left out of the judging") < said.index("validation loss")  # before the first epoch
