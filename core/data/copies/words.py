"""Films as bags of visual words (Sivic and Zisserman 2003): which films may show one picture, without looking at pairs.

``words.npz`` holds 1,024 typical descriptors, learned by `benchmarks.copywords` from the films of public collections;
each is the mean of hundreds of small patches, and no patient can be seen in it. With their mirrored, inverted and
doubly flipped counterparts they are 4,096 words, closed under flipping: the words of a flipped film are known from
those of the film.
"""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from core.data.copies.keypoints import FLIPS, flipped_descriptors
from core.data.progress import Progress, quiet

LEARNED = Path(__file__).with_name("words.npz")
COUNT = 1024  # learned words
WORDS = COUNT * len(FLIPS)
NEAREST = 20  # films that each film is compared with
LEAST_WORDS = 25  # keypoints below which a film cannot be verified
_BLOCK = 512  # films compared with as many others at a time


def words_of(descriptors: np.ndarray) -> np.ndarray:
    """uint16 (n,): the nearest word of each descriptor uint8 (n, 128); word w + 1024 f is word w flipped by f."""
    centres, lengths = _vocabulary()
    nearness = descriptors.astype(np.float32) @ centres.T
    nearness -= lengths
    words: np.ndarray = nearness.argmax(axis=1).astype(np.uint16)
    return words


def nearest(bags: list[np.ndarray], progress: Progress = quiet) -> np.ndarray:
    """Pairs of films to compare by their keypoints: int64 (M, 3), first < second, and how the first is flipped.

    Args:
        bags: the words of each film, uint16 (n,).
        progress: told of the films done.

    Two films are compared by the cosine of their tf-idf vectors, with square roots against bursts of one word (Jegou
    2009). It is the same whichever film is flipped, so half of the comparisons suffice.
    """
    films = weighted(bags)
    count = films.shape[0]
    best = np.full((count, NEAREST), -1.0, np.float32)
    who = np.full((count, NEAREST), -1, np.int64)  # the other film and the flip, as one number
    flipping = [_flipped_columns(flip) for flip in range(len(FLIPS))]
    for start in range(0, count, _BLOCK):
        block = films[start : start + _BLOCK].toarray()
        rows = np.arange(start, start + len(block))
        for other in range(start, count, _BLOCK):
            columns = films[other : other + _BLOCK].toarray()
            numbers = np.arange(other, other + len(columns))
            similarity = np.stack([block[:, order] @ columns.T for order in flipping])
            flip = similarity.argmax(axis=0)
            most = similarity.max(axis=0)
            if other == start:
                np.fill_diagonal(most, -1)
            _keep(best, who, rows, numbers, most, flip)
            if other != start:
                _keep(best, who, numbers, rows, most.T, flip.T)
        progress("looking for copies", min(start + _BLOCK, count), count)
    first, place = np.nonzero(best > 0)
    second, flip = np.divmod(who[first, place], len(FLIPS))
    pairs = np.stack([np.minimum(first, second), np.maximum(first, second), flip], axis=1)
    as_they_are = pairs * (1, 1, 0)  # words tell a film from its mirror image badly, and most copies are not flipped
    return np.unique(np.concatenate([pairs, as_they_are]), axis=0).astype(np.int64)


def weighted(bags: list[np.ndarray]) -> csr_matrix:
    """float32 (N, 4096), sparse: square roots of word counts, weighted by rarity, each film of length 1."""
    lengths = [len(bag) if len(bag) >= LEAST_WORDS else 0 for bag in bags]
    words = np.concatenate([bag[:n] for bag, n in zip(bags, lengths, strict=True)] or [np.zeros(0)]).astype(np.int64)
    edges = np.concatenate([[0], np.cumsum(lengths)])
    counts = csr_matrix((np.ones(len(words), np.float32), words, edges), shape=(len(bags), WORDS))
    counts.sum_duplicates()
    counts.data = np.sqrt(counts.data)
    # a word and its flips are one patch: rare together, so that similarity does not depend on which film is flipped
    films_with = np.bincount(counts.indices, minlength=WORDS).reshape(len(FLIPS), COUNT).sum(axis=0)
    rarity = np.log((len(FLIPS) * len(bags) + 1) / (films_with + 1)).clip(0)
    counts = counts.multiply(np.tile(rarity, len(FLIPS)).astype(np.float32)).tocsr()
    length = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scale = np.repeat(1 / np.maximum(length, 1e-6), np.diff(counts.indptr))
    counts.data = (counts.data * scale).astype(np.float32)
    return counts


def _keep(
    best: np.ndarray, who: np.ndarray, rows: np.ndarray, numbers: np.ndarray, similarity: np.ndarray, flip: np.ndarray
) -> None:
    """Take into the best of ``rows`` those of the films ``numbers`` that are nearer."""
    few = min(NEAREST, similarity.shape[1])
    place = np.argpartition(-similarity, few - 1, axis=1)[:, :few]
    found = np.concatenate([best[rows], np.take_along_axis(similarity, place, 1)], axis=1)
    named = np.concatenate([who[rows], numbers[place] * len(FLIPS) + np.take_along_axis(flip, place, 1)], axis=1)
    order = np.argsort(-found, axis=1, kind="stable")[:, :NEAREST]
    best[rows], who[rows] = np.take_along_axis(found, order, 1), np.take_along_axis(named, order, 1)


def _flipped_columns(flip: int) -> np.ndarray:
    """Which word's column stands where once films are flipped: flips undo themselves, and combine by exclusive or."""
    word = np.arange(WORDS)
    return (word // COUNT ^ flip) * COUNT + word % COUNT


@cache
def _vocabulary() -> tuple[np.ndarray, np.ndarray]:
    """The words float32 (4096, 128), and half their squared lengths (4096,)."""
    with np.load(LEARNED) as arrays:
        learned = arrays["words"].astype(np.float32)
    centres = np.concatenate([flipped_descriptors(learned, flip) for flip in range(len(FLIPS))])
    return centres, (centres**2).sum(axis=1) / 2
