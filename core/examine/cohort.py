"""A whole cohort examined: one row for each film and method, by `core.run`. What rows hold, and their summary:
`core.explain.cohort`.

The question is about the class that the film is labelled with, or the one the model called, or each of all (``of``):
where is the evidence for it? Films whose label means nothing to the model are left out by the caller.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from core import identity
from core.data.cohort import Cohort
from core.data.film_id import FILM_ID, base_name
from core.errors import FilmError
from core.examine.examined import CODE, Examined, examine
from core.examine.localisation import TRUTHS
from core.examine.together import BATCH, left_together, lungs_together, predict_together
from core.explain.cohort import KEPT, MARKED, NUMBERS, Of, columns
from core.explain.heatmap import Heatmap
from core.explain.methods import METHODS
from core.lazy import cached_property
from core.lungs.segment import weights_sha256
from core.model.checkpoint import Checkpoint
from core.model.classifier import Backend, Classifier
from core.run import stream
from core.run.parts import Columns, Row
from core.shelf import Shelf

_OF = "\t"  # between method and class in a unit, where each class is asked for


class Explain:
    """The heatmaps of each film as numbers, see `core.run.stream.Work`; a unit is a method, with ``of="all"`` a method
    and a class.

    Rows hold shares of 0 to 1, NaN where there is no lung mask, no truth (a "truth" mask or "boxes" of the cohort) or
    no curve. Beside ``hit`` stand its chances, ``hit_area``, ``hit_lung_prior`` and so on. ``blank`` is 1 for a map
    without positive evidence: its lung share is NaN, and against a truth it scores 0. ``outside`` is 1 where the truth
    lies wholly outside the picture: neither a hit nor a miss. ``domain`` is "in", "doubtful" or "out"; of a film that
    is out, ``predicted`` is "" and ``probability`` NaN, as in all tables of films; its map is of ``class`` all the
    same. No sentence names a file.

    Args:
        classifier: whose heatmaps they are.
        methods: keys of `core.explain.methods.METHODS`.
        layer: a stage of the network; its usual one unless given.
        of: whose evidence is judged: the film's own class, the class the model called, or every class. What a finding
            is compared with is told of its own class only.
        curves: deletion, insertion and ROAD as well (a second per film).
        shelf: makes the shelf of each film's parts.
    """

    columns = Columns(("class", "predicted", "domain"), ("probability", *NUMBERS))

    def __init__(
        self,
        classifier: Classifier,
        methods: Sequence[str] = ("gradcam",),
        *,
        layer: str | None = None,
        of: Of = "label",
        curves: bool = False,
        shelf: Callable[[], Shelf] = Shelf,
    ) -> None:
        self.classifier, self.layer, self.of, self.curves, self.shelf = classifier, layer, of, curves, shelf
        self.methods = tuple(methods)
        every = [f"{method}{_OF}{name}" for method in methods for name in classifier.classes]
        self.units = tuple(every) if of == "all" else self.methods

    @property
    def batch(self) -> int:
        """How many films to take together: few where a method takes seconds, so that rows come soon."""
        slowest = {METHODS[method].cost for method in self.methods}
        return 1 if "slow" in slowest or self.curves else 4 if "seconds" in slowest else BATCH

    @cached_property
    def key(self) -> str:
        """Of weights, settings and code; not of the methods, which are units."""
        return rows_key(self.classifier, layer=self.layer, of=self.of, curves=self.curves)

    def shipped(self) -> "Callable[[], Explain]":
        """The checkpoint travels with it, so no other machine needs its folder."""
        settings = {"layer": self.layer, "of": self.of, "curves": self.curves}
        return partial(_opened, self.classifier.checkpoint, self.classifier.backend, self.methods, settings)

    def __call__(self, films: Cohort, units: Sequence[tuple[str, ...]]) -> list[Row]:
        """The rows of a batch: its films pass each network together, and each is read once for all its units."""
        found: dict[int, list[Row]] = {}
        opened: dict[int, Examined] = {}
        names = films.samples[FILM_ID].astype(str).tolist()
        for place, name in enumerate(names):
            try:
                opened[place] = open_film(self.classifier, films, place, self.shelf())
            except FilmError as error:
                said = str(error).replace(base_name(str(films.samples["path"].iat[place])), name)
                found[place] = [{"id": name, "unit": unit, "error": said} for unit in units[place]]
        group = list(opened.values())
        network = self.classifier.network
        lungs_together(group)
        predict_together(group, (self.layer or network.usual_layer) if "maps" in network.tells else None)
        maps = {place: [self._map(one, unit) for unit in units[place]] for place, one in opened.items()}
        left_together([(opened[place], map_) for place, made in maps.items() for map_ in made])
        for place, one in opened.items():
            pairs = zip(units[place], maps[place], strict=True)
            found[place] = [self._row(one, names[place], unit, map_) for unit, map_ in pairs]
        return [row for place in range(len(names)) for row in found[place]]

    def _map(self, one: Examined, unit: str) -> Heatmap:
        method, _, name = unit.partition(_OF)
        name = name or (one.label if self.of == "label" else one.prediction.label)
        asked = self.classifier.classes if self.of == "all" else [name]  # all of them cost hardly more than one
        return one.heatmaps(method, asked, self.layer)[name]

    def _row(self, one: Examined, film: str, unit: str, map_: Heatmap) -> Row:
        said, name = one.prediction, map_.class_name
        told = one.measures(map_, self.curves)
        if self.of == "all" and name != one.label:  # the finding is another one's
            told |= dict.fromkeys(MARKED, float("nan"))
        facts = {"id": film, "unit": unit, "sha256": one.film.sha256, "error": "", "class": name}
        answer = {"predicted": "" if said.refused else said.answer, "probability": said.told[name]}
        return facts | answer | {"domain": said.domain.status} | told


def score(
    classifier: Classifier,
    cohort: Cohort,
    methods: Sequence[str] = ("gradcam",),
    *,
    progress: stream.Told = lambda done, total: None,
    **settings: Any,
) -> pd.DataFrame:
    """The rows of a cohort's readable films with what the cohort knows of them: see `Explain` and `table`."""
    work = Explain(classifier, methods, **settings)
    found = [row for rows in stream.rows(cohort, work, work.batch, progress) for row in rows if not row["error"]]
    return table(cohort, pd.DataFrame(found, columns=list(work.columns.schema.names)), classifier, work.key)


