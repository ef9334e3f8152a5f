"""Each test of the audit fails where the fault is planted and passes where it is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.data.audit import TESTS, audit, audit_across, filmcheck, shortcuts
from core.data.audit.findings import Audit, Finding
from core.data.borders import measure
from core.data.cohort import Cohort
from core.data.phantom.cohort import cohort as phantoms
from core.data.readers import open_cohort
from core.data.signatures import thumbnail_of
from core.data.table import samples
from core.lungs.masks import met
from tests.data.conftest import draw

pytestmark = pytest.mark.usefixtures("own_cache")
Save = Callable[..., Path]


def cohort(
    folder: Path, save: Save, pixels: Callable[[int, str], np.ndarray], films: int = 60, **columns: object
) -> Cohort:
    """Two classes turn by turn, the film of each made by its number and label; extra columns are functions of both."""
    rows = []
    for i in range(films):
        label = "ill" if i % 2 else "well"
        extra = {key: value(i, label) for key, value in columns.items()}
        rows.append({"path": save(folder / f"{i:03}.png", pixels=pixels(i, label)), "label": label, **extra})
    return Cohort("small", samples(rows)[0], ("well", "ill"))


def plain(i: int, label: str) -> np.ndarray:
    return draw(i)


def marked(i: int, label: str) -> np.ndarray:
    """The shortcut: a bright plate in the corner of every ill film."""
    film = draw(i)
    if label == "ill":
        film[4:12, 4:24:3] = 255
        film[:, -6:] = 0
    return film


def findings(result: Audit) -> dict[str, Finding]:
    return {finding.key: finding for finding in result.findings}


def test_a_clean_cohort_passes(tmp_path: Path, save: Save) -> None:
    clean = cohort(
        *(tmp_path, save, plain),
        patient=lambda i, _: f"p{i}",
        source=lambda i, _: f"hospital {i // 2 % 2}",
        split=lambda i, _: "test" if i % 5 == 0 else "train",
    )
    found = findings(audit(clean))
    assert len(found) == len(TESTS)
    for key in set(found) - {"odd_films"}:
        assert found[key].passed is not False, found[key].sentence
    assert found["class_by_view"].passed is None
    assert found["borders_only"].figures["low"] < 0.6


def test_shortcuts_are_caught(tmp_path: Path, save: Save) -> None:
    found = findings(audit(cohort(tmp_path, save, marked, source=lambda _, label: f"clinic of the {label}")))
    for key in ("class_by_source", "borders_only", "border_statistics", "burned_in_text"):
        assert found[key].passed is False, found[key].sentence
    assert found["class_by_source"].figures["cramers_v"] > 0.9
    assert found["borders_only"].figures["auroc"] > 0.9
    assert len(found["burned_in_text"].films) > 20


def test_leaks_are_caught_and_named(tmp_path: Path, save: Save) -> None:
    def copied(i: int, label: str) -> np.ndarray:
        return draw(0 if i == 5 else i)

    leaking = cohort(
        *(tmp_path, save, copied, 12),
        patient=lambda i, _: "p1" if i in (2, 7) else "",
        split=lambda i, _: "test" if i < 4 else "train",
    )
    (tmp_path / "011.png").write_text("no film")
    found = findings(audit(leaking))
    assert found["unreadable"].films == ("011.png",)
    for key in ("exact_duplicates", "near_duplicates", "conflicting_labels", "split_duplicates"):
        assert found[key].passed is False, key
        assert set(found[key].films) == {"000.png", "005.png"}
    assert found["split_patients"].passed is False
    assert set(found["split_patients"].films) == {"002.png", "007.png"}


def test_a_selection_of_one_side_is_not_called_unsplit(tmp_path: Path, save: Save) -> None:
    one_side = cohort(tmp_path, save, lambda i, _: draw(i), 6, patient=lambda i, _: f"p{i}", split=lambda i, _: "test")
    found = findings(audit(one_side))
    for key in ("split_duplicates", "split_patients"):
        assert found[key].passed is None
        assert found[key].sentence == "All films are of one side, test"


def test_alike_films_of_one_patient_do_not_fail(tmp_path: Path, save: Save) -> None:
    twice = cohort(tmp_path, save, lambda i, _: draw(i // 2) ^ np.uint8(i % 2), 12, patient=lambda i, _: f"p{i // 2}")
    finding = findings(audit(twice))["near_duplicates"]
    assert finding.passed is True
    assert finding.figures["pairs_within_patients"] == 6


def test_what_two_cohorts_share(tmp_path: Path, save: Save) -> None:
    first = cohort(tmp_path / "a", save, plain, 8, patient=lambda i, _: f"person{i}")
    second = cohort(tmp_path / "b", save, lambda i, _: draw(i + 6), 8, patient=lambda i, _: f"person{i + 5}")
    found = findings(audit_across([first, second]))
    assert found["shared_pictures"].figures["pairs"] == 2
    assert found["shared_patients"].figures["patients"] == 3
    apart = cohort(tmp_path / "c", save, lambda i, _: draw(i + 50), 8, patient=lambda i, _: str(i))
    numbered = cohort(tmp_path / "d", save, lambda i, _: draw(i + 90), 8, patient=lambda i, _: str(i))
    assert audit_across([apart, numbered]).passed


def test_a_patient_in_three_cohorts_is_in_each_pair_of_them(tmp_path: Path, save: Save) -> None:
    cohorts = [
        replace(
            cohort(tmp_path / name, save, lambda i, _, k=k: draw(100 * k + i), 4, patient=lambda i, _: f"person{i}"),
            name=name,
        )
        for k, name in enumerate("abc")
    ]
    finding = findings(audit_across(cohorts))["shared_patients"]
    assert finding.figures["patients"] == 4
    for pair in ("4 in a and b", "4 in a and c", "4 in b and c"):
        assert pair in finding.sentence


def test_frame_measures() -> None:
    film = np.full((100, 200), 120, np.uint8)
    plainly = measure(film)
    assert (plainly["aspect"], plainly["brightness"], plainly["text_share"]) == (2.0, 120.0, 0.0)
    film[:, :4] = 0
    assert measure(film)["black_share"] > 0.05
    film[10:20, 160:190:4] = 255
    assert measure(film)["text_share"] > 0


def test_cramers_v_and_effect_against_their_limits() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 3000)
    assert shortcuts.cramers_v(a, a) == pytest.approx(1.0, abs=1e-3)
    assert shortcuts.cramers_v(a, rng.integers(0, 4, 3000)) < 0.06
    assert shortcuts.cramers_v(a, np.zeros(3000, int)) == 0.0
    noise = pd.Series(rng.normal(size=3000))
    assert shortcuts.effect(shortcuts.ranked(noise), a) < 0.01
    assert shortcuts.effect(shortcuts.ranked(a * 10 + noise), a) > 0.8


def test_cramers_v_and_effect_against_scipy() -> None:
    from scipy.stats import kruskal
    from scipy.stats.contingency import association

    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 5000)
    b = (a + rng.integers(0, 2, 5000)) % 3
    assert shortcuts.cramers_v(a, b) == pytest.approx(association(pd.crosstab(a, b).to_numpy()), abs=0.002)
    values = pd.Series((rng.normal(size=5000) + a).round(1))
    h = kruskal(*(values[a == k] for k in range(3))).statistic
    assert shortcuts.effect(shortcuts.ranked(values), a) == pytest.approx(h / 4999)


def test_cramers_v_of_hardly_any_films_is_a_number() -> None:
    for n in (2, 3, 5):
        assert shortcuts.cramers_v(np.arange(n), np.arange(n)) == 0.0


def test_borders_only_needs_several_patients_of_each_class() -> None:
    rng = np.random.default_rng(1)
    films, labels = rng.integers(0, 256, (60, 64, 64), dtype=np.uint8), np.arange(60) % 2
    assert shortcuts.borders_only(films, labels, np.arange(60) % 4) is None
    assert shortcuts.borders_only(films, labels, np.where(labels == 0, 0, np.arange(60))) is None
    result = shortcuts.borders_only(films, labels, np.arange(60) % 10)
    assert result is not None
    assert result.low <= result.auroc <= result.high


def test_borders_only_interval_covers_chance_on_noise() -> None:
    rng = np.random.default_rng(1)
    films = rng.integers(0, 256, (120, 64, 64), dtype=np.uint8)
    labels = np.arange(120) % 2
    result = shortcuts.borders_only(films, labels, np.arange(120))
    assert result is not None
    assert result.low < 0.5
    films[labels == 1, :4] = 255
    told = shortcuts.borders_only(films, labels, np.arange(120))
    assert told is not None
    assert told.low > 0.9
    films[:] = rng.integers(0, 256, films.shape)
    films[labels == 1, 20:40, 20:40] = 255  # what lies inside is hidden from it
    hidden = shortcuts.borders_only(films, labels, np.arange(120))
    assert hidden is not None
    assert hidden.low < 0.6
    assert shortcuts.borders_only(films, np.zeros(120, int), np.arange(120)) is None


def test_the_report_is_json_and_the_command_says_fail(tmp_path: Path, save: Save, capsys) -> None:
    cohort(tmp_path / "x", save, marked, 8)
    for label in ("ill", "well"):
        (tmp_path / "set" / label).mkdir(parents=True)
    for i, path in enumerate(sorted((tmp_path / "x").iterdir())):
        path.rename(tmp_path / "set" / ("ill" if i % 2 else "well") / path.name)
    code = main(["audit", str(tmp_path / "set"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert code == (0 if report[0]["passed"] else 1)
    assert [f["key"] for f in report[0]["findings"]][:2] == ["unreadable", "exact_duplicates"]
    (tmp_path / "set" / "well" / "notes.txt").write_text("No film.")
    main(["audit", str(tmp_path / "set")])
    said = capsys.readouterr().out
    main(["audit", str(tmp_path / "set"), "--json"])
    [notes] = [report["notes"] for report in json.loads(capsys.readouterr().out)]
    for told in (said, " ".join(notes)):
        assert "1 file left out (a text file): well/notes.txt" in told
        assert "lung finder" not in told  # of these films it learned nothing
    assert "Near-duplicates: No picture occurs twice" in said
    assert main(["data", str(tmp_path / "set")]) == 0
    assert "set (folders): 8 films" in capsys.readouterr().out
    assert main(["audit", str(tmp_path / "none")]) == 2


def test_it_says_where_the_lung_finder_learned_from_the_films(tmp_path: Path, save: Save) -> None:
    films = cohort(tmp_path, save, marked, 2)
    assert met(films) == ""
    joined = replace(films, name="Somewhere + covid-chestxray-dataset")
    assert met(joined).endswith("learned from 350 films of covid-chestxray-dataset")


@pytest.mark.real
def test_faults_planted_in_real_films_are_recognised(real_data: Path) -> None:
    films = open_cohort(real_data / "montgomery-shenzhen")
    upright = np.stack([thumbnail_of(films.film(i).pixels) for i in range(0, len(films), 8)])
    for wrong, faulty in {
        "": upright,
        "upside down": upright[:, ::-1],
        "on its side": np.rot90(upright, axes=(1, 2)),
        "inverted": 255 - upright,
        "cropped or off centre": np.stack([thumbnail_of(np.ascontiguousarray(f[:, :32])) for f in upright]),
        "blank": upright // 40,
    }.items():
        found = filmcheck.check(np.ascontiguousarray(faulty))
        either = {wrong, filmcheck.STRANGE if wrong.startswith("cropped") else wrong}
        assert np.mean([kind in either for kind in found]) > (0.98 if wrong == "" else 0.9), wrong


@pytest.mark.real
def test_the_real_cohorts_share_what_they_are_known_to_share(real_data: Path) -> None:
    radiography = open_cohort(real_data / "COVID-19_Radiography_Dataset")
    coronahack = open_cohort(real_data / "Coronahack-Chest-XRay-Dataset")
    children = radiography.where(radiography.samples["path"].str.contains("person10"))
    theirs = coronahack.where(coronahack.samples["path"].str.contains("person10"))
    found = findings(audit_across([children, theirs]))
    assert found["shared_patients"].figures["patients"] > 50
    assert found["shared_pictures"].figures["pairs"] > 50
    covid = radiography.where(radiography.samples["path"].str.contains("COVID-27[0-9][0-9]"))
    copies = findings(audit(covid))["near_duplicates"]
    assert {"COVID/images/COVID-2716.png", "COVID/images/COVID-2718.png"} <= set(copies.films)


def test_the_planted_shortcut_of_the_phantoms_is_caught_and_the_fair_ones_pass() -> None:
    fair = audit(phantoms("fair", films=120, size=128))
    assert fair.passed, [f.sentence for f in fair.findings if f.passed is False]
    confounded = findings(audit(phantoms("confounded", films=120, size=128)))
    for key in ("class_by_source", "burned_in_text", "border_statistics", "borders_only"):
        assert confounded[key].passed is False
    for key in ("exact_duplicates", "near_duplicates", "split_patients", "odd_films"):
        assert confounded[key].passed is True
