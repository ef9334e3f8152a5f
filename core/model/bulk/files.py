"""Files to predictions as fast as the machine can: every worker reads, prepares and scores its own batches.

Reading (Pillow), resizing (OpenCV) and scoring all work outside Python's global lock, so threads share one network and
need no second copy of it, and no core waits for another's stage.
"""

import glob
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from core.data.film.opener import read
from core.data.film.radiograph import Radiograph
from core.data.readers import open_cohort
from core.data.readers.files import LeftOut, walk
from core.data.spreadsheet import SUFFIXES
from core.errors import FilmError
from core.model.classifier import Classifier, Prediction, batches

Outcome = tuple[Path, Prediction | FilmError]


def predict_files(
    classifier: Classifier, paths: Iterable[Path], batch: int = 16, workers: int | None = None
) -> Iterator[Outcome]:
    """Each path with its prediction, or with the error that says why it has none; in order."""
    workers = workers or os.cpu_count() or 1
    _ = classifier.engine  # built once, before the workers ask for it
    waiting: deque[Future[list[Outcome]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for group in batches(paths, batch):
            waiting.append(pool.submit(_score, classifier, group))
            if len(waiting) > 2 * workers:  # few batches in memory, however many files there are
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def find_files(patterns: Sequence[str], left_out: LeftOut | None = None) -> list[Path]:
    """Files by name, folder, table or pattern with `*`, `?` and `**`; each once.

    In a folder the content decides what a film is, as it does in a cohort; a table (CSV, Parquet) gives its films.

    Args:
        left_out: is told what a folder or table holds besides films.

    Raises:
        FilmError: a pattern fits no film.
        CohortError: a table that cannot be read as one.
    """
    left_out = LeftOut() if left_out is None else left_out
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            files = list(walk(path, left_out))
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            cohort = open_cohort(path)
            files = [Path(p) for p in cohort.samples["path"]]
            for note in cohort.notes:
                left_out.say(note)
        elif path.exists():
            files = [path]
        else:
            files = sorted(p for p in map(Path, glob.glob(pattern, recursive=True)) if p.is_file())
        if not files:
            expected = "a file, a folder of films, or a pattern like films/*.png"
            raise FilmError(f"there is no film at {pattern}", expected, " ".join(left_out.notes()))
        found.update(dict.fromkeys(files))
    return list(found)


def _score(classifier: Classifier, paths: list[Path]) -> list[Outcome]:
    seen = [_see(classifier, path) for path in paths]
    good = [s for s in seen if not isinstance(s, FilmError)]
    predictions = iter(classifier.predict_seen(good) if good else [])
    return [(path, s if isinstance(s, FilmError) else next(predictions)) for path, s in zip(paths, seen, strict=True)]


def _see(classifier: Classifier, path: Path) -> tuple[Radiograph, np.ndarray] | FilmError:
    try:
        film = read(path)
        return film, classifier.picture(film)
    except FilmError as error:
        return error
