"""How often the "95 %" intervals hold the truth: python -m benchmarks.coverage [--sets 1000] [--only NAME ...]

Each scenario is a population of patients whose films and probabilities are drawn from a known distribution; its truth
is that of a very large draw. Studies are drawn from it and judged as any model is. A figure that says "too few for an
interval" counts in no coverage; its share of studies is printed beside it.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.evaluate.curves import GRID
from core.evaluate.evaluation import Evaluation
from core.evaluate.scopes import MACRO, OVERALL
from core.resamples import Grouped

LEAST = 0.93  # coverage below which an interval is no 95 % interval
POPULATION = 200_000  # films behind a truth ...
BESIDE = 150  # ... and at least this many studies' films: what doubt it has left is small beside theirs
AT = (10, 20, 50)  # grid points of a ROC band that are judged: 1 - specificity of 0.1, 0.2, 0.5
REACHED = (20, 40, 60, 80)  # and of a precision band: recall of 0.2, 0.4, 0.6, 0.8
CLASS = "rare"


@dataclass(frozen=True)
class Scenario:
    """A population: classes by their shares, and how well a model tells them apart."""

    patients: int
    films: int = 1  # of each patient
    shares: tuple[float, ...] = (0.7, 0.3)  # of the classes; the last is `CLASS`
    strength: float = 2.0  # by how much the true class's logit is lifted, in standard deviations
    sharpness: float = 1.0  # 1: probabilities are honest, above: overconfident
    together: float = 0.5  # share of a logit's variance that the films of a patient have in common
    mislabelled: float = 0.0  # share of patients whose films look as the first class does, whatever their label


SCENARIOS = {
    "usual": Scenario(300, shares=(0.5, 0.3, 0.2)),
    "small": Scenario(60),
    "class of 15": Scenario(150, shares=(0.9, 0.1)),
    "class of 15, good": Scenario(150, shares=(0.9, 0.1), strength=3.2),
    "good": Scenario(250, shares=(0.5, 0.3, 0.2), strength=4.0),
    "near perfect": Scenario(200, shares=(0.6, 0.4), strength=4.5),
    "poor": Scenario(200, strength=0.4),
    "overconfident": Scenario(250, shares=(0.6, 0.4), strength=1.5, sharpness=2.5),
    "2 films, 5 %": Scenario(100, 2, (0.95, 0.05)),
    "4 films": Scenario(60, 4, (0.6, 0.4)),
    "8 films": Scenario(60, 8, (0.5, 0.3, 0.2)),
    "4 films, good": Scenario(80, 4, (0.6, 0.4), strength=3.5),
    "class of 15, mislabelled": Scenario(150, shares=(0.9, 0.1), strength=3.0, mislabelled=0.06),
    "24,000 films": Scenario(8000, 3, (0.85, 0.14, 0.01), together=0.7),  # drawn by groups of patients
}


def study(scenario: Scenario, patients: int, rng: np.random.Generator) -> Evaluation:
    """One draw of this many patients; all films of a patient are of one class."""
    s, classes = scenario, len(scenario.shares)
    labels = np.repeat(rng.choice(classes, patients, p=s.shares), s.films)
    own = rng.normal(size=(patients, classes)).repeat(s.films, axis=0)
    common = s.together if s.films > 1 else 0.0
    score = math.sqrt(common) * own + math.sqrt(1 - common) * rng.normal(size=(len(labels), classes))
    looks = np.where(np.repeat(rng.random(patients) < s.mislabelled, s.films), 0, labels) if s.mislabelled else labels
    score[np.arange(len(labels)), looks] += s.strength
    logit = s.sharpness * (s.strength * score + np.log(s.shares))  # Bayes' rule
    p = np.exp(logit - logit.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    names = (*(f"class {i}" for i in range(1, classes)), CLASS)
    patient = np.repeat(np.arange(patients).astype(str), s.films)
    samples = pd.DataFrame({"path": np.arange(len(labels)).astype(str), "patient": patient})
    return Evaluation(names, labels, p, samples)


def measured(evaluation: Evaluation) -> Iterator[tuple[str, float, float, float]]:
    """Name, value, low and high of the 16 figures that are judged; bands come once a point."""
    figures = evaluation.figures()
    for key in ("recall", "specificity", "precision", "f1", "auroc", "average_precision"):
        figure = figures[CLASS][key]
        yield key, figure.value, figure.low, figure.high
    figure = figures[MACRO]["auroc"]
    yield "macro auroc", figure.value, figure.low, figure.high
    for key in ("accuracy", "balanced_accuracy", "mcc", "kappa", "log_loss", "brier", "ece"):
        figure = figures[OVERALL][key]
        yield key, figure.value, figure.low, figure.high
    curve = evaluation.curve(CLASS)
    if len(curve.tpr):
        values = np.interp(GRID, curve.fpr, curve.tpr)
        for i in AT:
            yield "roc band", float(values[i]), float(curve.roc_low[i]), float(curve.roc_high[i])
        purity = curve.precision[np.searchsorted(curve.tpr, GRID - 1e-9).clip(0, len(curve.tpr) - 1)]
        for i in REACHED:
            yield "pr band", float(purity[i]), float(curve.pr_low[i]), float(curve.pr_high[i])


def covered(scenario: Scenario, sets: int, seed: int = 0) -> pd.DataFrame:
    """Coverage of each figure: columns figure, truth, held (share of intervals), shown (share of studies with one)."""
    rng = np.random.default_rng(seed)
    # Column 0 of the resamples alone: the truth needs no interval.
    truths = [value for _, value, _, _ in measured(_truth(scenario, rng))]
    held: dict[str, list[tuple[bool, bool]]] = {}
    for _ in range(sets):
        drawn = study(scenario, scenario.patients, rng)
        found = list(measured(drawn))
        for (name, value, low, high), truth in zip(found, truths, strict=False):
            shown = not (math.isnan(value) or math.isnan(low))
            held.setdefault(name, []).append((shown, shown and low <= truth <= high))
    rows = []
    for name, results in held.items():
        shown, inside = np.array(results).sum(axis=0)
        rows.append((name, inside / shown if shown else math.nan, shown / len(results), int(shown)))
    return pd.DataFrame(rows, columns=["figure", "held", "shown", "intervals"])


def _truth(scenario: Scenario, rng: np.random.Generator) -> Evaluation:
    large = study(scenario, max(POPULATION // scenario.films, BESIDE * scenario.patients), rng)
    # Without resamples, which would take minutes: three columns of ones serve.
    large.__dict__["weights"] = Grouped(np.zeros(len(large), np.int32), np.ones((1, 3)))
    return large


def main() -> None:
    """Print the table; exit with 1 if some interval covers less than `LEAST`, luck of the draws allowed for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), default=list(SCENARIOS))
    args = parser.parse_args()
    tables, low = {}, []
    for name in args.only:
        table = covered(SCENARIOS[name], args.sets).set_index("figure")
        pairs = zip(table["held"].astype(float), table["shown"].astype(float), strict=True)
        tables[name] = [f"{held:.3f}" + ("" if shown > 0.995 else f" ({shown:.0%})") for held, shown in pairs]
        slack = 2 * (LEAST * (1 - LEAST) / table["intervals"].clip(1)) ** 0.5
        low += [f"{name}: {figure} {row.held:.3f}" for figure, row in table[table["held"] < LEAST - slack].iterrows()]
        print(pd.DataFrame({name: tables[name]}, index=table.index).T.to_string(), flush=True)
    print("\n".join(["", f"below {LEAST} by more than luck:", *(low or ["none"])]))
    raise SystemExit(bool(low))


if __name__ == "__main__":
    main()
