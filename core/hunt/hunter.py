"""The hunter: concepts, strategies, exchanges, hiding, probes and the audit of the films, joined into hypotheses.

A hypothesis has passed a test: what was pasted, or the attribute, moves the answer. What was only seen (a concept that
shuns the lungs) is evidence for it, or a lead where no test confirms it; so is what passed a test and may be disease
(narrow things over the lungs: wires, or a reticular pattern). Before all that stands the question whether
the model has learned anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.data.audit import confounds
from core.data.audit.findings import Finding, Viewed
from core.data.cohort import Cohort
from core.data.patients import count, numbered
from core.data.progress import Progress, quiet
from core.data.signatures import signatures
from core.data.store import in_memory
from core.errors import ExplainError
from core.evaluate import metrics
from core.examine.concepts import Found, of_films
from core.explain.concepts import FEWEST_FILMS
from core.explain.swap import CUES, OUTSIDE, ZONE_OF
from core.explain.zones import shares
from core.hunt.exchange import Exchange, exchanges, most_specific
from core.hunt.hypothesis import Hunt, Hypothesis
from core.hunt.probes import P, Probe, probes
from core.hunt.seen import Seen, look
from core.intervals import of_share
from core.model.classifier import Classifier
from core.resamples import drawn

FILMS = 160  # looked at unless told
_TESTS = (  # of the audit: does the cohort offer something to go by?
    confounds.class_by_source,
    confounds.class_by_view,
    confounds.class_by_sex,
    confounds.class_by_age,
    confounds.burned_in_text,
    confounds.border_statistics,
)
_OFFERS: Mapping[str, tuple[str, ...]] = {  # test -> what it makes likelier
    "burned_in_text": (*ZONE_OF, OUTSIDE),
    "border_statistics": ("corner", "border", OUTSIDE, "exposure", "position"),
}


def hunt(
    classifier: Classifier,
    cohort: Cohort,
    films: int = FILMS,
    seed: int = 0,
    progress: Progress = quiet,
    always: bool = False,
    class_names: Sequence[str] = (),
) -> Hunt:
    """Look for what a model goes by that is no disease; with the concepts and strategies of each class, to look at.

    Args:
        cohort: labelled films under the model's classes, see `core.evaluate.scoring.labelled`.
        films: looked at, at most, each class equally often.
        seed: of the draw and of every pairing.
        always: hunt even where the answers are no better than chance.
        class_names: whose answers are looked into; all by default.

    Raises:
        ExplainError: the model keeps no map, its classes are findings that occur together, or no film can be read.
    """
    seen = look(classifier, cohort, films, seed, progress)
    accuracy, chance = _accuracy(classifier, seen, seed), 1 / len(np.unique(seen.labels))
    inside = _lung_share(seen)
    result = Hunt(classifier.card.name, cohort.name, len(seen), *accuracy, chance, lung_share=inside)
    if result.learned_nothing and not always:
        return result
    names = [name for name in classifier.classes if not class_names or name in class_names]
    tried = exchanges(classifier, seen, names, seed=seed, progress=progress)
    asked = [one for one in probes(classifier, seen, seed=seed) if one.class_name in names]
    watched = watched_by(classifier, seen, names, seed, progress)
    offered = [finding for finding in _audited(seen, progress) if finding.passed is False]
    moved = most_specific([one for one in tried if one.relied_on])
    read = [one for one in asked if one.relied_on]
    tested = [_of_exchange(seen, one, watched, offered) for one in moved]
    doubted = tuple(one for one in tested if CUES[one.cue].like_disease)
    found = [one for one in tested if one not in doubted]
    found += [_of_probe(seen, one, offered) for one in read]
    confirmed = {(one.class_name, ZONE_OF.get(one.cue, "")) for one in moved}
    wide = {one.class_name for one in moved if one.cue == OUTSIDE}
    leads = tuple(
        f"{one.sentence} It may be a fine pattern of disease: look at the films {', '.join(map(str, one.numbers))}."
        for one in doubted
    )
    leads += tuple(
        f"{name}: {told}"
        for name, zone, told in suspects(watched)
        if (name, zone) not in confirmed and name not in wide
    )
    ordered = sorted(found, key=lambda one: (-one.low, -one.effect))
    return replace(
        result,
        hypotheses=tuple(ordered),
        leads=leads,
        notes=_notes(names, seen, tried, offered, read),
        strongest=_strongest(tried, asked),
        offered=len(offered),
        shunned=_shunned(watched),
        doubted=doubted,
        watched=watched,
    )


def _strongest(tried: Sequence[Exchange], asked: Sequence[Probe]) -> float:
    """The largest effect that even its interval's lower end reaches, of all that was tested."""
    lows = [one.low for one in tried] + [one.low for one in asked if one.p < P]
    return max([0.0, *(low for low in lows if low == low)])


def _accuracy(classifier: Classifier, seen: Seen, seed: int) -> tuple[float, float, float]:
    """Mean recall over the classes that occur, and its interval over patients."""
    called = classifier.output.first(seen.probabilities)
    weights = drawn(seen.patients, seed=seed)
    samples = metrics.balanced_accuracy(metrics.confusion(seen.labels, called, len(classifier.classes), weights))
    return float(samples[0]), *of_share(float(samples[0]), samples[1:], count(seen.patients), len(seen))


