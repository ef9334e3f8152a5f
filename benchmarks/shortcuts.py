"""Which planted shortcuts are found, and by what? ``python -m benchmarks.shortcuts [--kinds ...] [--strengths ...]``

Small networks learn from drawn films that carry one of twelve shortcuts, at each strength and seed, and from as many
clean films (strength 0: they carry it, and it tells nothing). Each is judged on films it never saw by the audit of its
films, by concepts and strategies, and by the hunter. Printed: AUROC of each score, planted against clean, and how many
planted ones lie above what at most one clean network of twenty reaches. The hunter looks into the class that the
shortcut goes with. Rows are kept in a CSV as they come; started again, it goes on.

``--write`` keeps one row of each kind, of the highest strength and the lowest seed, in weights/battery.json: the
figures of the Shortcut lab's seventh step.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.stats import rankdata

from benchmarks.battery import accuracy, first_alarms, trained
from core.atomic import replacing
from core.data.phantom.shortcuts import CARRIER, KINDS, STRENGTHS, Planted
from core.hunt.hunter import hunt
from pages.shared import shipped

SCORES = ("audit", "strategies", "hunter")


@dataclass(frozen=True)
class Row:
    """One network: what it is worth at home and on films where the shortcut tells nothing, and what is said of it."""

    kind: str
    strength: float
    seed: int
    home: float
    elsewhere: float
    audit: float
    strategies: float
    hunter: float
    hypotheses: int
    first: str  # class and cue, or attribute, of the first hypothesis; "" without one


def judged(kind: Planted, strength: float, seed: int, films: int, hunted: int, epochs: int | None) -> Row:
    """Train one network and judge it."""
    one = trained(kind, strength, seed, films, epochs)
    found = hunt(one.model, one.held, hunted, seed, always=True, class_names=[CARRIER])
    near, far = accuracy(one.model, one.held), accuracy(one.model, one.elsewhere)
    first = found.hypotheses[0] if found.hypotheses else None
    return Row(
        kind, strength, seed, near, far, float(found.offered), found.shunned, found.strongest, len(found.hypotheses),
        f"{first.class_name}: {first.cue or first.subject}" if first else "",
    )  # fmt: skip


def auroc(planted: np.ndarray, clean: np.ndarray) -> float:
    """The chance that a planted network scores above a clean one; ties count half."""
    ranks = rankdata(np.concatenate([planted, clean]))[: len(planted)]
    n, m = len(planted), len(clean)
    return float((ranks.sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")


def summary(table: pd.DataFrame) -> str:
    """One line a score, then which kinds stay unseen by the hunter."""
    clean = table[table["strength"] == 0]
    lines = [f"{len(table) - len(clean)} planted, {len(clean)} clean networks; shortcut of {CARRIER}"]
    for strength, planted in table[table["strength"] > 0].groupby("strength"):
        for score in SCORES:
            limit = first_alarms(clean[score].tolist())
            hits = int((planted[score] > limit).sum())
            area = auroc(planted[score].to_numpy(), clean[score].to_numpy())
            lines.append(f"strength {strength:g}  {score:11s} AUROC {area:.3f}  found {hits} of {len(planted)}")
        unseen = planted[planted["hypotheses"] == 0]["kind"].unique()
        lines.append(f"strength {strength:g}  without a hypothesis: {', '.join(unseen) or 'none'}")
    return "\n".join([*lines, f"clean networks with a hypothesis: {int((clean['hypotheses'] > 0).sum())}"])


def write_lab(table: pd.DataFrame, films: int, hunted: int) -> None:
    """The figures of the lab's seventh step: one planted network of each kind, and the clean ones beside them."""
    clean, planted = table[table["strength"] == 0], table[table["strength"] > 0]
    first = planted.sort_values(["strength", "seed"], ascending=[False, True]).drop_duplicates("kind")
    rows = {row["kind"]: row for row in first.to_dict("records")}
    kinds: dict[str, dict[str, Any]] = {
        kind: {str(k): round(v, 4) if isinstance(v, float) else v for k, v in rows[kind].items() if k != "kind"}
        for kind in KINDS
        if kind in rows
    }
    strongest = [round(value, 4) for value in sorted(clean["hunter"], reverse=True)]
    told = {"films": films, "hunted": hunted, "class": CARRIER, "clean": strongest, "kinds": kinds}
    with replacing(shipped.BATTERY) as path:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{shipped.BATTERY.name}: {len(kinds)} kinds, {len(clean)} clean networks")


def main() -> None:
    """Judge what is not yet in the CSV, and print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--strengths", nargs="+", type=float, default=[0.0, *STRENGTHS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--films", type=int, default=480, help="drawn for each network (default: 480)")
    parser.add_argument("--hunted", type=int, default=96, help="films that are looked at (default: 96)")
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--out", type=Path, default=Path("runs/shortcuts.csv"))
    parser.add_argument("--known", action="store_true", help="judge nothing further, print what the CSV holds")
    parser.add_argument("--write", action="store_true", help="keep the figures of the Shortcut lab")
    args = parser.parse_args()
    torch.set_num_threads(1)
    known = pd.read_csv(args.out, keep_default_na=False) if args.out.is_file() else pd.DataFrame()
    done = {(str(r["kind"]), float(r["strength"]), int(r["seed"])) for r in known.to_dict("records")}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds:
        for strength in args.strengths:
            for kind in args.kinds:
                if (kind, strength, seed) not in done and not args.known:
                    row = judged(kind, strength, seed, args.films, args.hunted, args.epochs)
                    print(row, flush=True)
                    known = pd.concat([known, pd.DataFrame([vars(row)])], ignore_index=True)
                    known.to_csv(args.out, index=False)
    chosen = known[known["kind"].isin(args.kinds) & known["strength"].isin(args.strengths)]
    chosen = chosen[chosen["seed"].isin(args.seeds)]
    print(summary(chosen))
    if args.write:
        write_lab(chosen, args.films, args.hunted)


if __name__ == "__main__":
    main()
