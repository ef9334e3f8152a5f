"""`python -m benchmarks.doubt NAME DATA[::LAYOUT] ...`: does the in-domain check doubt where the model is wrong?

Each collection's films that the model's weights never learned from are sorted by the score of its in-domain check,
those most like its own first. Printed: how often what it calls is right among the nearest quarter, half, three quarters
and all of them (coverage against accuracy), among those that the check lets pass, doubts and refuses, and how well the
score tells wrong calls from right ones (AUROC; 0.5: not at all), beside the model's own confidence, the probability of
the likeliest class. Brackets are 95 % intervals over patients.
"""

import argparse

import numpy as np
import pandas as pd

from core import intervals
from core.data.cohort import Cohort
from core.data.readers import open_cohort
from core.evaluate import met
from core.evaluate.evaluation import Evaluation
from core.evaluate.provenance import PROVENANCE, Provenance
from core.model.checkpoint import load
from core.model.classifier import Classifier

SHARES = (0.25, 0.5, 0.75, 1.0)
STATUSES = {"in": "passes", "doubtful": "doubted", "out": "refused"}


def answers(model: Classifier, cohort: Cohort) -> pd.DataFrame:
    """One row per film whose label the model knows: right, score, status, doubt, patient."""
    known = met.with_training_splits(model, cohort, met.known(model.checkpoint))
    known = known.where(known.samples[PROVENANCE] != Provenance.TRAIN)
    told = list(model.predict_many(known.film(i) for i in range(len(known))))
    patients = known.samples["patient"].astype(str)
    return pd.DataFrame(
        {
            "right": [p.called[0] == label for p, label in zip(told, known.samples["label"], strict=True)],
            "score": [p.domain.score for p in told],
            "status": [p.domain.status for p in told],
            "doubt": [1 - float(p.probabilities.max()) for p in told],
            "patient": patients.where(patients != "", known.samples["film_id"]).to_numpy(),
        }
    )


def row(model: str, where: str, seen: pd.DataFrame) -> str:
    """The table's line."""
    nearest = seen.sort_values("score", kind="stable")
    parts = [nearest.iloc[: max(1, round(share * len(seen)))] for share in SHARES]
    parts += [seen[seen["status"] == status] for status in STATUSES]
    told = [tells(seen, column) for column in ("score", "doubt")]
    return f"| {model} | {where} | {len(seen)} | " + " | ".join([*map(accuracy, parts), *told]) + " |"


def accuracy(films: pd.DataFrame) -> str:
    """The share of right calls, its interval, and of how many films."""
    if not len(films):
        return "no film"
    right = films["right"].to_numpy(float)
    low, high = intervals.of_mean(right, films["patient"].to_numpy(), share=True)
    return f"{right.mean():.2f} {intervals.limits(low, high)} of {len(films)}"


def tells(films: pd.DataFrame, column: str) -> str:
    """AUROC of a column as a finder of wrong calls."""
    wrong = 1 - films["right"].to_numpy(int)
    place = films[column].rank().to_numpy() / (len(films) + 1)
    samples = pd.DataFrame({"path": np.arange(len(films)).astype(str), "patient": films["patient"].to_numpy()})
    judged = Evaluation(("right", "wrong"), wrong, np.column_stack([1 - place, place]), samples)
    return str(judged.figures()["wrong"]["auroc"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a name from weights/, or a checkpoint's folder")
    parser.add_argument("data", nargs="+", metavar="DATA", help="labelled films, with ::LAYOUT where it is not seen")
    args = parser.parse_args()
    model = Classifier(load(args.name), "auto")
    heads = [f"right, nearest {share:.0%}" if share < 1 else "right, all" for share in SHARES]
    heads += [f"right where it is {word}" for word in STATUSES.values()]
    heads += ["check tells wrong calls, AUROC", "confidence does, AUROC"]
    print("| model | films of | films | " + " | ".join(heads) + " |\n" + "|---" * (3 + len(heads)) + "|")
    for path in args.data:
        cohort = open_cohort(path)
        print(row(args.name, cohort.name, answers(model, cohort)), flush=True)


if __name__ == "__main__":
    main()
