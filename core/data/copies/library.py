"""Descriptions of films, kept between runs by the SHA-256 of their files."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np

from core.data.copies.keypoints import PICTURE, Description, from_bytes, keypoints, shrunk
from core.data.copies.words import words_of
from core.data.film.radiograph import Radiograph
from core.data.signatures import VERSION as READ
from core.data.store import Store

_VERSION = f"{READ}-1"  # change it when a description changes
_IN_MEMORY = 2000  # descriptions, some 55 kB each
_AT_ONCE = 64  # films written together


class Library:
    """The descriptions of films; safe to share between threads."""

    def __init__(self) -> None:
        self._whole, self._bags = Store(f"keypoints-{_VERSION}"), Store(f"words-{_VERSION}")
        self._new: list[tuple[str, Description]] = []
        self._read: OrderedDict[str, Description] = OrderedDict()
        self._lock = Lock()

    def add(self, film: Radiograph) -> None:
        """Describe a film and keep that; `flush` ends a series."""
        found = describe(film.pixels)
        with self._lock:
            self._new.append((film.sha256, found))
            full = len(self._new) >= _AT_ONCE
        if full:
            self.flush()

    def flush(self) -> None:
        """Write what was added."""
        with self._lock:
            new, self._new = self._new, []
        self._whole.write((key, found.to_bytes()) for key, found in new)  # the words last: they say that it is there
        self._bags.write((key, found.words.astype("<u2").tobytes()) for key, found in new)

    def lacks(self, keys: Sequence[str]) -> list[str]:
        """Those of these films that are not described yet."""
        known = self._bags.known(keys)
        return [key for key in keys if key not in known]

    def bags(self, keys: Sequence[str]) -> list[np.ndarray]:
        """The words of each film, uint16 (n,); none for a film that is not described."""
        found = self._bags.read(keys)
        return [np.frombuffer(found.get(key, b""), "<u2") for key in keys]

    def load(self, keys: Sequence[str]) -> list[Description | None]:
        """The description of each film, None where there is none; those used last stay in memory."""
        with self._lock:
            absent = list(dict.fromkeys(key for key in keys if key not in self._read))
            for key, data in self._whole.read(absent).items():
                self._read[key] = from_bytes(data)
            found = [self._read.get(key) for key in keys]
            for key in keys:
                if key in self._read:
                    self._read.move_to_end(key)
            while len(self._read) > _IN_MEMORY:
                self._read.popitem(last=False)
        return found


def describe(pixels: np.ndarray) -> Description:
    """The keypoints and words of a film uint8 (H, W), and the film in small."""
    points, descriptors, film = keypoints(pixels)
    return Description(points, descriptors, words_of(descriptors), film.shape, shrunk(film, PICTURE))
