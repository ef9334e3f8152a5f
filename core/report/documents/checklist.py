"""The items of CLAIM 2024 in their order, each with its nearest item of TRIPOD+AI 2024, answered from what is known.

CLAIM: Tejani et al., Radiology: Artificial Intelligence 2024; 6(4): e240300 (44 items). TRIPOD+AI: Collins et al., BMJ
2024; 385: e078378 (27 items with their parts); those without a counterpart in CLAIM stand where they belong. An answer
is None where neither the card nor the evaluation knows it; the reader then sees "not provided".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.data.cohort import JOIN
from core.evaluate import slices
from core.evaluate.scopes import OVERALL
from core.explain.methods import METHODS as METHODS_OF_MAPS
from core.intervals import HOW
from core.model.calibration import LOWEST
from core.report.documents.report import Report, patients_in_words

Answer = Callable[[Report], str | None]


@dataclass(frozen=True)
class Item:
    """One line of the checklist."""

    section: str
    claim: int | None  # item of CLAIM 2024
    tripod: str  # nearest item of TRIPOD+AI; "" where it has none
    asks: str
    answer: Answer


def unknown(_: Report) -> str | None:
    """What no checkpoint can know."""
    return None


def _recipe(report: Report, *keys: str) -> Any:
    value: Any = report.card.recipe
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _settings(values: dict[str, Any] | None) -> str | None:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in values.items()) if values else None


def _title(report: Report) -> str | None:
    return f"{report.card.title}: a deep-learning classifier ({report.card.network}) of chest radiographs"


def _summary(report: Report) -> str | None:
    return report.summary


def _sources(report: Report) -> str | None:
    data = report.card.data
    sources = data.get("sources")
    named = ", ".join(map(str, sources)) if sources else ""
    return "; ".join(part for part in (str(data.get("name", "")), named) if part) or None


def _labels(report: Report) -> str | None:
    labels = _recipe(report, "labels")
    if not labels:
        return None
    taken = dict.fromkeys([*report.card.classes, *(name for name, meant in labels.items() if meant)])
    named = [name for name, meant in labels.items() if not meant]
    left_out = f" Left out by name: {', '.join(named)}." if named else ""
    return (
        f"Films with one of the labels {', '.join(taken)}, or one that means the same; films with other labels, and "
        f"unreadable ones, left out.{left_out}"
    )


def _preprocessing(report: Report) -> str | None:
    return _settings(report.card.preprocess.to_dict())


def _partition(report: Report) -> str | None:
    """From what happened, not from the settings: a source's own split overrules them."""
    data = report.card.data
    counts = {name: sum(films.values()) for name, films in (data.get("splits") or {}).items()}
    if not counts:
        return None
    films = ", ".join(f"{name or 'left out'} {n:,}" for name, n in counts.items())
    own = next((str(note) for note in data.get("notes") or () if "own split" in str(note)), "")
    return f"{films} films; " + (f"{own}." if own else "drawn by class.")


def _disjoint(report: Report) -> str | None:
    known = "Patient (where known) and near-duplicate film: all films of one group are in one partition."
    return known if _recipe(report, "split") else None


def _missing(report: Report) -> str | None:
    samples = report.evaluations[report.main].samples
    known = [name for name in ("patient", "source", "view", "age", "sex") if name in samples]
    gaps = {name: int((slices.groups(samples, name) == slices.UNKNOWN).sum()) for name in known}
    found = ", ".join(f"{name} of {count:,}" for name, count in gaps.items() if count)
    return f"Of {len(samples):,} {report.main} films it is not known: {found}." if found else None


def _sample_size(report: Report) -> str | None:
    counts = ", ".join(f"{name} {len(e):,}" for name, e in report.evaluations.items())
    return f"All that the cohort has ({counts} films); no power calculation. The intervals show what that is worth."


def _model(report: Report) -> str | None:
    card = report.card
    return f"{card.network}, {card.parameters:,} parameters, {len(card.classes)} classes: {', '.join(card.classes)}."


def _software(report: Report) -> str | None:
    return ", ".join(f"{name} {version}" for name, version in report.card.versions.items()) or None


def _initial(report: Report) -> str | None:
    weights = _recipe(report, "network", "weights")
    if weights is None:
        return None
    earlier = f"Those of an earlier training run ({weights})"
    return "Random." if weights == "none" else earlier if "/" in str(weights) else str(weights)


def _training(report: Report) -> str | None:
    settings = _settings({k: v for k, v in (_recipe(report, "training") or {}).items() if v not in ((), [], None)})
    steps = [str(step.get("name")) for step in _recipe(report, "augment") or []]
    return f"{settings}; augmentation: {', '.join(steps) or 'none'}" if settings else None