def table(
    cohort: Cohort, rows: pd.DataFrame, classifier: Classifier, key: str, ids: Sequence[str] | None = None
) -> pd.DataFrame:
    """Rows of `Explain` as `core.explain.cohort.columns`, film by film in the cohort's order.

    Args:
        rows: those of films of the cohort; the others are left out.
        key: of the rows.
        ids: what each film of the cohort is called in the rows; by default its identity.
    """
    names = pd.Index(cohort.samples[FILM_ID].astype(str) if ids is None else ids)
    place = names.get_indexer(pd.Index(rows["id"]))
    rows, place = rows[place >= 0], place[place >= 0]
    order = np.argsort(place, kind="stable")
    rows, samples = rows.iloc[order].reset_index(drop=True), cohort.samples.iloc[place[order]].reset_index(drop=True)
    known: dict[str, Any] = {name: samples.get(name, "") for name in KEPT}
    known |= {"key": key, "model": classifier.card.name, "cohort": cohort.name, "id": samples[FILM_ID].astype(str)}
    film = samples["path"].astype(str).map(base_name)
    method = rows["unit"].str.partition(_OF)[0] if len(rows) else rows["unit"]
    return rows.assign(film=film, method=method, **known)[columns()]


def open_film(classifier: Classifier, cohort: Cohort, position: int, shelf: Shelf | None = None) -> Examined:
    """A film of a cohort before a model, with what the cohort knows of it; FilmError where it cannot be read."""
    film = cohort.film(position)
    label = str(cohort.samples["label"].iat[position])
    return examine(classifier, film, label, lambda: truth_of(cohort, position, film.shape), shelf)


def open_films(classifier: Classifier, cohort: Cohort, positions: Iterable[int]) -> Iterator[tuple[int, Examined]]:
    """Those of some films of a cohort that can be read, with their positions."""
    for position in map(int, positions):
        try:
            yield position, open_film(classifier, cohort, position)
        except FilmError:
            continue


def truth_of(cohort: Cohort, position: int, shape: tuple[int, int]) -> np.ndarray | None:
    """Where the finding of a film (H, W) is known to be: its "truth" mask, else its "boxes"; else None."""
    for column in TRUTHS:
        mask = cohort.mask(position, column, shape)
        if mask is not None and mask.any():
            return mask
    return None


def rows_key(classifier: Classifier, **settings: Any) -> str:
    """What rows are known by, see `core.identity`; two rows of one key, film and method are one result."""
    return identity.key("rows", code=CODE, classifier=classifier.key, finder=weights_sha256(), **settings)


def _opened(checkpoint: Checkpoint, backend: Backend, methods: tuple[str, ...], settings: dict[str, Any]) -> Explain:
    return Explain(Classifier(checkpoint, backend), methods, **settings)
