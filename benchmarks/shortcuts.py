"""Which planted shortcuts are found, and by what? ``python -m benchmarks.shortcuts [--kinds ...] [--strengths ...]``

Small networks learn from drawn films that carry one of twelve shortcuts, at each strength and seed, and from as many
clean films (strength 0: they carry it, and it tells nothing). Each is judged on films it never saw by the audit of its
films, by trust cards, by concepts and strategies, and by the hunter. Printed: AUROC of each score, planted against
clean, how many planted ones lie above what at most one clean network of twenty reaches, and which kinds do not; of few
clean networks that limit is their highest score, and the interval of the false alarms says how little they tell. The
hunter looks into the class that the shortcut goes with. Rows are kept in a CSV as they come; started again, it goes on.

``--write`` keeps one row of each kind, of the highest strength and the lowest seed, in weights/battery.json: the
figures of the Shortcut lab's seventh step.
"""

import argparse
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.battery import accuracy, first_alarms, keep, read, trained
from core.atomic import write_whole
from core.data.cohort import Cohort
from core.data.phantom.shortcuts import CARRIER, KINDS, STRENGTHS, Planted
from core.evaluate import ranking
from core.examine.cohort import open_films
from core.examine.concepts import METHOD
from core.explain.trust.evidence import lung_line, occlusion_line, response_line
from core.explain.trust.faithfulness import against_chance
from core.hunt.hunter import hunt
from core.intervals import limits, proportion, rank_films, settle
from core.model.classifier import Classifier
from core.resamples import drawn
from pages.shared import shipped

SCORES = ("audit", "trust", "strategies", "hunter")
SHOWN = ("strength", "seed", "home", "elsewhere", "hunter", "hypotheses", "first")  # by the Shortcut lab
CARDS = 8  # trust cards of each network at most


@dataclass(frozen=True)
class Row:
    """One network: what it is worth at home and on films where the shortcut tells nothing, and what is said of it.

    Args:
        home, elsewhere: accuracy, 0 to 1.
        audit: failed tests of its films.
        trust: share of the checks of its trust cards that speak against the map, 0 to 1; see `doubted`.
        strategies: how far the evidence of a concept or strategy stays below the lungs' area, 0 to 1.
        hunter: the largest effect that even its interval's lower end reaches, 0 to 1.
        first: class and cue, or attribute, of the first hypothesis; "" without one.
    """

    kind: str
    strength: float
    seed: int
    home: float
    elsewhere: float
    audit: float
    trust: float
    strategies: float
    hunter: float
    hypotheses: int
    first: str


COLUMNS = [field.name for field in fields(Row)]


def judged(kind: Planted, strength: float, seed: int, films: int, hunted: int, epochs: int | None) -> Row:
    """Train one network and judge it."""
    one = trained(kind, strength, seed, films, epochs)
    found = hunt(one.model, one.held, hunted, seed, always=True, class_names=[CARRIER])
    near, far = accuracy(one.model, one.held), accuracy(one.model, one.elsewhere)
    first = found.hypotheses[0] if found.hypotheses else None
    return Row(
        kind, strength, seed, near, far, float(found.offered), doubted(one.model, one.held, seed), found.shunned,
        found.strongest, len(found.hypotheses), f"{first.class_name}: {first.cue or first.subject}" if first else "",
    )  # fmt: skip


def doubted(model: Classifier, films: Cohort, seed: int) -> float:
    """Share of a trust card's checks that speak against the map, mean over `CARDS` films called `CARRIER` at most.

    Of the card only its evidence is worked out: its other lines speak of film and model. Blank maps have no
    such card. 0 where there is none to warn of anything.
    """
    against: list[float] = []
    for _, film in open_films(model, films, np.random.default_rng(seed).permutation(len(films))):
        if len(against) == CARDS:
            break
        if CARRIER in film.prediction.called:
            map_ = film.heatmaps(METHOD, [CARRIER])[CARRIER]
            if map_.blank:
                continue
            found = against_chance(model, film.picture, map_, film.bank)
            lines = lung_line(map_.values, film.lungs), occlusion_line(map_, found, None), response_line(map_, found)
            against.append(float(np.mean([line.verdict == "bad" for line in lines])))
    return float(np.mean(against)) if against else 0.0


def auroc(planted: np.ndarray, clean: np.ndarray) -> tuple[float, float, float]:
    """The chance that a planted network scores above a clean one, ties by half, and its interval over networks."""
    scores, positive = np.concatenate([planted, clean]), np.repeat([True, False], [len(planted), len(clean)])
    samples = ranking.areas(scores, positive, drawn(np.arange(len(scores))))[0]
    value, fewer = float(samples[0]), min(len(planted), len(clean))
    most = rank_films(value, len(planted), len(clean))
    return value, *settle(value, samples[1:], fewer, most=most, silent=2.0 * fewer)


