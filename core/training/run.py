"""A training run, shared by `fit` and `finish`: a recipe, its films as it divides them, the folder of its state."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from core.errors import RecipeError
from core.lazy import cached_property
from core.model.checkpoint import find
from core.networks.zoo import build
from core.training import evidence_penalty, teachers
from core.training import state as states
from core.training.films import Films, films_of, prepare
from core.training.processes import ALONE, Processes
from core.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Run:
    """What a run is made of, prepared once by `begin`."""

    recipe: Recipe
    divided: Cohort  # under the recipe's classes and division; its notes say what was left out, and why
    folder: Path  # of the state, and in the end of the checkpoint
    device: str | None = None  # "cpu", "cuda", "mps"; None = the best there is
    progress: Progress = quiet  # told about films decoded and images trained
    processes: Processes = ALONE  # that train together
    lesson: teachers.Lesson | None = None  # films without a label, and who teaches them

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hex of recipe and films: what tells this run from another in the same folder."""
        own = states.run_fingerprint(self.recipe.fingerprint, self.divided.fingerprint)
        return states.run_fingerprint(own, self.lesson.fingerprint) if self.lesson else own

    @property
    def films_path(self) -> Path:
        """Where the decoded films are kept until the run is finished."""
        return states.films_path(self.folder, self.fingerprint)

    @property
    def taught_path(self) -> Path:
        """Where the decoded films of the lesson are kept until the run is finished."""
        return self.films_path.with_stem(self.films_path.stem + "-taught")

    @property
    def answers_path(self) -> Path:
        """Where the teachers' answers are kept until then."""
        return self.taught_path.with_suffix(".npz")

    def taught(self, begun: bool) -> Films:
        """The films of the lesson, decoded once as those with labels are; who calls this knows that there is one."""
        assert self.lesson is not None
        r = self.recipe
        lungs = r.training.lungs > 0
        return films_of(self.lesson.films, r.preprocess, self.taught_path, self.progress, lungs, begun)

    def state(self) -> states.State:
        """What the last finished epoch left, or a fresh state; CheckpointError if the folder holds another run."""
        return states.load(self.folder, self.fingerprint)

    def films(self, begun: bool) -> Films:
        """All films, decoded once and with lungs where the recipe asks for them; see `films.films_of`.

        Of several processes the first one decodes, and the others find the films.
        """
        if not self.processes.first:
            self.processes.wait()
        found = self._decoded(begun)
        if self.processes.first:
            self.processes.wait()
        return found

    def shown(self, training: Films, epoch: int) -> Films:
        """The training films as an epoch (1-based) sees them before augmentation: here, the same in each."""
        return training

    def _decoded(self, begun: bool) -> Films:
        r = self.recipe
        return films_of(self.divided, r.preprocess, self.films_path, self.progress, r.training.lungs > 0, begun)


def begin(
    cohort: Cohort,
    recipe: Recipe,
    folder: str | Path,
    device: str | None = None,
    progress: Progress = quiet,
    processes: Processes = ALONE,
    unlabelled: Cohort | None = None,
    taught_by: Sequence[str | Path] = (),
) -> Run:
    """Divide the films by the recipe; in a folder that holds the run already, `fit` goes on with it.

    Args:
        cohort: films under their own labels; the recipe's labels and division are applied here.
        recipe: what to do.
        folder: where the run's state lives, and in the end its checkpoint.
        device: "cpu", "cuda", "mps"; None = the best there is.
        progress: told about films looked at, decoded and trained on.
        processes: this one among those that train together, see `processes.joined`.
        unlabelled: further films to learn from, whose labels are not asked; ``taught_by`` then names the checkpoints
            that teach them (`teachers`).

    Raises:
        CohortError: the films do not suffice, or their outlines are unknown. CheckpointError: the first weights do not
        fit. RecipeError: several processes cannot follow the recipe.
    """
    folder = Path(folder)
    if processes.world > 1 and (recipe.training.outlines or recipe.training.lungs):
        came = f"the recipe {recipe.name} puts a price on misplaced evidence, a mean over the films of a whole batch"
        raise RecipeError(came, "one process for it", "Leave --processes out")
    if (unlabelled is None) != (not taught_by) or (taught_by and processes.world > 1):
        films = "no films" if unlabelled is None else f"{len(unlabelled)} films"
        came = f"{len(taught_by)} teachers and {films} without a label came to {processes.world} processes"
        raise RecipeError(came, "teachers and films for them to teach, in one process, or neither")
    if not (folder / states.FILE).exists():
        _refuse(cohort, recipe)
    if unlabelled is None:
        return Run(recipe, prepare(cohort, recipe, progress), folder, device, progress, processes)
    folders = [find(teacher) for teacher in taught_by]
    teachers.refuse(recipe, folders)
    divided, lesson = teachers.plan(prepare(cohort, recipe, progress, folders), unlabelled, folders, progress)
    return Run(recipe, divided, folder, device, progress, lesson=lesson)


def _refuse(cohort: Cohort, recipe: Recipe) -> None:
    """Raise what is wrong with the network, its weights or the outlines before any film is read."""
    n = recipe.network
    build(n.name, len(recipe.classes), n.weights, n.dropout, n.freeze)
    if recipe.training.outlines:
        evidence_penalty.known_by(cohort)
