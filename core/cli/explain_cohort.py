"""`python -m core explain CHECKPOINT --cohort PATH`: one row per film and method, and the summary with intervals."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.atomic import write_whole
from core.cli import cohorts
from core.data.table import counted
from core.errors import ExplainError
from core.intervals import limits

if TYPE_CHECKING:
    import pandas as pd

    from core.data.cohort import Cohort
    from core.model.classifier import Classifier

RANDOMISATION_FILMS = 24  # those called normal often have no map to compare


def run_cohort(classifier: "Classifier", methods: list[str], folder: Path, args: argparse.Namespace) -> int:
    """Score the cohort by every method, print the summary and write it beside the rows."""
    import pandas as pd
    from rich.markup import escape

    from core.cli.explain_rows import Kept
    from core.cli.progress import say
    from core.explain.cohort import against_chance, found_from, left_out, summary
    from core.report.spreadsheet import frame_as_csv

    cohort = chosen(classifier, cohorts.several([args.cohort], args.layout, args.labels)[0], args.split, args.limit)
    if args.randomisation:
        return check(classifier, cohort, methods)
    if args.power:
        return measure_power(classifier, cohort, methods)
    say(escape(f"{len(cohort):,} films of {cohort.name} -> {folder}"))
    kept = Kept(folder, classifier, cohort, methods, args)
    for sentence in kept.moved:
        say(escape(f"{sentence[0].upper()}{sentence[1:]}."))
    frame, unread = kept.score()
    for film in unread.itertuples():
        print(f"{film.film}: {film.error}", file=sys.stderr)
    if not len(frame):
        raise ExplainError(f"none of the {len(cohort):,} films of {cohort.name} can be read", "one at least")
    frame = frame.assign(
        method=pd.Categorical(frame["method"], methods), **{"class": pd.Categorical(frame["class"], classifier.classes)}
    )
    drawn = bool((frame["band"] != "").any())
    groups = ["method", "class", "band"] if drawn else ["method", "class"]
    table = summary(frame, groups)
    kept.write_summary(table)
    print(as_text(table, groups))
    beside = against_chance(frame, groups)
    write_whole(folder / "chance.csv", frame_as_csv(beside))
    print(chance_as_text(against_chance(frame, ["method"]) if drawn else beside))
    if told := left_out(frame):
        print(f"\n{told}")
    if drawn:
        print("\nFrom which severity on the maximum lies inside the finding on more than half of the films:")
        print(found_from(table).replace("", "-").to_string())
    if len(unread):
        print(f"{counted(len(unread), 'film')} could not be read and left out.")
    return 0


def chosen(classifier: "Classifier", cohort: "Cohort", split: str | None, limit: int | None) -> "Cohort":
    """The films with a label that the model knows, of one split as the checkpoint met it, at most N of each class."""
    from core.evaluate import met
    from core.evaluate.scoring import labelled

    if split:
        cohort = met.only_split(classifier, cohort, met.known(classifier.checkpoint), split)
    else:
        cohort = labelled(classifier, cohort)
    if limit is not None:
        cohort = cohort.draw(limit)
    if not len(cohort):
        raise ExplainError(f"no {split or ''} film of {cohort.name} is left", "at least one", "Choose another --split")
    return cohort


def as_text(table: "pd.DataFrame", groups: list[str]) -> str:
    """The summary with one column per measure: ``0.51 [0.45, 0.57]``, and the number of films."""
    import pandas as pd

    shown = table.assign(
        text=[f"{row.value:.2f} {limits(row.low, row.high)}" for row in table.itertuples()],
        films=table.groupby(groups)["films"].transform("max"),
    )
    order = list(dict.fromkeys(shown["measure"]))
    wide = shown.pivot_table(index=[*groups, "films"], columns="measure", values="text", aggfunc="first", sort=False)
    with pd.option_context("display.width", None):
        return wide[order].fillna("").to_string()


def chance_as_text(beside: "pd.DataFrame") -> str:
    """Each measure beside the strongest of its chances: paired difference and skill, with their intervals."""
    from core.explain.chance import BASELINES
    from core.explain.cohort import MEASURES

    shown = beside[beside["strongest"]]
    if not len(shown):
        return ""
    groups = list(beside.columns[: beside.columns.get_loc("measure")])
    lines = shown[groups].assign(
        measure=[MEASURES[key].title for key in shown["measure"]],
        value=shown["value"].map("{:.2f}".format),
        films=shown["films"],
        chance=[f"{row.chance:.2f} by {BASELINES[str(row.baseline)]}" for row in shown.itertuples()],
        difference=[f"{row.difference:+.2f} {limits(row.low, row.high)}" for row in shown.itertuples()],
        skill=[f"{row.skill:.2f} {limits(row.skill_low, row.skill_high)}" for row in shown.itertuples()],
    )
    heading = "\nBeside the strongest chance (skill: 0 at chance, 1 when perfect; all of them in chance.csv):\n"
    return heading + lines.to_string(index=False)


def check(classifier: "Classifier", cohort: "Cohort", methods: list[str]) -> int:
    """The randomisation check of each method, printed and kept in the checkpoint's card."""
    import numpy as np

    from core.cli.progress import say
    from core.explain.randomisation import randomisation, record

    if classifier.checkpoint.path is None:
        raise ExplainError(f"{classifier.card.name} is not on disk", "a checkpoint folder")
    positions = np.linspace(0, len(cohort) - 1, min(RANDOMISATION_FILMS, len(cohort))).astype(int)
    pictures = [classifier.picture(cohort.film(int(position))) for position in positions]
    results = randomisation(classifier, pictures, methods)
    record(classifier.checkpoint.path, results)
    for method, result in results.items():
        told = ", ".join(
            f"{stage} {'blank' if value is None else f'{value:.2f}'}"
            for stage, value in zip(result["stages"], result["correlation"], strict=True)
        )
        say(
            f"{method}: correlation with the trained model's map after destroying, top down, {told}; "
            f"chance {result['chance']:.2f} (to {result['chance_95']:.2f}); {result['final_blank']:.0%} end blank"
        )
    return 0


def measure_power(classifier: "Classifier", cohort: "Cohort", methods: list[str]) -> int:
    """How often the occlusion test passes right calls of this model, printed and kept in the checkpoint's card."""
    from core.cli.progress import say
    from core.explain.randomisation import record
    from core.explain.trust.measure import right_calls
    from core.explain.trust.power import to_card

    if classifier.checkpoint.path is None:
        raise ExplainError(f"{classifier.card.name} is not on disk", "a checkpoint folder")
    for method in methods:
        power = right_calls(classifier, cohort, method)
        record(classifier.checkpoint.path, {method: to_card(power)}, "power")
        say(f"{method}: {power.sentence}")
    return 0