def summary(table: pd.DataFrame) -> str:
    """For each strength one line of each score, with the kinds that stay unseen by it; then the false alarms.

    A score that a row lacks is left out, and the counts say so.
    """
    table = table.assign(**{score: pd.to_numeric(table[score], errors="coerce") for score in SCORES})
    clean, planted = table[table["strength"] == 0], table[table["strength"] > 0]
    lines = [f"{len(planted)} planted, {len(clean)} clean networks; shortcut of {CARRIER}"]
    limit = {score: first_alarms(clean[score].dropna().tolist()) for score in SCORES}
    for strength, some in planted.groupby("strength", sort=False):
        for score in SCORES:
            seen = some[some[score].notna()]
            if len(seen) and limit[score] == limit[score]:
                lines.append(f"strength {strength:g}  {score:10s}  {_detected(seen, clean, score, limit[score])}")
        named = some["hypotheses"] > 0
        unnamed = ", ".join(dict.fromkeys(some["kind"][~named])) or "none"
        lines.append(f"strength {strength:g}  with a hypothesis: {named.sum()} of {len(some)}; without: {unnamed}")
    for score in SCORES:
        known = clean[score].dropna()
        alarms = int((known > limit[score]).sum())
        told = f"{alarms} of {len(known)} {limits(*proportion(alarms, len(known)))}"
        lines.append(f"clean networks above the limit of {score}: {told}")
    return "\n".join([*lines, f"clean networks with a hypothesis: {int((clean['hypotheses'] > 0).sum())}"])


def _detected(planted: pd.DataFrame, clean: pd.DataFrame, score: str, limit: float) -> str:
    """AUROC of a score, how many planted networks lie above its limit, and the kinds of the others."""
    area, low, high = auroc(planted[score].to_numpy(float), clean[score].dropna().to_numpy(float))
    hits = planted[score] > limit
    share = limits(*proportion(int(hits.sum()), len(planted)))
    unseen = ", ".join(dict.fromkeys(planted["kind"][~hits])) or "none"
    told = f"AUROC {area:.3f} {limits(low, high, 3)}  above {limit:.3f}: {hits.sum()} of {len(planted)} {share}"
    return f"{told}  unseen: {unseen}"


def write_lab(table: pd.DataFrame, films: int, hunted: int) -> None:
    """The figures of the lab's seventh step: one planted network of each kind, and the clean ones beside them."""
    clean, planted = table[table["strength"] == 0], table[table["strength"] > 0]
    first = planted.sort_values(["strength", "seed"], ascending=[False, True]).drop_duplicates("kind")
    rows = {row["kind"]: row for row in first.to_dict("records")}
    kinds: dict[str, dict[str, Any]] = {
        kind: {key: round(v, 4) if isinstance(v := rows[kind][key], float) else v for key in SHOWN}
        for kind in KINDS
        if kind in rows
    }
    strongest = [round(value, 4) for value in sorted(clean["hunter"], reverse=True)]
    told = {"films": films, "hunted": hunted, "class": CARRIER, "clean": strongest, "kinds": kinds}
    write_whole(shipped.BATTERY, json.dumps(told, indent=1) + "\n")
    print(f"{shipped.BATTERY.name}: {len(kinds)} kinds, {len(clean)} clean networks")


def main() -> None:
    """Judge what is not yet in the CSV, and print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--strengths", nargs="+", type=float, default=[STRENGTHS[0], 0.0, *STRENGTHS[1:]])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--films", type=int, default=480, help="drawn for each network (default: 480)")
    parser.add_argument("--hunted", type=int, default=96, help="films that are looked at (default: 96)")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--out", type=Path, default=Path("runs/shortcuts.csv"))
    parser.add_argument("--known", action="store_true", help="judge nothing further, print what the CSV holds")
    parser.add_argument("--write", action="store_true", help="keep the figures of the Shortcut lab")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rows = read(args.out, COLUMNS)
    done = {(row["kind"], float(row["strength"]), int(row["seed"])) for row in rows}
    for seed in args.seeds:
        for strength in args.strengths:
            for kind in args.kinds:
                if (kind, strength, seed) not in done and not args.known:
                    row = judged(kind, strength, seed, args.films, args.hunted, args.epochs)
                    print(row, flush=True)
                    rows.append(vars(row))
                    keep(args.out, rows)
    known = pd.DataFrame(rows, columns=COLUMNS)
    chosen = known[known["kind"].isin(args.kinds) & known["strength"].isin(args.strengths)]
    chosen = chosen[chosen["seed"].isin(args.seeds)]
    print(summary(chosen))
    if args.write:
        write_lab(chosen, args.films, args.hunted)


if __name__ == "__main__":
    main()