def _selection(report: Report) -> str | None:
    monitor = _recipe(report, "training", "monitor")
    return f"The epoch with the best {str(monitor).replace('_', ' ')}." if monitor else None


def _intervals(_: Report) -> str | None:
    return f"95 % intervals: {HOW}."


def _robustness(report: Report) -> str | None:
    columns = slices.columns(report.evaluations[report.main])
    return f"Figures by {', '.join(columns)}: see Slices." if columns else None


def _explained(report: Report) -> str | None:
    checks = {METHODS_OF_MAPS[m].title: _left(v) for m, v in report.card.randomisation.items() if m in METHODS_OF_MAPS}
    told = [f"{title} {found}" for title, found in checks.items() if found]
    if not told:
        return None
    return (
        "Heatmaps. Correlation of a map with that of the same network with destroyed weights (by chance in brackets, "
        f"where it was measured; no more than that means that the map shows what was learned): {', '.join(told)}."
    )


def _left(checked: object) -> str:
    """What is left of a method's maps, from an entry of a card, which may be anybody's; "" where nothing is told."""
    if not isinstance(checked, dict):
        return ""
    left, chance = (checked.get(key) for key in ("final", "chance"))
    if not isinstance(left, int | float):
        return "all blank" if checked.get("final_blank") == 1 else ""
    return f"{left:.2f}" + (f" [{chance:.2f}]" if isinstance(chance, int | float) else "")


def _internal(report: Report) -> str | None:
    return None if report.external else f"{report.main} films of the training cohort: see the tables of figures."


def _external(report: Report) -> str | None:
    return f"{report.cohort}: see the tables of figures." if report.external else None


def _flow(report: Report) -> str | None:
    parts = [f"{name}: {len(e):,} films of {patients_in_words(e)}" for name, e in report.evaluations.items()]
    return "; ".join([*parts, *report.noticed])


def _demography(report: Report) -> str | None:
    return "; ".join(filter(None, (_described(name, e.samples) for name, e in report.evaluations.items()))) or None


def _described(split: str, samples: pd.DataFrame) -> str:
    """``test films, age band: 18-39 12, 40-59 20, sex: F 15, M 17``, as far as it is known; "" if nothing is."""
    columns = {"age": "age band", "sex": "sex", "view": "view", "source": "source"}
    parts = []
    for column in (name for known, name in columns.items() if known in samples):
        counts = slices.groups(samples, column).value_counts()
        if set(counts.index) != {slices.UNKNOWN}:
            parts.append(f"{column}: " + ", ".join(f"{group} {count:,}" for group, count in counts.items()))
    return f"{split} films, {', '.join(parts)}" if parts else ""


def _figures(_: Report) -> str | None:
    return "See the tables of figures."


def _failures(report: Report) -> str | None:
    evaluation = report.evaluations[report.main]
    wrong = (evaluation.called(report.point) != evaluation.labels).sum()
    return f"{wrong:,} of {len(evaluation):,} films called wrongly; see Most confident errors."


def _heterogeneity(report: Report) -> str | None:
    return "Figures by source: see Slices." if "source" in slices.columns(report.evaluations[report.main]) else None


def _recalibration(report: Report) -> str | None:
    value = report.card.temperature
    if not report.card.recipe and value == 1:
        return "None that is known: probabilities as the network gives them."
    bound = " That is the bound of the fit: every validation film was right." if value < 1.001 * LOWEST else ""
    shifts = ", ".join(f"{name} {shift:+.2f}" for name, shift in report.card.offsets.items())
    kept = f", and an offset of each class ({shifts}); fitted" if shifts else "; the ranking stays; fitted"
    return f"One temperature, {value:.2f}{kept} on validation films.{bound}"


def _calibrated(report: Report) -> str | None:
    figures = report.figures[report.main][OVERALL]
    return f"ECE {figures['ece']}; on so few films a perfect one would show {figures['ece_floor'].value:.3f}."


def _design(report: Report) -> str | None:
    """Known for public collections only; for one's own films nobody has said."""
    parts = set(str(report.card.data.get("layout", "")).split(JOIN)) - {""}
    return "Retrospective: public collections." if parts and parts <= PUBLIC else None


def _ensembling(report: Report) -> str | None:
    return "None: one network." if report.card.recipe else None


def _published(report: Report) -> str | None:
    return _settings(report.card.published)


