"""Several processes train as one does, and all are started again when one is killed."""

import os
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core import device as devices
from core.cli.launch import run as launch
from core.data.cohort import Cohort
from core.errors import RecipeError
from core.training import state
from core.training.films import Films, batches
from core.training.fit import fit
from core.training.processes import ALONE, Processes
from core.training.recipe import Recipe, TrainingConfig
from core.training.run import begin
from core.transform.augment import Augment, Step
from tests.training.test_fit import as_toml, run_of

# In float32, and in bfloat16 where the processor has it: there parts of a batch are rounded otherwise than the whole.
LOSSES_AGREE = [(True, 1e-3), *([(False, 1e-2)] if devices.has_bf16(torch.device("cpu")) else [])]
WORKER = """
    import os, signal, sys
    from pathlib import Path
    from core import device as devices
    from core.data.readers import open_cohort
    from core.training.fit import fit
    from core.training.processes import joined
    from core.training.recipe import load
    from core.training.run import begin

    films, recipe, folder, killed, whole = sys.argv[1:]
    if whole == "True":
        devices.has_bf16 = lambda device: False
    with joined("cpu") as (processes, device):
        for epoch in fit(begin(open_cohort(films), load(recipe), folder, device, processes=processes)):
            if processes.rank == 1 and epoch.epoch == 2 and not Path(killed).exists():
                Path(killed).touch()
                os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("whole", "apart"), LOSSES_AGREE)
def test_two_processes_learn_what_one_does_though_one_of_them_was_killed(
    whole: bool,
    apart: float,
    squares: Cohort,
    tiny_recipe: Recipe,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if whole:
        monkeypatch.setattr(devices, "has_bf16", lambda device: False)
    network, training = replace(tiny_recipe.network, dropout=0.0), replace(tiny_recipe.training, batch=7)
    recipe = replace(tiny_recipe, network=network, training=training)  # of 7 films the two have 3 and 4
    (tmp_path / "tiny.toml").write_text(as_toml(recipe).replace("batch = 8", "batch = 7"))
    root, killed = Path(squares.samples["path"][0]).parents[1], tmp_path / "killed"
    arguments = [str(root), str(tmp_path / "tiny.toml"), str(tmp_path / "two"), str(killed), str(whole)]
    assert launch([sys.executable, "-c", textwrap.dedent(WORKER), *arguments], 2) == 0
    assert killed.exists()
    assert "all are started again" in capfd.readouterr().err
    one = list(fit(begin(squares, recipe, tmp_path / "one", "cpu")))
    two = state.load(tmp_path / "two", run_of(squares, recipe)).history
    assert len(two) == len(one) == 3
    for alone, row in zip(one, two, strict=True):
        assert row["train_loss"] == pytest.approx(alone.train_loss, abs=apart)
        assert row["validation_loss"] == pytest.approx(alone.validation_loss, abs=apart)
        assert not whole or row["validation_accuracy"] == alone.validation_accuracy


@pytest.mark.parametrize("world", [2, 3, 8])
def test_the_parts_of_all_processes_are_the_batches_of_one(world: int) -> None:
    films = Films(torch.arange(11 * 64, dtype=torch.uint8).reshape(11, 8, 8), torch.arange(11))
    films = replace(films, lungs=films.pictures.flip(0))
    config, augment = TrainingConfig(batch=4), Augment((Step("rotate", {"angle": (-40, 40)}), Step("erase")))
    whole = list(batches(films, config, augment, 3))
    parts = [list(batches(films, config, augment, 3, Processes(rank, world))) for rank in range(world)]
    assert any(not len(part[-1][1]) for part in parts) == (world > 3)  # the last batch has three films
    for number, batch in enumerate(whole):
        for column, expected in enumerate(batch):
            got = [part[number][column] for part in parts if len(part[number][1])]
            assert torch.equal(torch.cat(got), expected)


def test_a_price_on_places_needs_one_process(squares: Cohort, tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(tiny_recipe, training=replace(tiny_recipe.training, lungs=1.0))
    with pytest.raises(RecipeError, match="Leave --processes out"):
        begin(squares, recipe, tmp_path, processes=Processes(0, 2))
    assert begin(squares, recipe, tmp_path, processes=ALONE).processes.first


def program(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def test_processes_are_numbered_and_only_the_first_speaks(capfd: pytest.CaptureFixture[str]) -> None:
    told = "import os; print(*(os.environ[n] for n in ('RANK', 'WORLD_SIZE', 'OMP_NUM_THREADS')))"
    assert launch(program(told), 2) == 0
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, (os.cpu_count() or 1) // 2))
    assert capfd.readouterr().out == f"0 2 {threads}\n"


def test_who_fails_by_itself_ends_all_and_is_heard(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.cli.launch._GRACE", 0.5)
    failing = """
        import os, sys, time
        if os.environ["RANK"] == "0":
            time.sleep(600)
        sys.exit("no films")
    """
    assert launch(program(failing), 2) == 1
    assert "no films" in capfd.readouterr().err


def test_who_is_killed_again_and_again_is_given_up() -> None:
    assert launch(program("import os, signal; os.kill(os.getpid(), signal.SIGTERM)"), 2, restarts=1) == 128 + 15
