"""Each line of the audit has a cohort that it must pass and one that it must fail; where it has no power it says so.

The films are no pictures here: signatures are made up, so that each line is tested for what it makes of them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pytest

from core.data.audit import TESTS, confounds, leaks
from core.data.audit.chance import against_chance
from core.data.audit.findings import Case, Finding
from core.data.borders import MEASURES
from core.data.cohort import Cohort
from core.data.signatures import Signatures
from core.data.table import samples

Columns = Mapping[str, Callable[[int, str], object]]
PAIRS = ["first", "second", "level", "similarity", "inliers", "flip"]


def case(
    films: int = 80,
    columns: Columns | None = None,
    frame: Callable[[int, str], float] = lambda i, _: 0.0,
    pairs: list[tuple[int, int, str]] = [],  # noqa: B006 - read only
    thumbnail: Callable[[int, str], np.ndarray] | None = None,
    errors: Mapping[int, str] = {},
    digests: Callable[[int], str] = str,
    text: Callable[[int, str], float] = lambda i, _: 0.0,
    labels: tuple[str, ...] = ("well", "ill"),
    groups: Callable[[int], int] = int,
) -> Case:
    """Films whose labels take turns."""
    of = [labels[i % len(labels)] for i in range(films)]
    rows = [
        {"path": f"/films/{i}.png", "label": of[i], **{k: f(i, of[i]) for k, f in (columns or {}).items()}}
        for i in range(films)
    ]
    measures = pd.DataFrame({name: [0.0] * films for name in MEASURES})
    measures["brightness"] = [frame(i, label) for i, label in enumerate(of)]
    measures["text_share"] = [text(i, label) for i, label in enumerate(of)]
    noise = np.random.default_rng(0).integers(0, 256, (films, 64, 64), dtype=np.uint8)
    thumbnails = np.stack([thumbnail(i, of[i]) for i in range(films)]) if thumbnail else noise
    shas = np.array([digests(i) for i in range(films)], dtype=object)
    signs = Signatures(shas, np.zeros((films, 7, 32), np.uint8), thumbnails, measures, np.zeros(films), dict(errors))
    found = pd.DataFrame([(a, b, level, 0.9, 50, "") for a, b, level in pairs], columns=PAIRS)
    found = found.astype({"first": "int64", "second": "int64"})
    cohort = Cohort("made up", samples(rows)[0], tuple(sorted(set(of))))
    return Case(cohort, np.array([groups(i) for i in range(films)]), signs, found)


def chance(i: int, _: str) -> float:
    return float(np.random.default_rng(i).normal())


def two(names: str) -> Callable[[int, str], str]:
    """The first of two names, or the second, whatever the label."""
    return lambda i, _: names.split()[i // 2 % 2]


def by_label(ill: object, well: object) -> Callable[[int, str], object]:
    return lambda _, label: ill if label == "ill" else well


def edged(i: int, label: str) -> np.ndarray:
    film = np.random.default_rng(i).integers(0, 256, (64, 64), dtype=np.uint8)
    film[:4] = 255 if label == "ill" else 0
    return film


COPY = [(0, 3, "copy")]
PASS: dict[str, Case] = {
    "unreadable": case(),
    "exact_duplicates": case(),
    "near_duplicates": case(),
    "conflicting_labels": case(pairs=[(0, 2, "copy")]),
    "split_duplicates": case(columns={"split": two("train test")}, pairs=[(0, 1, "copy")]),
    "split_patients": case(columns={"split": two("train test"), "patient": lambda i, _: f"p{i}"}),
    "class_by_source": case(columns={"source": two("here there")}),
    "class_by_view": case(columns={"view": two("PA AP")}),
    "class_by_sex": case(columns={"sex": two("F M")}),
    "class_by_age": case(columns={"age": lambda i, _: 40 + i // 2 % 30}),
    "odd_films": case(8, thumbnail=lambda i, _: np.zeros((64, 64), np.uint8)),  # replaced below by real typical films
    "burned_in_text": case(200, text=lambda i, _: float(i // 2 % 2)),
    "border_statistics": case(frame=chance),
    "borders_only": case(160),
}
FAIL: dict[str, Case] = {
    "unreadable": case(errors={3: '"3.png" is empty'}),
    "exact_duplicates": case(digests=lambda i: str(max(i, 1))),
    "near_duplicates": case(pairs=COPY),
    "conflicting_labels": case(pairs=COPY),
    "split_duplicates": case(columns={"split": two("train test")}, pairs=COPY),
    "split_patients": case(columns={"split": two("train test"), "patient": lambda i, _: "one"}),
    "class_by_source": case(columns={"source": by_label("here", "there")}),
    "class_by_view": case(columns={"view": by_label("PA", "AP")}),
    "class_by_sex": case(columns={"sex": by_label("F", "M")}),
    "class_by_age": case(columns={"age": by_label(70, 30)}),
    "odd_films": case(8, thumbnail=lambda i, _: np.zeros((64, 64), np.uint8)),
    "burned_in_text": case(text=by_label(1.0, 0.0)),
    "border_statistics": case(frame=by_label(200.0, 90.0)),
    "borders_only": case(160, thumbnail=edged),
}
NO_POWER: dict[str, Case] = {
    "near_duplicates": case(1),
    "class_by_source": case(6, columns={"source": two("here there")}),
    "class_by_view": case(6, columns={"view": two("PA AP")}),
    "class_by_sex": case(6, columns={"sex": two("F M")}),
    "class_by_age": case(6, columns={"age": lambda i, _: 40 + i // 2}),
    "burned_in_text": case(6, text=lambda i, _: float(i // 2 % 2)),
    "border_statistics": case(10, frame=chance),
    "borders_only": case(20),
}
LINES = {test.__name__: test for test in TESTS}
NAMES = {"near_duplicates_inside": "near_duplicates", "duplicates_across_splits": "split_duplicates"}
NAMES["patients_across_splits"] = "split_patients"


def line(key: str) -> Callable[[Case], Finding]:
    return next(test for name, test in LINES.items() if NAMES.get(name, name) == key)


def test_no_line_is_without_controls() -> None:
    assert {NAMES.get(name, name) for name in LINES} == set(PASS) == set(FAIL)


@pytest.mark.parametrize("key", [key for key in PASS if key != "odd_films"])
def test_it_passes_what_it_must(key: str) -> None:
    finding = line(key)(PASS[key])
    assert finding.key == key
    assert finding.passed is True, finding.sentence


def test_odd_films_passes_typical_films() -> None:
    typical = confounds.filmcheck._learned()["typical"]
    finding = confounds.odd_films(case(len(typical), thumbnail=lambda i, _: typical[i]))
    assert finding.passed is True, finding.sentence


@pytest.mark.parametrize("key", FAIL)
def test_it_fails_what_it_must(key: str) -> None:
    finding = line(key)(FAIL[key])
    assert finding.passed is False, finding.sentence


@pytest.mark.parametrize("key", NO_POWER)
def test_it_says_too_few(key: str) -> None:
    finding = line(key)(NO_POWER[key])
    assert finding.passed is None, finding.sentence
    assert "oo few" in finding.sentence


@pytest.mark.parametrize("key", sorted({*FAIL} - {"unreadable", "exact_duplicates", "odd_films", "split_patients"}))
def test_it_says_what_chance_would_give(key: str) -> None:
    assert "chance" in line(key)(FAIL[key]).sentence


def test_a_line_that_no_figure_could_fail_does_not_pass() -> None:
    """Three films of ten in another view: even if all three were ill, chance would do that too often to be told."""
    for ill in (0, 1, 3):
        made = case(10, columns={"view": lambda i, _, n=ill: "AP" if i in [1, 3, 5][:n] + [0, 2, 4][: 3 - n] else "PA"})
        assert confounds.class_by_view(made).passed is None
    assert confounds.class_by_view(case(10, columns={"view": lambda *_: "PA"})).passed is True  # nothing to tell
    assert confounds.class_by_view(case(80, columns={"view": two("PA AP")})).passed is True
    rare = case(200, columns={"view": lambda i, _: "AP" if i in (1, 3) else "PA"})
    assert confounds.class_by_view(rare).passed is True  # two of 200 cannot give the class away, whoever they are


def test_one_class_alone_is_not_called_independent() -> None:
    for key in ("class_by_source", "border_statistics", "conflicting_labels"):
        finding = line(key)(case(columns={"source": two("here there")}, labels=("ill",)))
        assert finding.passed is None
        assert finding.sentence == "All films are of one class"


@pytest.mark.parametrize("films", [10, 20])
def test_frame_statistics_of_random_labels_hardly_ever_fail(films: int) -> None:
    """They failed 74 of 100 cohorts of 10 films, and 32 of 20, by chance."""
    failed = 0
    for seed in range(25):
        made = case(films, frame=lambda i, _, s=seed: float(np.random.default_rng([s, i]).normal()))
        failed += confounds.border_statistics(made).passed is False
    assert failed <= 1


def test_patients_with_many_films_are_no_independent_witnesses() -> None:
    """Four patients of 20 films: hospital and class go together as four coins may; as 80 films it would be certain."""
    made = case(
        columns={"source": lambda i, _: "here" if i // 20 in (0, 2) else "there"},
        labels=("well",) * 20 + ("ill",) * 20,
        groups=lambda i: i // 20,
    )
    assert confounds.class_by_source(made).passed is None


def test_possible_copies_are_shown_and_neither_pass_nor_fail() -> None:
    made = case(pairs=[(0, 3, "possible")], columns={"split": two("train test")})
    for test in (leaks.near_duplicates_inside, leaks.duplicates_across_splits):
        finding = test(made)
        assert finding.passed is None
        assert finding.films == ("0.png", "3.png")


def test_lungs_in_the_ring_are_masked_and_the_finding_says_so() -> None:
    """What lies in a lung, even at the edge, tells the classes apart only where it is not masked."""
    masks = np.zeros((160, 32, 32), bool)
    masks[:, 8:24, :3] = True

    def told(i: int, label: str) -> np.ndarray:
        film = np.random.default_rng(i).integers(0, 256, (64, 64), dtype=np.uint8)
        film[20:40, :4] = 255 if label == "ill" else 0
        return film

    made = case(160, thumbnail=told)
    open_, masked = confounds.borders_only(made), confounds.borders_only(with_lungs(made, masks))
    assert open_.passed is False
    assert "lungs not masked" in open_.sentence
    assert masked.passed is True, masked.sentence
    assert "lungs masked in 160 films" in masked.sentence
    edge = confounds.borders_only(with_lungs(case(160, thumbnail=edged), masks))
    assert edge.passed is False
    masks[:40] = False
    assert "40 without found lungs left out" in confounds.borders_only(with_lungs(made, masks)).sentence


def test_the_outline_of_the_lungs_does_not_tell_the_classes_apart() -> None:
    """Lungs that reach the ring in one class only: filled with one grey they would be a shortcut of our own making."""
    masks = np.zeros((160, 32, 32), bool)
    masks[:, 12:20, 12:20] = True
    masks[1::2, 8:24, :3] = True
    finding = confounds.borders_only(with_lungs(case(160), masks))
    assert finding.passed is True, finding.sentence


def with_lungs(made: Case, masks: np.ndarray) -> Case:
    return Case(made.cohort, made.groups, made.signatures, made.pairs, masks)


def test_chance_is_what_it_says() -> None:
    rng = np.random.default_rng(0)
    films, p = np.arange(30), []
    for _ in range(200):
        values = rng.normal(size=30)
        p.append(against_chance(lambda dealt, v=values: float(v[dealt == 1].mean()), films % 2, films, 99).p)
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) <= 0.1) < 0.2
