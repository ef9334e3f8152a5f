"""Cohorts as they are now: opened once, and again when a folder or table of theirs changes."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from core import identity
from core.data.cohort import Cohort
from core.data.facets import Facets
from core.data.facets import facets as facets_of
from core.data.store import Store
from core.data.table import MANY
from core.lazy import cached_property
from pages.shared.resources.shelves import shelf

TABLES = (".csv", ".tsv", ".parquet", ".json", ".xlsx")  # files that say what a cohort's films are
WATCHED = 256  # folders of a cohort looked at for changes


@dataclass(frozen=True, eq=False)
class _Opened:
    """A cohort as it was opened: with the folders and tables that it came from, and what they were like."""

    cohort: Cohort
    watched: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]

    @cached_property
    def fingerprint(self) -> str:
        if len(self.cohort) <= MANY or not self.watched:
            return self.cohort.fingerprint
        store = Store("fingerprints-1")  # of a million rows it takes ten seconds
        key = identity.key("fingerprint", code=("data",), files=list(self.watched), stamps=list(map(list, self.stamps)))
        if (known := store.read([key]).get(key)) is not None:
            return known.decode()
        store.write([(key, self.cohort.fingerprint.encode())])
        return self.cohort.fingerprint

    @cached_property
    def facets(self) -> Facets:
        return facets_of(self.cohort)


def cohort(spec: str) -> Cohort:
    """A cohort by what the sidebar offers: "phantom:fair" and the like, or a path; opened anew where it changed."""
    return _opened(spec).cohort


def fingerprint(spec: str) -> str:
    """The fingerprint of a cohort's rows, as cards of models name it: equal on every machine."""
    return _opened(spec).fingerprint


def facets(spec: str, found: Cohort) -> Facets:
    """By what the films of a cohort can be told apart; ``found`` is the cohort that the page shows."""
    opened = _opened(spec)
    return opened.facets if opened.cohort is found else facets_of(found)


def _opened(spec: str) -> _Opened:
    from core.data.readers import open_cohort, split_layout

    key = identity.key("cohort", spec=spec)
    there: _Opened | None = shelf().get(key)
    if there is not None and there.stamps == _stamps(there.watched):
        return there
    with st.spinner("Opening the cohort"):
        found = open_cohort(spec)
    watched = _watched(split_layout(spec)[0], found)
    return shelf().put(key, _Opened(found, watched, _stamps(watched)))


def _stamps(paths: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    return tuple(identity.stamp(path) for path in paths)


def _watched(spec: str, found: Cohort) -> tuple[str, ...]:
    """The folders and tables of a cohort: a film that comes, goes or takes another's place changes its folder."""
    root = Path(spec).expanduser()
    if found.drawn or not root.is_dir():
        return (str(root),) if root.is_file() else ()
    folders = {Path(path).parent for path in found.samples["path"].astype(str)}
    folders |= {above for folder in folders for above in folder.parents if above.is_relative_to(root)} | {root}
    nearest = sorted(folders, key=lambda folder: (len(folder.parts), folder))[:WATCHED]
    tables = (file for folder in nearest for file in folder.iterdir() if file.suffix.lower() in TABLES)
    return tuple(map(str, [*nearest, *tables]))