def _lung_share(seen: Seen) -> float:
    inside = [
        shares(map_, lungs)["lungs"]
        for maps, lungs in zip(seen.maps, seen.lungs, strict=True)
        for map_ in maps.values()
        if lungs is not None and lungs.any() and map_.max() > 0
    ]
    return float(np.mean(inside)) if inside else float("nan")


def watched_by(
    classifier: Classifier, seen: Seen, names: Sequence[str], seed: int = 0, progress: Progress = quiet
) -> dict[str, Found]:
    """Concepts and strategies of every class that enough films are called, of ``names``."""
    found = {}
    for done, name in enumerate(names):
        chosen = np.flatnonzero(seen.called[:, classifier.classes.index(name)])
        progress("finding concepts and strategies", done, len(names))
        if len(chosen) < FEWEST_FILMS:
            continue
        try:
            found[name] = of_films(
                classifier, seen.cohort, name, [seen.films[k] for k in chosen], list(seen.features[chosen]),
                [seen.lungs[k] for k in chosen], [seen.maps[k][name] for k in chosen], seed=seed,
            )  # fmt: skip
        except ExplainError:  # maps without anything positive
            continue
    return found


def _audited(seen: Seen, progress: Progress) -> list[Finding]:
    part = seen.cohort.take(seen.films)
    with in_memory(part.fetch is not None):
        case = Viewed(part, numbered(part.samples), signatures(part, progress))
        return [test(case) for test in _TESTS]


def _shunned(watched: Mapping[str, Found]) -> float:
    """The largest distance of a lung share's upper end below the lungs' area."""
    far = [
        *(one.lung_area - one.lung_high for found in watched.values() for one in found.concepts if one.relied_on),
        *(one.lung_area - one.high for found in watched.values() for one in found.strategies),
    ]
    return max([0.0, *(distance for distance in far if distance == distance)])


def suspects(watched: Mapping[str, Found]) -> list[tuple[str, str, str]]:
    """Class, zone and sentence of each concept and strategy that shuns the lungs."""
    told = []
    for name, found in watched.items():
        told += [
            (name, one.zone, f"a concept of it shuns the lungs: {one.sentence}")
            for one in found.concepts
            if one.suspect
        ]
        for one in found.strategies:
            if one.suspect:
                share = f"{one.lung_share:.2f} [{one.low:.2f}, {one.high:.2f}] of the evidence"
                words = (
                    f"in {len(one.films)} of its heatmaps {share} lies in the lungs, where {one.lung_area:.2f} is lung"
                )
                told.append((name, one.zone, f"{words}; most lies at: {one.zone}"))
    return told


def _of_exchange(seen: Seen, one: Exchange, watched: Mapping[str, Found], offered: Sequence[Finding]) -> Hypothesis:
    evidence = []
    if one.hidden_low > 0:
        drop = f"{one.hidden:.2f} [{one.hidden_low:.2f}, {one.hidden_high:.2f}]"
        evidence.append(f"Hidden on films called {one.class_name}, it takes {drop} of their probability away.")
    zone = ZONE_OF.get(one.cue, "")
    mine = [told for name, where, told in suspects(watched) if name == one.class_name]
    placed = [told for name, where, told in suspects(watched) if zone and name == one.class_name and where == zone]
    evidence += [f"{told[0].upper()}{told[1:]}." for told in (mine if one.cue == OUTSIDE else placed)]
    evidence += [f"The films offer it: {f.sentence}." for f in offered if one.cue in _OFFERS.get(f.key, ())]
    films = tuple(seen.films[k] for k in one.examples)
    return Hypothesis(
        one.class_name, one.cue, CUES[one.cue].title, one.effect, one.low, one.high, one.films, tuple(evidence), films,
        one.flipped,
    )  # fmt: skip


def _of_probe(seen: Seen, one: Probe, offered: Sequence[Finding]) -> Hypothesis:
    evidence = [
        f"A linear probe reads it from what the class uses: AUROC {one.auroc:.2f}, by chance up to {one.chance:.2f}."
    ]
    evidence += [f"The films offer it: {f.sentence}." for f in offered if f.key == f"class_by_{one.column}"]
    films = tuple(seen.films[k] for k in one.examples)
    subject = f"the {one.column} {one.value}"
    return Hypothesis(one.class_name, "", subject, one.effect, one.low, one.high, one.films, tuple(evidence), films)


def _notes(
    names: Sequence[str], seen: Seen, tried: Sequence[Exchange], offered: Sequence[Finding], read: Sequence[Probe]
) -> tuple[str, ...]:
    notes = []
    if len(names) < len(seen.cohort.classes):
        notes.append(f"only the answers of {', '.join(names)} were looked into")
    if lacking := len(seen) - len(seen.sights):
        notes.append(f"in {lacking} of {len(seen)} films no lungs were found: nothing was pasted from or onto them")
    if few := [name for name in names if name not in {one.class_name for one in tried}]:
        notes.append(f"too few films are called, or not called, {', '.join(few)}: nothing was pasted")
    for finding in offered:
        column = finding.key.removeprefix("class_by_")
        if finding.key.startswith("class_by_") and not any(one.column == column for one in read):
            told = f"class and {column} go together in these films"
            notes.append(f"{told}, so that what the model makes of the {column} cannot be told apart here")
    return tuple(notes)
