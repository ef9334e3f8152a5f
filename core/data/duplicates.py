"""Films that are the same picture: turned a little, rescaled, compressed again.

Candidates come from locality-sensitive hashing of the perceptual hashes, so that the work grows with the number of
films and not with its square: two films meet when, for one of some random choices of bits, one film upright agrees with
the other turned by one of the angles. Each candidate is then compared by its pixels: as it stands, and where that
leaves a doubt once more, laid over the other as well as an affine map can. Exact alignment brings copies that were
cropped, stretched or turned by an odd angle to 0.95 and more, and hardly helps different patients, who lack the detail
to agree on. On the real films copies lie within 36 of 256 bits, and different films beyond; drawn patients, who share
one skeleton, come as near in bits and reach a similarity of 0.92 as they stand, 0.93 aligned.
"""

import numpy as np
import pandas as pd

from core.data.signatures import ANGLES, MARGIN, SIDE, UPRIGHT, Signatures, turned

MAX_BITS = 36  # of 256; films whose hashes are further apart are not compared by pixels
MIN_SIMILARITY = 0.85  # correlation of the fine structure as it stands, below which films differ
CLEAR_SIMILARITY = 0.93  # from which they are one picture; between the two they must agree once aligned,
ALIGNED_SIMILARITY = 0.945  # to at least this
_TABLES = 24
_SEED = 0


def near_duplicates(signatures: Signatures) -> pd.DataFrame:
    """Pairs of one picture: first < second (positions), bits (of 256 that differ), similarity (0.93 to 1), aligned.

    Those that had to be aligned are in doubt: two exposures of one patient may pass as well.
    """
    pairs, bits, angles = candidates(signatures.hashes)
    unreadable = list(signatures.errors)
    good = ~np.isin(pairs, unreadable).any(axis=1)
    pairs, bits, angles = pairs[good], bits[good], angles[good]
    films = signatures.thumbnails
    judgements = [judged(films[a], films[b], ANGLES[k]) for (a, b), k in zip(pairs, angles, strict=True)]
    similarity, aligned = np.array(judgements, dtype=float).reshape(-1, 2).T
    places = {"first": pairs.min(axis=1), "second": pairs.max(axis=1)}
    table = pd.DataFrame(places | {"bits": bits, "similarity": similarity, "aligned": aligned > 0})
    table = table[table["similarity"] > 0].sort_values(["first", "second", "bits"])
    return table.drop_duplicates(["first", "second"]).reset_index(drop=True)


def candidates(hashes: np.ndarray, max_bits: int = MAX_BITS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of films whose hashes are close.

    Args:
        hashes: uint8 (N, angles, bytes).
        max_bits: the largest Hamming distance to keep.

    Returns:
        pairs int64 (M, 2): the film that was turned and the one that was not; bits int64 (M,) between them;
        angles int64 (M,): the index into ``ANGLES`` at which they are closest.
    """
    count, n_angles, n_bytes = hashes.shape
    upright = np.ascontiguousarray(hashes[:, UPRIGHT])
    every = np.ascontiguousarray(hashes.reshape(count * n_angles, n_bytes))
    width = max(14, int(np.ceil(np.log2(max(count, 2)))) + 4)  # bits: keeps the bins small as the cohort grows
    rng = np.random.default_rng(_SEED)
    found = []
    for _ in range(_TABLES):
        chosen = rng.choice(n_bytes * 8, width, replace=False)
        found.append(_meet(_keys(every, chosen), _keys(upright, chosen), every, upright, n_angles, max_bits))
    met = np.concatenate(found)  # (turned film and angle, upright film, bits)
    film = met[:, 0] // n_angles
    order = np.lexsort((met[:, 2], np.maximum(film, met[:, 1]), np.minimum(film, met[:, 1])))
    met, film = met[order], film[order]
    low, high = np.minimum(film, met[:, 1]), np.maximum(film, met[:, 1])
    new = np.ones(len(met), bool)
    new[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.stack([film[new], met[new, 1]], axis=1), met[new, 2], met[new, 0] % n_angles


def _keys(hashes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The chosen bits of each hash, read as a number: int64 (n,)."""
    keys = np.zeros(len(hashes), np.int64)
    for place, bit in enumerate(chosen):
        keys |= ((hashes[:, bit >> 3] >> (7 - (bit & 7))) & 1).astype(np.int64) << place
    return keys


def _meet(
    wanted: np.ndarray, keys: np.ndarray, every: np.ndarray, upright: np.ndarray, n_angles: int, max_bits: int
) -> np.ndarray:
    """Rows (index into ``every``, index into ``upright``, bits) of different films in the same bin and close enough."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start, stop = np.searchsorted(ordered, wanted, "left"), np.searchsorted(ordered, wanted, "right")
    kept = []
    for block in np.array_split(np.arange(len(wanted)), max(1, int((stop - start).sum() // 2_000_000))):
        size = (stop - start)[block]
        left = np.repeat(block, size)
        within = np.arange(len(left)) - np.repeat(np.cumsum(size) - size, size)
        right = order[np.repeat(start[block], size) + within]
        other = left // n_angles != right
        left, right = left[other], right[other]
        bits = np.bitwise_count(every[left] ^ upright[right]).sum(axis=1, dtype=np.int64)
        close = bits <= max_bits
        kept.append(np.stack([left[close], right[close], bits[close]], axis=1))
    return np.concatenate(kept).astype(np.int64)


def judged(first: np.ndarray, second: np.ndarray, degrees: float) -> tuple[float, bool]:
    """How alike two thumbnails uint8 (64, 64) are, the first turned, and whether that took aligning them.

    The similarity is 0.93 to 1 for one picture; 0 for two.
    """
    similarity = _similarity(first, second, degrees)
    if MIN_SIMILARITY <= similarity < CLEAR_SIMILARITY:
        similarity = _aligned_similarity(first, second, degrees)
        return (similarity if similarity >= ALIGNED_SIMILARITY else 0.0), True
    return (similarity if similarity >= CLEAR_SIMILARITY else 0.0), False


def _similarity(first: np.ndarray, second: np.ndarray, degrees: float) -> float:
    """Correlation of the fine structure of two thumbnails uint8 (64, 64), the first turned: -1 to 1."""
    a, b = _fine(turned(first, degrees)), _fine(turned(second, 0))
    return float((a * b).sum())


def _aligned_similarity(first: np.ndarray, second: np.ndarray, degrees: float) -> float:
    """The same once the first is laid over the second by an affine map, found from there (Evangelidis 2008, ECC)."""
    import cv2

    inside = slice(MARGIN, SIDE - MARGIN)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[inside, inside] = 1
    a, b = _fine(first), _fine(second)
    start = cv2.getRotationMatrix2D(((SIDE - 1) / 2, (SIDE - 1) / 2), degrees, 1.0)
    start = cv2.invertAffineTransform(start).astype(np.float32)  # from pixels of the second to those of the first
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-4)
    try:
        _, found = cv2.findTransformECC(b, a, start, cv2.MOTION_AFFINE, stop, mask, 3)
    except cv2.error:  # nothing in common to converge on
        return 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    over = cv2.warpAffine(a, found, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return float(np.corrcoef(over[inside, inside].ravel(), b[inside, inside].ravel())[0, 1])


def _fine(picture: object) -> np.ndarray:
    """float32, the structure finer than some four pixels, mean 0 and length 1."""
    from scipy.ndimage import gaussian_filter

    values = np.asarray(picture, np.float32)
    values = values - gaussian_filter(values, 4)
    values -= values.mean()
    unit: np.ndarray = values / (np.linalg.norm(values) + 1e-6)
    return unit
