"""Does mending bring the lost accuracy back? ``python -m benchmarks.mend [--kinds ...]`` on the battery of shortcuts.

Each small network learns from films whose shortcut follows the class, is judged on films of its hospital and on films
where the shortcut tells nothing, and hunted. What the hunter names is then dealt out over its training films, anew in
each epoch (`core.hunt.mending.exchanged`; lungs as they were drawn), and the network learns on from its weights.
Printed: both accuracies before and after, and the part of the lost accuracy that came back.

``--lab FOLDER`` writes weights/mended.json, the figures of the Shortcut lab's sixth step, from the card of a checkpoint
that ``python -m core mend cheat --data phantom:confounded --elsewhere phantom:new-hospital ...`` made.
"""

import argparse
import json
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.battery import accuracy, classifier, fitted, keep, pictures, read, trained
from core.atomic import write_whole
from core.data.phantom.shortcuts import CARRIER, KINDS, Planted
from core.hunt.hunter import hunt
from core.hunt.mending import GENTLE, LEARNING_RATE, exchanged
from core.model.checkpoint import read_card
from core.networks.zoo import build
from core.training import recipe as recipes
from pages.shared import shipped


@dataclass(frozen=True)
class Row:
    """One network before and after; accuracies 0 to 1."""

    kind: str
    seed: int
    cues: str
    home: float
    elsewhere: float
    home_after: float
    elsewhere_after: float
    still: int  # hypotheses of the hunter afterwards

    @property
    def regained(self) -> float:
        """The part of the accuracy lost elsewhere that came back; NaN where none was lost."""
        lost = self.home - self.elsewhere
        return (self.elsewhere_after - self.elsewhere) / lost if lost > 0 else float("nan")


def measured(kind: Planted, seed: int, films: int, hunted: int, epochs: int) -> Row:
    """Train, hunt, mend by exchange, and judge again."""
    one = trained(kind, 1.0, seed, films)
    near, far = accuracy(one.model, one.held), accuracy(one.model, one.elsewhere)
    found = hunt(one.model, one.held, hunted, seed, always=True, class_names=[CARRIER])
    cues = list(dict.fromkeys(h.cue for h in (*found.hypotheses, *found.doubted) if h.cue))
    if not cues:
        return Row(kind, seed, "", near, far, near, far, 0)
    recipe = recipes.load("phantom_battery")
    training = replace(recipe.training, seed=seed + 1, epochs=epochs, learning_rate=LEARNING_RATE)
    recipe = replace(recipe, training=training, augment=GENTLE)
    shown, labels = pictures(recipe, one.taught), one.taught.labels()
    lungs = np.stack([255 * _lungs(one.taught.mask(i, "lungs"), recipe) for i in range(len(one.taught))])

    def dealt(epoch: int) -> np.ndarray:
        return exchanged(shown, lungs.astype(np.uint8), labels, np.ones(len(labels), bool), cues, seed, epoch)

    network = build(recipe.network.name, len(recipe.classes))
    network.load_state_dict(one.model.checkpoint.state)
    after = classifier(recipe, fitted(network, recipe, dealt, labels), f"{kind} mended")
    again = hunt(after, one.held, hunted, seed, always=True, class_names=[CARRIER])
    home, elsewhere = accuracy(after, one.held), accuracy(after, one.elsewhere)
    return Row(kind, seed, " ".join(cues), near, far, home, elsewhere, len(again.hypotheses))


def _lungs(mask: np.ndarray | None, recipe: recipes.Recipe) -> np.ndarray:
    assert mask is not None  # every drawn film has them
    return recipe.preprocess.to_picture(mask)


def write_lab(folder: Path) -> None:
    """The figures of the lab's sixth step, from the card of a mended checkpoint."""
    told = dict(read_card(folder).metrics["mending"])
    for side in ("before", "after"):
        told[side] = {key: value for key, value in told[side].items() if key != "name"}  # of somebody's folder
    write_whole(shipped.MENDED, json.dumps(told, indent=1) + "\n")
    print(f"{shipped.MENDED.name}: {told['before']['elsewhere']} -> {told['after']['elsewhere']}")


def main() -> None:
    """Print a row for each kind, then all as a table; or write the lab's figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--films", type=int, default=480, help="drawn for each network (default: 480)")
    parser.add_argument("--hunted", type=int, default=96, help="films that are looked at (default: 96)")
    parser.add_argument("--epochs", type=int, default=12, help="of the mending (default: 12)")
    parser.add_argument("--out", type=Path, default=Path("runs/mend.csv"), help="rows, kept as they come")
    parser.add_argument("--lab", type=Path, metavar="FOLDER", help="write weights/mended.json from this checkpoint")
    args = parser.parse_args()
    if args.lab:
        write_lab(args.lab)
        return
    torch.set_num_threads(1)
    known = [Row(**row) for row in read(args.out, [field.name for field in fields(Row)])]
    for seed in args.seeds:
        for kind in args.kinds:
            if not any((row.kind, row.seed) == (kind, seed) for row in known):
                known.append(measured(kind, seed, args.films, args.hunted, args.epochs))
                print(known[-1], f"regained {known[-1].regained:.2f}", flush=True)
                keep(args.out, [vars(row) for row in known])
    table = pd.DataFrame([vars(row) | {"regained": row.regained} for row in known])
    table = table[table["kind"].isin(args.kinds) & table["seed"].isin(args.seeds)]
    print(table.round(3).to_string(index=False))
    enough = int((table["regained"] >= 0.5).sum())
    print(f"at least half of the lost accuracy came back in {enough} of {int(table['regained'].notna().sum())}")


if __name__ == "__main__":
    main()
