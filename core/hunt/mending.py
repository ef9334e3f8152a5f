"""Mend a model that goes by something it should not: a new checkpoint, trained on films on which that tells nothing.

- "last-layer": the head alone is fitted anew on balanced groups, the features stay (deep feature reweighting;
  Kirichenko et al., *Last Layer Re-Training is Sufficient for Robustness to Spurious Correlations*, ICLR 2023). Groups
  are made where a cohort has none: each film carries the cue of a film of any class.
- "hide": the whole network goes on learning from such films, which get other cues in each epoch: from one exchange a
  network that knows its films by heart learns them by heart again.
- "evidence": it goes on learning with a price on evidence outside the outlines of findings, where those are known, or
  else outside the lungs (`core.training.evidence_penalty`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch

from core import identity
from core.data.cohort import Cohort
from core.data.progress import Progress, quiet
from core.errors import RecipeError
from core.explain.swap import CUES, Sight
from core.lazy import cached_property
from core.model.checkpoint import Checkpoint
from core.networks.zoo import spec_of
from core.training import evidence_penalty
from core.training import run as runs
from core.training import state as states
from core.training.films import Films, films_of
from core.training.recipe import Recipe
from core.training.run import Run
from core.transform.augment import Step

How = Literal["last-layer", "evidence", "hide"]
EPOCHS = 24
LEARNING_RATE = 1e-3
_PRICE = 1.0  # of evidence in the wrong place
GENTLE = (  # of films whose recipe augments nothing: their lungs, too, would be learned by heart
    Step("rotate", {"angle": (-5.0, 5.0)}),
    Step("shift", {"x": (-4.0, 4.0), "y": (-4.0, 4.0)}),
    Step("contrast", {"factor": (0.8, 1.25)}),
)


@dataclass(frozen=True, eq=False)
class MendingRun(Run):
    """A run whose training films carry the cues of films of any class, others in each epoch.

    Its validation films do, too, the same in each; its test films stay as they are.
    """

    cues: tuple[str, ...] = ()

    @cached_property
    def fingerprint(self) -> str:
        """As of any run, and of the cues: a folder in which others were exchanged holds another run."""
        own = states.run_fingerprint(self.recipe.fingerprint, self.divided.fingerprint)
        return identity.key("mending", run=own, cues=list(self.cues))

    def films(self, begun: bool) -> Films:
        """All films with their lungs; the cues of the validation films exchanged."""
        if not self.cues:
            return super().films(begun)
        known = films_of(self.divided, self.recipe.preprocess, self.films_path, self.progress, True, begun)
        return self._dealt(known, (self.divided.samples["split"] == "validation").to_numpy(), 0)

    def shown(self, training: Films, epoch: int) -> Films:
        """The training films with their cues exchanged; another exchange in each epoch."""
        if not self.cues:
            return training
        dealt = self._dealt(training, np.ones(len(training), bool), epoch)
        return dealt if self.recipe.training.lungs else replace(dealt, lungs=None)  # a mask more is a price more

    def _dealt(self, films: Films, chosen: np.ndarray, epoch: int) -> Films:
        assert films.lungs is not None
        dealt = exchanged(
            films.pictures.numpy(), films.lungs.numpy(), films.labels.numpy(), chosen, self.cues,
            self.recipe.training.seed, epoch, self.progress,
        )  # fmt: skip
        return replace(films, pictures=torch.from_numpy(dealt))


def begin(
    checkpoint: Checkpoint,
    cohort: Cohort,
    how: Sequence[str],
    cues: Sequence[str],
    folder: str | Path,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress = quiet,
) -> MendingRun:
    """The run that mends a checkpoint; `core.training.fit.fit` and `core.training.finish.finish` do the rest.

    Args:
        checkpoint: with its folder, whose weights the run starts from.
        cohort: films like those it learned from.
        how: one or several of ``How``; "last-layer" leaves all but the head as it is.
        cues: keys of `core.explain.swap.CUES`, what it goes by; "evidence" alone needs none.

    Raises:
        RecipeError: an unknown way or cue, or one that this network does not bear. CohortError: as `run.begin`.
    """
    cues = tuple(dict.fromkeys(cues))
    recipe = recipe_of(checkpoint, how, cues, epochs, seed, cohort)
    run = runs.begin(cohort, recipe, folder, progress=progress)
    painted = cues if set(how) & {"last-layer", "hide"} else ()
    return MendingRun(run.recipe, run.divided, run.folder, run.device, run.progress, cues=painted)


def recipe_of(
    checkpoint: Checkpoint, how: Sequence[str], cues: Sequence[str], epochs: int, seed: int, cohort: Cohort
) -> Recipe:
    """The checkpoint's own recipe, started from its weights and changed as ``how`` says; its words tell the descent."""
    card = checkpoint.card
    if not how or any(way not in get_args(How) for way in how):
        raise RecipeError(f"{' and '.join(how) or 'nothing'} came as the way to mend", ", ".join(get_args(How)))
    if strange := [cue for cue in cues if cue not in CUES]:
        raise RecipeError(f"there is no cue {strange[0]!r}", f"one of {', '.join(CUES)}")
    if set(how) & {"last-layer", "hide"} and not cues:
        raise RecipeError(f"{' and '.join(how)} came without a cue", f"some of {', '.join(CUES)}", "Hunt first")
    if "position" in cues and "evidence" in how:
        raise RecipeError(
            "evidence came with the cue position", "films whose outlines stay where they are", "Leave one"
        )
    if not card.recipe or checkpoint.path is None:
        raise RecipeError(f"the card of {card.name} tells no recipe", "a checkpoint that was trained here")
    own = Recipe.from_dict({**card.recipe, "name": f"{card.name}-mended"})
    network = replace(own.network, weights=str(checkpoint.path), freeze="last-layer" in how)
    training = replace(
        own.training, epochs=epochs, learning_rate=LEARNING_RATE, schedule="onecycle", stages=(), patience=0,
        half_size_epochs=0, average=0.0, augmented_copies={}, seed=seed, outlines=0.0, lungs=0.0,
    )  # fmt: skip
    augment = own.augment or (() if network.freeze else GENTLE)
    if "evidence" in how:
        place = _known_place(own, cohort)
        price = {name: _PRICE if name == place else 0.0 for name in ("outlines", "lungs")}
        training = replace(training, outlines=price["outlines"], lungs=price["lungs"])
    named = ", ".join(CUES[cue].title for cue in cues)
    told = f"Mended from {card.name} by {' and '.join(how)}" + (f" against {named}" if named else "")
    return replace(
        own, network=network, augment=augment, training=training, title=f"{card.title}, mended", reference=f"{told}.",
        published={}, published_report={}, published_split=None, departures=(), not_stated=(),
    )  # fmt: skip


