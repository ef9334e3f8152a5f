"""Is a planted marker found by what is only looked at? ``python -m benchmarks.strategies [--seeds 10]``

For each seed, films that no training drew are put before `cheat` (films with the planted marker) and before `honest`
(fair films), and the concepts and strategies of every class are asked whether they shun the lungs. Found: one that
does so lies in the corners, where the marker is. Printed: how many seeds it is found in, for each class and for any,
and in how many a fair cohort yields a suspect. Nothing is pasted or hidden: that is the hunter's part.
"""

import argparse
from collections.abc import Sequence

import torch

from core.data.phantom.cohort import Kind, cohort
from core.explain.swap import ZONE_OF
from core.hunt.hunter import suspects, watched_by
from core.hunt.seen import look
from core.intervals import limits, proportion
from core.model.classifier import Classifier, open_classifier

FIRST = 100  # seed of the first cohort: the models' own films are of others
PAIRS: tuple[tuple[str, Kind], ...] = (("cheat", "confounded"), ("honest", "fair"))


def suspected(model: Classifier, kind: Kind, films: int, seed: int) -> list[tuple[str, str]]:
    """Class and zone of each concept and strategy that shuns the lungs, on ``films`` drawn films."""
    drawn = cohort(kind, films, FIRST + seed, size=model.card.preprocess.size)
    return [
        (name, zone) for name, zone, _ in suspects(watched_by(model, look(model, drawn, films, seed), model.classes))
    ]


def told(hits: Sequence[bool]) -> str:
    """``10 of 10 [0.72, 1.00]``."""
    return f"{sum(hits)} of {len(hits)} {limits(*proportion(sum(hits), len(hits)))}"


def main() -> None:
    """A line for each model and seed, then the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--films", type=int, default=96, help="of each cohort, a multiple of four (default: 96)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    models = [(open_classifier(name), kind) for name, kind in PAIRS]
    found: dict[Kind, list[list[tuple[str, str]]]] = {kind: [] for _, kind in models}
    for seed in range(args.seeds):
        for model, kind in models:
            found[kind].append(suspected(model, kind, args.films, seed))
            print(f"seed {seed}  {model.card.name} on {kind}:", found[kind][-1] or "nothing", flush=True)
    corner = ZONE_OF["corner"]
    for name in models[0][0].classes:
        print(f"marker found, {name}: {told([(name, corner) in one for one in found['confounded']])}")
    print(f"marker found, any class: {told([any(zone == corner for _, zone in one) for one in found['confounded']])}")
    print(f"fair cohorts with a suspect: {told([bool(one) for one in found['fair']])}")


if __name__ == "__main__":
    main()
