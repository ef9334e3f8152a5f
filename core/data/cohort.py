"""The table all else reads: one row per film, and the ordered names of its classes."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core import identity
from core.data import findings, labels, masks
from core.data.film import opener
from core.data.film.radiograph import Radiograph
from core.data.film.values import Values
from core.data.film_id import FILM_ID, base_name, film_ids, unique
from core.data.joined_sources import Fetches, Maker, Makers
from core.data.masks import boxes_to_mask
from core.errors import CohortError, FilmError
from core.lazy import cached_property

__all__ = ["COLUMNS", "JOIN", "SPLITS", "Cohort", "boxes_to_mask", "concatenate", "file_name"]

COLUMNS = ("path", "label", "patient", "source", "view", "age", "sex", "split")
SPLITS = ("train", "validation", "test", "")
DRAWN = "drawn"  # stands for a stamp
JOIN = " + "  # between the names, and the layouts, of cohorts that were joined


@dataclass(frozen=True, eq=False)
class Cohort:
    """A named table of films.

    Args:
        name: for people ("COVID-19 Radiography Database").
        samples: one row per film; always ``COLUMNS``, text except age (years, NaN = unknown); unknown text is "".
            Always ``film_id`` as well, which names the film within the cohort ("COVID/images/COVID-1.png"): made here
            from the paths where the reader did not make it. Further columns: findings (see `core.data.findings`), lungs
            and truth (paths of masks), boxes ("x,y,w,h;..." in pixels of the film as stored), slices.
        classes: the labels, in the order of a model's outputs.
        notes: what the reader of the cohort noticed, in words.
        prepare: makes a file that is missing or damaged at a path (drawn films), and tells which those are.
        layout: a key of ``readers.LAYOUTS`` or "phantom"; several, with " + " between them, for joined cohorts.
        grounds: by what the layout was recognised, in words.
        fetch: gives the bytes of a film that is not a file on this machine, by its path, or None for others.
            What is found about films of such a cohort is never kept on disk.

    Raises:
        CohortError: a column is missing, or a label is not among the classes.
    """

    name: str
    samples: pd.DataFrame
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    prepare: Maker | Makers | None = None
    layout: str = "table"
    grounds: str = ""
    fetch: Callable[[str], bytes | None] | None = None

    def __post_init__(self) -> None:
        missing = [column for column in COLUMNS if column not in self.samples]
        if missing:
            came = f"the table of {self.name} lacks {', '.join(missing)}"
            raise CohortError(came, f"the columns {', '.join(COLUMNS)}")
        unknown = sorted(set(self.samples["label"].unique()) - set(self.classes))
        if unknown:
            raise CohortError(f"{self.name} has the labels {', '.join(unknown)}", f"only {', '.join(self.classes)}")
        samples = self.samples.reset_index(drop=True)
        if FILM_ID not in samples:
            samples = samples.assign(**{FILM_ID: film_ids(samples["path"])})
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "notes", tuple(self.notes))

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def fingerprint(self) -> str:
        """SHA-256 hex of what the rows say, with paths taken below their common folder: equal on every machine."""
        table = self.samples.assign(path=film_ids(self.samples["path"]))
        said = table[sorted({*COLUMNS, "planted", *map(findings.column, self.findings)} & set(table))]
        text = said.sort_values(["path", "label"]).to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(f"{self.classes}\n{text}".encode()).hexdigest()

    @property
    def key(self) -> str:
        """What results worked out from these films are known by, see `core.identity`; it is of this machine.

        Made of the rows, and of size and time of change of every file they name; those of drawn films follow from their
        paths. Reads no film, but asks the system about each (of many only now and then, see `core.identity.Stamps`).
        """
        stamps = self._stamps.of(lambda: self._undrawn)
        return identity.key("cohort", name=self.name, classes=self.classes, rows=self._rows, stamps=stamps)

    @cached_property
    def _stamps(self) -> identity.Stamps:
        return identity.Stamps()

    @cached_property
    def _undrawn(self) -> list[str]:
        """Every film and mask that the rows name, but for drawn ones; kept, for a page asks for the key at each run."""
        columns = [self.samples[name].array for name in ("path", "lungs", "truth") if name in self.samples]
        named = [path for column in columns for path in column if isinstance(path, str) and path]
        return [path for path in named if not self.is_drawn(path)]

    @cached_property
    def _rows(self) -> str:
        """SHA-256 hex of all that the rows say."""
        said = {str(name): "\0".join(map(str, self.samples[name].array)) for name in self.samples}
        return identity.key("rows", said=said)

    @property
    def findings(self) -> tuple[str, ...]:
        """What is said of each film as present, absent or unknown; () where films have one label each."""
        return findings.names(self.samples)

    def present(self) -> np.ndarray:
        """The findings of each film, float32 (N, F): 1 present, 0 absent, NaN unknown."""
        return findings.values(self.samples)

    def labels(self) -> np.ndarray:
        """Class indices, int64 (N,)."""
        return self.samples["label"].map({c: i for i, c in enumerate(self.classes)}).to_numpy(np.int64)

    def counts(self) -> pd.DataFrame:
        """Films by label (rows, in class order) and split (columns, those that occur)."""
        table = pd.crosstab(self.samples["label"], self.samples["split"])
        return table.reindex(index=list(self.classes), columns=[s for s in SPLITS if s in table], fill_value=0)

    def split(self, name: str) -> "Cohort":
        """The films of one split: "train", "validation", "test" or "" (in none)."""
        return self.where(self.samples["split"] == name)

    def where(self, mask: Iterable[bool]) -> "Cohort":
        """The films for which a boolean mask or series (N,) is true; classes stay."""
        return self.take(np.flatnonzero(np.asarray(mask, dtype=bool)))

    def take(self, indices: Sequence[int] | np.ndarray) -> "Cohort":
        """The films at these positions, in this order; classes stay."""
        return replace(self, samples=self.samples.iloc[np.asarray(indices, dtype=np.int64)])

    def draw(self, films: int, seed: int = 0) -> "Cohort":
        """At most ``films`` films of each label, drawn at random; order and classes stay.

        The first files by name are not a sample (a collection's children may be first). A film's turn follows from its
        identity and the seed alone, so more films later hold those of before.

        Raises:
            CohortError: fewer than one film of each label is asked for.
        """
        if films < 1:
            came = f"{films} films of each label were asked for"
            raise CohortError(came, "one film of each label at least", "Leave the limit out to use all")
        turn = [hashlib.sha256(f"{seed}\n{name}".encode()).hexdigest() for name in self.samples[FILM_ID].astype(str)]
        place = pd.Series(turn).groupby(self.samples["label"].to_numpy()).rank(method="first")
        return self.where(place.to_numpy(float) <= films)

    def relabel(self, mapping: Mapping[str, str], classes: Sequence[str]) -> "Cohort":
        """The same films under a model's class names; those whose label means none of them are dropped, with a note.
        They have one label each then, and no findings beside it.

        Args:
            mapping: label -> class, as a recipe lists it; other spellings and synonyms follow from the vocabulary.
            classes: in the order of the outputs.
        """
        label = self.samples["label"].map(labels.resolve(self.classes, mapping, classes))
        kept = label.isin(list(classes))
        dropped = self.samples.loc[~kept, "label"].value_counts()
        note = ", ".join(f"{n} {name or 'unlabelled'}" for name, n in dropped.items())
        notes = (*self.notes, f"left out by their label: {note}") if note else self.notes
        single = self.samples.drop(columns=[findings.column(name) for name in self.findings])
        return replace(self, samples=single[kept].assign(label=label[kept]), classes=tuple(classes), notes=notes)

    def with_findings(self, mapping: Mapping[str, str], classes: Sequence[str]) -> "Cohort":
        """The same films with what is known of a model's findings, see `findings.to_model`; labels stay.

        Films of which nothing is known are dropped, with a note.

        Args:
            mapping: as of `relabel`, and ``classes`` likewise.
        """
        known = findings.to_model(self.samples, classes, mapping, self.classes)
        kept = ~np.isnan(known).all(axis=1)
        note = f"left out, nothing is known of the model's findings: {int((~kept).sum())} films"
        bare = self.samples.drop(columns=[findings.column(name) for name in self.findings])
        columns = {findings.column(name): known[:, place] for place, name in enumerate(classes)}
        notes = self.notes if kept.all() else (*self.notes, note)
        return replace(self, samples=bare.assign(**columns)[kept], notes=notes)

    def renamed(self, names: Mapping[str, str]) -> "Cohort":
        """The same films with some labels under other names ("1" under "COVID-19"); labels that are not here are no
        error, for the names may be meant for a cohort beside it."""
        here = {old: new for old, new in names.items() if old in self.classes}
        if not here:
            return self
        label = self.samples["label"].map(lambda word: here.get(word, word))
        classes = tuple(dict.fromkeys(here.get(word, word) for word in self.classes))
        note = f"labels renamed: {', '.join(f'{old} to {new}' for old, new in here.items())}"
        return replace(self, samples=self.samples.assign(label=label), classes=classes, notes=(*self.notes, note))

    def without(self, positions: Iterable[int], note: str) -> "Cohort":
        """All films but those at these positions, and a note on why."""
        keep = np.ones(len(self), dtype=bool)
        keep[list(positions)] = False
        return replace(self.where(keep), notes=(*self.notes, note))

    def with_splits(self, splits: "pd.Series | Sequence[str] | np.ndarray") -> "Cohort":
        """The same films with other splits (N,): "train", "validation", "test" or ""."""
        values = [str(s) for s in splits]
        unknown = sorted(set(values) - set(SPLITS))
        if unknown or len(values) != len(self):
            problem = f"the split {unknown[0]!r} is unknown" if unknown else f"{len(values)} came for {len(self)} films"
            raise CohortError(problem, "train, validation, test or nothing for each film")
        return replace(self, samples=self.samples.assign(split=values))

    def film(self, i: int) -> Radiograph:
        """Read (or draw) film ``i``."""
        return opener.read(*self._source(i))

    def values(self, i: int) -> Values:
        """The values of film ``i`` before they are windowed."""
        return opener.read_with_values(*self._source(i))[1]

    def _source(self, i: int) -> tuple[str | Path | bytes, str]:
        path = str(self.samples["path"].iat[i])
        data = self.fetch(path) if self.fetch is not None else None
        return self._file(i, "path") if data is None else data, base_name(path)

    def stamp(self, i: int) -> str:
        """Size and modification time of the file of film ``i`` as text; ``DRAWN`` where it follows from its path."""
        path = str(self.samples["path"].iat[i])
        return DRAWN if self.is_drawn(path) else "-".join(map(str, identity.stamp(path)))

    def is_drawn(self, path: str) -> bool:
        """Whether what is in a file follows from its path, and is nobody's; of joined cohorts others may be real."""
        return self.prepare is not None and self.prepare.makes(path)

    @cached_property
    def drawn(self) -> bool:
        """Whether every film is drawn."""
        return self.prepare is not None and all(map(self.is_drawn, self.samples["path"].astype(str).array))

    def mask(self, i: int, column: str, shape: tuple[int, int] | None = None) -> np.ndarray | None:
        """Bool (H, W) in the frame of film ``i`` from a column of mask paths, "outlines" or "boxes"; else None.

        A mask that is missing or cannot be read is none: the film is shown without it.

        Args:
            shape: of the film, where the caller has it open; else the film is read for it.
        """
        value = self.samples[column].iat[i] if column in self.samples else ""
        if not isinstance(value, str) or not value:
            return None
        frame, film = shape or self.film(i).shape, Path(str(self.samples["path"].iat[i]))
        if column == "boxes":
            return masks.of_boxes(value, film, frame)
        try:
            if column == "outlines":
                return masks.of_outlines(value, frame)
            return masks.read(self._file(i, column), film, frame)
        except (FilmError, CohortError):
            return None

    def _file(self, i: int, column: str) -> Path:
        path = Path(str(self.samples[column].iat[i]))
        if self.prepare is not None:
            self.prepare(path)
        if not path.is_file():
            came = f'There is no file "{path.name}"'
            raise FilmError(came, f"the files that {self.name} names", "Open the cohort again")
        return path


def concatenate(name: str, cohorts: Sequence[Cohort]) -> Cohort:
    """Several cohorts as one. The same patient name in two of them is the same patient; classes keep their order."""
    if not cohorts:
        raise CohortError("no cohorts to join", "one at least")
    fetches = tuple(dict.fromkeys(c.fetch for c in cohorts if c.fetch))
    prepares = tuple(dict.fromkeys(c.prepare for c in cohorts if c.prepare))
    samples = pd.concat([c.samples for c in cohorts], ignore_index=True)
    text = samples.columns.difference(samples.select_dtypes("number").columns)
    samples[text] = samples[text].fillna("")
    samples[FILM_ID] = unique([(c.name, c.samples[FILM_ID].tolist()) for c in cohorts])
    return Cohort(
        name,
        samples,
        tuple(dict.fromkeys(label for c in cohorts for label in c.classes)),
        tuple(f"{c.name}: {note}" for c in cohorts for note in c.notes),
        Makers(prepares) if len(prepares) > 1 else next(iter(prepares), None),
        JOIN.join(dict.fromkeys(c.layout for c in cohorts)),
        "; ".join(dict.fromkeys(c.grounds for c in cohorts if c.grounds)),
        Fetches(fetches) if len(fetches) > 1 else next(iter(fetches), None),
    )


def file_name(path: str) -> str:
    """The last part of a film's path: what may leave this machine, for a folder may name a person."""
    return base_name(path)
