"""`python -m benchmarks.copywords`: learn the visual words that copies are looked for by (core/data/copies/words.npz).

From the keypoints of some films of every public cohort (HILUM_DATA). The words are means of hundreds of patches.
"""

import argparse

import numpy as np
from sklearn.cluster import MiniBatchKMeans

from core.data.cohort import concatenate
from core.data.copies.keypoints import keypoints
from core.data.copies.words import COUNT, LEARNED
from core.data.readers import cohorts_below, data_root, open_cohort

_SEED = 0


def main() -> None:
    """Write the words."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=1500, help="films to learn from (default: 1500)")
    args = parser.parse_args()
    whole = concatenate("all", [open_cohort(path) for path in cohorts_below(data_root())])
    chosen = np.random.default_rng(_SEED).permutation(len(whole))[: args.films]
    found = np.concatenate([keypoints(whole.film(int(i)).pixels)[1] for i in chosen]).astype(np.float32)
    clusters = MiniBatchKMeans(COUNT, batch_size=8192, n_init=1, max_iter=30, random_state=_SEED).fit(found)
    np.savez_compressed(LEARNED, words=clusters.cluster_centers_.round().clip(0, 255).astype(np.uint8))
    print(f"{COUNT} words from {len(found):,} keypoints of {len(chosen):,} films")


if __name__ == "__main__":
    main()