def exchanged(
    pictures: np.ndarray,
    lungs: np.ndarray,
    labels: np.ndarray,
    chosen: np.ndarray,
    cues: Sequence[str],
    seed: int = 0,
    epoch: int = 0,
    progress: Progress = quiet,
) -> np.ndarray:
    """Pictures whose cues come from films of any class, each class equally often: no cue tells the class any more.

    Args:
        pictures: uint8 (N, S, S).
        lungs: uint8 (N, S, S), 255 inside; a film that is lung everywhere has unknown lungs, and stays.
        labels: int (N,).
        chosen: bool (N,), the films that are changed, and whose cues they get.
        seed, epoch: another exchange for each pair of them.

    Returns:
        uint8 (N, S, S), a copy.
    """
    rng = np.random.default_rng([seed, 1, epoch])
    ordered = [cue for key, cue in CUES.items() if key in cues]  # the position last: it moves the lungs
    found = pictures.copy()
    known = np.flatnonzero(chosen & ~(lungs > 127).all(axis=(1, 2)) & (lungs > 127).any(axis=(1, 2)))
    by_class = [known[labels[known] == label] for label in np.unique(labels[known])]
    for done, place in enumerate(known, start=1):
        mine = Sight(pictures[place], lungs[place] > 127)
        for cue in ordered:
            donors = by_class[int(rng.integers(len(by_class)))]
            donor = int(donors[rng.integers(len(donors))])
            pasted = cue.paste(mine, Sight(pictures[donor], lungs[donor] > 127))
            mine = Sight(pasted, mine.lungs)
        found[place] = mine.picture
        progress("exchanging cues", done, len(known))
    return found


def _known_place(recipe: Recipe, cohort: Cohort) -> str:
    """The setting of the penalty that this network and cohort bear: "outlines" or "lungs"."""
    told = spec_of(recipe.network.name).evidence
    columns = [name for name in ("truth", "boxes") if name in cohort.samples]
    outlined = any(cohort.samples[name].astype(bool).any() for name in columns)
    if outlined and told and recipe.preprocess.region == "film":
        evidence_penalty.known_by(cohort)
        return "outlines"
    if told in ("activations", "odds"):
        return "lungs"
    raise RecipeError(
        f"{recipe.network.name} does not tell where its evidence lies, or these films not where findings are",
        "class activations, votes or odds, and outlines or lungs", "Mend it by hide or last-layer",
    )  # fmt: skip
