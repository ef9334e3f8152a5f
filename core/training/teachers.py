"""Films without a label, which other models teach: each class and each place as their mean says (a noisy student).

Soft labels as in Hinton 2015; as in Xie 2020 the teachers see such films as they are, and mirrored, and the student
sees them augmented. What no radiologist has read then still shows the network how films of other hospitals look.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import cpu_count
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from core import identity
from core.atomic import replacing
from core.data.cohort import Cohort, concatenate
from core.data.progress import Progress
from core.data.split import groups
from core.errors import RecipeError
from core.explain.heatmap.votes import votes
from core.lazy import cached_property
from core.model.checkpoint import find, load, read_card
from core.model.classifier import Classifier
from core.networks.zoo import spec_of
from core.training.films import Films, readable, refuse_remote
from core.training.recipe import Recipe

BATCH = 32
PLACES = 64  # side of the maps as they are kept: finer than any teacher votes
TEACHES = ("activations", "odds")  # networks whose evidence at a place can be taught as a probability


@dataclass(frozen=True, eq=False)
class Lesson:
    """Films without a label and the checkpoints that teach them."""

    films: Cohort
    teachers: tuple[Path, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hex of the films and of the teachers' weights."""
        return identity.key("lesson", films=self.films.fingerprint, teachers=[load(t).weights for t in self.teachers])


def plan(divided: Cohort, unlabelled: Cohort, folders: Sequence[Path], progress: Progress) -> tuple[Cohort, Lesson]:
    """What is to be learned beside the labelled films, and these with a note on it.

    Args:
        divided: the labelled films.
        unlabelled: others; those that share a patient or a picture with a labelled film are left out.
        folders: of the teachers.

    Raises:
        CohortError: the films lie in a PACS.
    """
    refuse_remote(unlabelled)
    read = readable(unlabelled, progress)
    both = concatenate("both", [divided, read])
    group = groups(both, progress=progress)
    kin = np.isin(group[len(divided) :], group[: len(divided)])
    films = read.where(~kin)
    note = f"{len(films):,} films without a label ({unlabelled.name}) taught by {len(folders)} models"
    note += f"; {int(kin.sum()):,} left out as copies of labelled films, or of their patients"
    unread = read.notes[len(unlabelled.notes) :]
    return replace(divided, notes=(*divided.notes, *unread, note)), Lesson(films, tuple(folders))


def refuse(recipe: Recipe, teachers: Sequence[str | Path]) -> None:
    """Raise what keeps these teachers from teaching by this recipe.

    Raises:
        RecipeError: a teacher has other classes, or a setting needs every film's own label.
    """
    for teacher in teachers:
        card = read_card(find(teacher))
        if tuple(card.classes) != recipe.classes or card.output != recipe.output:
            came = f"the teacher {card.name} tells {', '.join(card.classes)}"
            raise RecipeError(came, f"the recipe's classes: {', '.join(recipe.classes)}")
        if recipe.training.outlines and spec_of(card.network).evidence != "odds":
            came = f"the teacher {card.name} does not tell what each place shows"
            raise RecipeError(came, "a network whose places vote by odds, or training.outlines = 0")
        theirs, ours = ((look.region, look.fit) for look in (card.preprocess, recipe.preprocess))
        if recipe.training.outlines and theirs != ours:
            came = f"the teacher {card.name} sees films in another frame ({', '.join(theirs)})"
            raise RecipeError(came, f"the recipe's: {', '.join(ours)}", "Its places would lie elsewhere on the film")
    config = recipe.training
    every = config.sampling == "uniform" and not config.class_weights and not config.augmented_copies
    if recipe.output != "softmax" or not every:
        came = "films without a label have no class by which to weigh, draw or copy them"
        remedy = "Leave sampling, class_weights and augmented_copies out of the recipe, or the teachers"
        raise RecipeError(came, "exclusive classes, drawn evenly", remedy)
    if config.outlines and (len(recipe.classes) != 2 or spec_of(recipe.network.name).evidence not in TEACHES):
        came = f"places of {len(recipe.classes)} classes and the network {recipe.network.name}"
        raise RecipeError(came, "two classes and a network with odds or class activations, or training.outlines = 0")


def joined(
    lesson: Lesson, training: Films, taught: Films, recipe: Recipe, kept: Path, device: torch.device, progress: Progress
) -> Films:
    """The labelled films, and behind them those that are taught: label -1, ``said`` what the teachers say.

    Args:
        taught: the lesson's films as the student's recipe sees them.
        kept: a file (.npz) for the teachers' answers, so that a run that goes on need not ask again.
    """
    if not kept.is_file():
        by_place, by_class = answers(lesson, device, progress)
        with replacing(kept) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, places=by_place, classes=by_class)
    with np.load(kept) as stored:
        places, said = torch.from_numpy(stored["places"]), torch.from_numpy(stored["classes"])
    outlines = lungs = None
    if training.outlines is not None:
        size = training.pictures.shape[-2:]
        grown = [functional.interpolate(part[:, None].float(), size, mode="bilinear") for part in places.split(BATCH)]
        outlines = torch.cat([training.outlines, *(part[:, 0].round().byte() for part in grown)])
    if training.lungs is not None and taught.lungs is not None:
        lungs = torch.cat([training.lungs, taught.lungs])
    known = functional.one_hot(training.labels, len(recipe.classes)).float()
    return Films(
        torch.cat([training.pictures, taught.pictures]),
        torch.cat([training.labels, torch.full((len(taught),), -1)]),
        outlines=outlines,
        lungs=lungs,
        said=torch.cat([known, said]),
    )


def answers(lesson: Lesson, device: torch.device, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """What the teachers say of each film and of its mirror image, the mean of all.

    Returns:
        The last class at each place, uint8 (N, 64, 64), 255 sure, 0 of teachers whose places do not vote; and the
        classes, float32 (N, C), probabilities from the mean of the logits.
    """
    models = [Classifier(load(teacher), "torch") for teacher in lesson.teachers]
    places, classes = [], []
    with ThreadPoolExecutor(cpu_count()) as pool:
        for start in range(0, len(lesson.films), BATCH):
            rows = range(start, min(start + BATCH, len(lesson.films)))
            films = list(pool.map(lesson.films.film, rows))
            told = []
            for model in models:
                images = model.tensor(np.stack(list(pool.map(model.picture, films))))
                told += [_asked(model, images, mirrored=False), _asked(model, images, mirrored=True)]
            places.append(torch.stack([place for place, _ in told]).mean(0))
            classes.append(torch.stack([logits for _, logits in told]).mean(0).softmax(1))
            progress("asking the teachers", rows.stop, len(lesson.films))
    return (255 * torch.cat(places)).round().byte().numpy(), torch.cat(classes).numpy()


def _asked(model: Classifier, images: torch.Tensor, mirrored: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Of a batch, or its mirror images: the last class at each place (B, 64, 64), turned back, and logits (B, C)."""
    turn: Callable[[torch.Tensor], torch.Tensor] = (lambda x: x.flip(-1)) if mirrored else (lambda x: x)
    map_ = model.features(turn(images))
    if spec_of(model.card.network).evidence == "odds":
        own = functional.interpolate(turn(votes(model.network.head, map_)[:, -1:]), (PLACES, PLACES), mode="bilinear")
        place = own[:, 0].float().cpu()
    else:
        place = torch.zeros(len(images), PLACES, PLACES)
    return place, model.head(map_).float().cpu()