PUBLIC = {"radiography", "coronahack", "covid-chestxray", "montgomery-shenzhen", "siim", "nih"}
METHODS, RESULTS = "Methods", "Results"
ITEMS: tuple[Item, ...] = (
    Item("Title and abstract", 1, "1", "Identification as a study of AI, and its kind", _title),
    Item("Title and abstract", 2, "2", "Summary of design, methods, results", _summary),
    Item("Introduction", 3, "3a-b", "Background, intended use and role", lambda r: r.card.intended_use or None),
    Item("Introduction", None, "3c", "Known health inequalities", unknown),
    Item("Introduction", 4, "4", "Aims and hypotheses", unknown),
    Item(METHODS, 5, "5a", "Prospective or retrospective", _design),
    Item(METHODS, 6, "4", "Study goal", lambda r: f"Tell {', '.join(r.card.classes)} apart on a frontal chest film."),
    Item(METHODS, 7, "5a, 6a", "Data sources", _sources),
    Item(METHODS, None, "5b", "Dates of the data", unknown),
    Item(METHODS, 8, "6b", "Inclusion and exclusion", _labels),
    Item(METHODS, None, "6c", "Treatments received", unknown),
    Item(METHODS, 9, "7", "Preprocessing", _preprocessing),
    Item(METHODS, 10, "7", "Selection of data subsets", unknown),
    Item(METHODS, 11, "17", "De-identification", unknown),
    Item(METHODS, 12, "11", "Missing data", _missing),
    Item(METHODS, None, "9a", "Choice of predictors", lambda _: "The film alone; nothing else is known to the model."),
    Item(METHODS, 13, "9b", "Image acquisition protocol", unknown),
    Item(METHODS, None, "9c", "Predictors that take judgement, and who judged", lambda _: "None: pixels."),
    Item(METHODS, 14, "8a", "Reference standard", unknown),
    Item(METHODS, 15, "8a", "Rationale for the reference standard", unknown),
    Item(METHODS, 16, "8b", "Source of annotations, annotators' qualification", unknown),
    Item(METHODS, 17, "8b-c", "Annotation of the test set", unknown),
    Item(METHODS, 18, "8b", "Variability between and within annotators", unknown),
    Item(METHODS, 19, "12a", "Assignment to partitions", _partition),
    Item(METHODS, None, "12b", "How predictors were handled", _preprocessing),
    Item(METHODS, 20, "12a", "Level at which partitions are disjoint", _disjoint),
    Item(METHODS, 21, "10", "Intended sample size", _sample_size),
    Item(METHODS, 22, "12c, 22", "The model", _model),
    Item(METHODS, 23, "12g", "Software", _software),
    Item(METHODS, 24, "12c", "Initial parameters", _initial),
    Item(METHODS, 25, "12c, 13", "Training", _training),
    Item(METHODS, 26, "12c", "Selection of the final model", _selection),
    Item(METHODS, 27, "12c", "Ensembling", _ensembling),
    Item(METHODS, None, "12f", "Recalibration", _recalibration),
    Item(METHODS, 28, "12e, 15", "Metrics of performance", lambda r: f"See the tables; {r.point.sentence}."),
    Item(METHODS, 29, "12e", "Uncertainty", _intervals),
    Item(METHODS, 30, "12d, 14", "Robustness, fairness", _robustness),
    Item(METHODS, 31, "12e", "Explainability", _explained),
    Item(METHODS, 32, "12c", "Internal evaluation", _internal),
    Item(METHODS, 33, "16, 20c", "External evaluation", _external),
    Item(METHODS, 34, "18d", "Registration", unknown),
    Item(RESULTS, 35, "20a, 21", "Patients and films, included and excluded", _flow),
    Item(RESULTS, 36, "20b", "Demographic and clinical characteristics", _demography),
    Item(RESULTS, 37, "23a", "Performance with uncertainty", _figures),
    Item(RESULTS, 38, "23a", "Diagnostic performance and its precision", _figures),
    Item(RESULTS, 39, "", "Failure analysis", _failures),
    Item(RESULTS, None, "23b", "Heterogeneity between sources", _heterogeneity),
    Item(RESULTS, None, "24", "Result of recalibration", _calibrated),
    Item("Discussion", 40, "26", "Limitations", lambda r: r.card.all_limitations or None),
    Item("Discussion", 41, "25, 27a-c", "Implications; figures published for this recipe", _published),
    Item("Other information", 42, "18c", "Protocol", unknown),
    Item("Other information", 43, "18e-f, 22", "Availability; licence", lambda r: r.card.licence or None),
    Item("Other information", 44, "18a", "Funding", unknown),
    Item("Other information", None, "18b", "Conflicts of interest", unknown),
    Item("Other information", None, "19", "Patient and public involvement", unknown),
)
