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
from core.errors import FilmError
from core.model.classifier import Classifier, Prediction, batches

Outcome = tuple[Path, Prediction | FilmError]
SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom", ""}  # looked for in folders


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


def find_files(patterns: Sequence[str]) -> list[Path]:
    """Files by name, folder (everything in it that may be a film) or pattern with `*`, `?` and `**`; each once.

    Raises:
        FilmError: a pattern fits no file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and _visible_file(p, path))
        elif path.exists():
            files = [path]
        else:
            files = sorted(p for p in map(Path, glob.glob(pattern, recursive=True)) if p.is_file())
        if not files:
            raise FilmError(
                f"there is no film at {pattern}", "a file, a folder of films, or a pattern like films/*.png"
            )
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


def _visible_file(path: Path, root: Path) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
