"""`python -m benchmarks.precision NAME ...`: what each stage costs in bfloat16, and the cards told what is harmless.

Prints by how much probabilities move with one stage rounded, with all, and with those that the rule lets through; with
``--write`` the card keeps the latter. Films of several collections, drawn evenly.
"""

import argparse
from dataclasses import replace

import numpy as np

from core.data.readers import data_root, open_cohort
from core.model.bulk import precision
from core.model.checkpoint import load, save
from core.model.classifier import Classifier

COLLECTIONS = ("COVID-19_Radiography_Dataset", "siim-covid19-detection", "nih-chestxray14", "montgomery-shenzhen")


def pictures(model: Classifier, drawn: bool, films: int) -> np.ndarray:
    """uint8 (films, S, S): real films, and drawn ones for models that know no others."""
    cohorts = [open_cohort(data_root() / name) for name in COLLECTIONS]
    cohorts += [open_cohort("phantom:fair")] if drawn else []
    each = films // len(cohorts)
    rows = [(cohort, int(i)) for cohort in cohorts for i in np.linspace(0, len(cohort) - 1, each)]
    return np.stack([model.picture(cohort.film(i)) for cohort, i in rows])


def main() -> None:
    """One line per model and stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--films", type=int, default=precision.FILMS, help="default: %(default)s")
    parser.add_argument("--write", action="store_true", help="keep the result in the card")
    args = parser.parse_args()
    print("| model | in bfloat16 | films | largest change of a probability | median | labels that flip |")
    print("|---|---|---|---|---|---|")
    for name in args.names:
        checkpoint = load(name)
        model = Classifier(checkpoint, "torch")
        films = pictures(model, "phantom" in str(checkpoint.card.data.get("layout", "")), args.films)
        exact = model.probabilities(precision.logits(model.network, model.preprocess, films))
        found = precision.measure(model.network, model.preprocess, model.probabilities, films)
        tried = [[layer] for layer in model.network.layers] + [list(model.network.layers), found["bf16"]]
        for low in tried:
            p = model.probabilities(precision.logits(model.network, model.preprocess, films, low))
            change = np.abs(p - exact).max(axis=1)
            flips = int((model.output.called(p) != model.output.called(exact)).any(axis=1).sum())
            row = (
                name,
                " ".join(low) or "nothing",
                len(films),
                f"{change.max():.4f}",
                f"{np.median(change):.4f}",
                flips,
            )
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
        if args.write:
            assert checkpoint.path is not None
            save(replace(checkpoint, card=replace(checkpoint.card, precision=found)), checkpoint.path)


if __name__ == "__main__":
    main()
