"""A search in a PACS as a cohort: NAME.pacs.toml names the search and a table of labels; films are read when asked for.

    labels = "labels.csv"          # beside this file: label, and SOPInstanceUID or AccessionNumber; patient, split, ...
    [query]                        # see core.data.dicomweb.query.Query
    since = "20240101"
    modalities = ["DX", "CR"]
    view = "PA"

The server is the one that `core.data.dicomweb.server.configured` finds. No film and no identity is written to disk: a
film's path is made of a hash of its SOP instance UID.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from core.data import spreadsheet
from core.data.cohort import Cohort
from core.data.dicomweb.client import Pacs
from core.data.dicomweb.query import Found, Query
from core.data.dicomweb.server import Server, configured
from core.data.film_id import base_name
from core.data.table import FILES, samples
from core.errors import CohortError, FilmError, PacsAwayError, PacsError
from core.lazy import cached_property

SUFFIX = ".pacs.toml"
FOLDER = "pacs"
_KEYS = {"sopinstanceuid": "uid", "uid": "uid", "accessionnumber": "accession", "accession": "accession"}
_REMEDY = "See docs/pacs.md"


def recognise(path: Path) -> str:
    """A file of that suffix."""
    return f"the suffix {SUFFIX}" if path.is_file() and path.name.lower().endswith(SUFFIX) else ""


@dataclass(frozen=True, eq=False)
class Fetch:
    """Gets a film's bytes by its path."""

    server: Server
    films: Mapping[str, Found]

    def __call__(self, path: str) -> bytes | None:
        found = self.films.get(base_name(path))
        if found is None:
            return None
        try:
            return self._pacs.retrieve(found.study, found.series, found.uid)
        except PacsAwayError:
            raise
        except PacsError as error:  # this film is unavailable; others may not be
            raise FilmError(error.came, error.expected, error.remedy) from error

    @cached_property
    def _pacs(self) -> Pacs:
        return Pacs(self.server)

    def __getstate__(self) -> dict[str, Any]:
        return {"server": self.server, "films": self.films}  # connections stay with their process


def read(path: Path) -> Cohort:
    """The films of the search that have a label.

    Raises:
        CohortError: a file that cannot be understood, or no film with a label.
        PacsError: no server, or no usable answer.
    """
    table = _table(path)
    query, labels = _query(table, path.name), _labels(table, path)
    server = configured()
    if server is None:
        raise CohortError("no PACS is configured", "a DICOMweb server in HILUM_DICOMWEB", _REMEDY)
    rows, films, unlabelled = [], {}, 0
    used: set[tuple[str, str]] = set()
    for found in Pacs(server).search(query):
        key = next((k for k in (("uid", found.uid), ("accession", found.accession)) if k in labels), None)
        if key is None:
            unlabelled += 1
            continue
        used.add(key)
        name = f"{found.token(server.secret)}.dcm"
        films[name] = found
        own = {"path": f"/{FOLDER}/{name}", "patient": found.patient_key, "source": server.name, "view": found.view}
        rows.append(own | {column: value for column, value in labels[key].items() if value})
    if not rows:
        came = f"no film of the search has a label ({unlabelled:,} films, {len(labels):,} labels)"
        raise CohortError(came, "a table of labels by SOPInstanceUID or AccessionNumber", _REMEDY)
    made, notes = samples(rows, Path("/"))
    made["path"] = [f"/{FOLDER}/{base_name(name)}" for name in made["path"]]
    if unlabelled:
        notes = (*notes, f"{unlabelled:,} films of the search left out: no label")
    if missing := len(labels.keys() - used):
        notes = (*notes, f"{missing:,} labels name no film of the search")
    classes = tuple(sorted(set(made["label"])))
    return Cohort(path.name[: -len(SUFFIX)], made, classes, notes, layout="pacs", fetch=Fetch(server, films))


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise CohortError(f'"{path.name}" is no TOML', "labels and [query]", _REMEDY) from None


def _query(table: Mapping[str, Any], name: str) -> Query:
    given = table.get("query", {})
    known = [one.name for one in fields(Query)]
    if unknown := sorted({*table} - {"labels", "query"}) or not isinstance(given, dict) or sorted({*given} - {*known}):
        came = f'"{name}" has the setting {unknown[0] if isinstance(unknown, list) else "query"}'
        raise CohortError(came, f"labels, and in [query] some of {', '.join(known)}", _REMEDY)
    lists = {"modalities": tuple(given["modalities"])} if isinstance(given.get("modalities"), list) else {}
    values: dict[str, Any] = {**given, **lists}
    if wrong := [k for k, v in values.items() if not isinstance(v, tuple if k == "modalities" else str)]:
        raise CohortError(f"{wrong[0]} in {name} is {type(values[wrong[0]]).__name__}", "text in quotes", _REMEDY)
    return Query(**values)


def _labels(table: Mapping[str, Any], path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What the table of labels says, by ("uid" or "accession", value)."""
    if not isinstance(table.get("labels"), str):
        raise CohortError(f'"{path.name}" names no labels', 'labels = "FILE.csv"', _REMEDY)
    data = spreadsheet.read(path.parent / table["labels"])
    heads = {head: _KEYS.get(head.lower(), head.lower()) for head in map(str, data.columns)}
    data = data.rename(columns=heads)
    keys = [kind for kind in ("uid", "accession") if kind in data]
    if "label" not in data or not keys:
        came = f"the table of labels has the columns {', '.join(heads)}"
        raise CohortError(came, "label, and SOPInstanceUID or AccessionNumber", "Rename the columns")
    kept = [column for column in map(str, data.columns) if column not in (*keys, *FILES, "boxes")]
    return dict(_by_key(data, keys, kept))


def _by_key(
    data: pd.DataFrame, keys: Sequence[str], kept: Sequence[str]
) -> "list[tuple[tuple[str, str], dict[str, str]]]":
    found = []
    for row in data.to_dict("records"):
        if row["label"]:
            said = {str(column): str(row[column]) for column in kept}
            found += [((kind, str(row[kind])), said) for kind in keys if row[kind]]
    return found
