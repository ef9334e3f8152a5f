"""Scoring a cohort: rows, resumption, summary with intervals, and the command."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.__main__ import main
from core.data.readers import open_cohort
from core.examine import cohort as walk
from core.explain import cohort as scoring
from core.explain.heatmap import heatmaps
from core.model import checkpoint
from tests.explain.toys import CLASSES, classifier, picture


@pytest.fixture(scope="module")
def toy():
    return classifier()


@pytest.fixture(scope="module")
def films():
    drawn = open_cohort("phantom:fair")
    return drawn.where(drawn.samples["label"].isin(CLASSES)).take(range(4)).relabel({c: c for c in CLASSES}, CLASSES)


@pytest.fixture(scope="module")
def frame(toy, films):
    return walk.score(toy, films)


def test_a_row_a_film_with_the_truth_where_there_is_one(frame, films):
    assert list(frame.columns) == scoring.columns()
    assert frame["id"].is_unique
    assert (frame["class"] == films.samples["label"]).all()
    marked = films.samples["truth"] != ""
    assert (frame["hit"].notna() == marked).all()
    shares = frame[["lung_share", "mass_inside", "iou", "hit", "drop", *scoring.CHANCES]].to_numpy()
    assert ((shares >= 0) & (shares <= 1) | np.isnan(shares)).all()


def test_several_methods_share_a_film_and_give_what_each_gives_alone(toy, films, frame):
    both = walk.score(toy, films.take([0, 1]), ["gradcam", "layercam"])
    assert list(both["method"]) == ["gradcam", "layercam"] * 2
    pd.testing.assert_frame_equal(both[both["method"] == "gradcam"].reset_index(drop=True), frame.head(2))


def test_the_random_control_is_drawn_anew_for_every_film_and_the_same_again(toy, films, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        "core.examine.examined.heatmaps", lambda *a, seed, **k: (seeds.append(seed), heatmaps(*a, seed=seed, **k))[1]
    )
    for _ in range(2):
        walk.score(toy, films.take([0, 1]), ["randomcam"])
    assert seeds[:2] == seeds[2:]
    assert seeds[0] != seeds[1]


def test_the_model_s_own_choice_can_be_asked_for(toy, films):
    one = walk.score(toy, films.take([0]), of="predicted")
    assert one["class"][0] == one["predicted"][0]


@pytest.mark.parametrize("of", ["label", "predicted", "all"])
def test_a_refused_film_has_a_map_and_neither_answer_nor_number_as_in_predict(toy, tmp_path, of):
    for name, pixels in (("chest", picture(96)), ("strip", picture(96)[:24])):  # four times as long as wide
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    rows = [{"path": str(tmp_path / f"{name}.png"), "label": CLASSES[0]} for name in ("chest", "strip")]
    pd.DataFrame(rows).to_csv(tmp_path / "films.csv", index=False)
    found = walk.score(toy, open_cohort(tmp_path / "films.csv").relabel({}, CLASSES), of=of)
    judged, refused = (found[found["film"] == f"{name}.png"] for name in ("chest", "strip"))
    assert set(judged["domain"]) == {"doubtful"}  # a model without a gate doubts every film
    assert judged["probability"].notna().all()
    assert set(judged["predicted"]) <= set(CLASSES)
    assert set(refused["domain"]) == {"out"}
    assert refused["probability"].isna().all()
    assert set(refused["predicted"]) == {""}
    assert set(refused["class"]) <= set(CLASSES)
    assert len(refused) == len(judged) == (3 if of == "all" else 1)


def test_every_class_can_be_asked_for_and_a_finding_is_compared_with_its_own_only(toy, films, frame):
    marked = int(np.flatnonzero(films.samples["truth"] != "")[0])
    every = walk.score(toy, films.take([marked]), of="all")
    assert list(every["class"]) == list(CLASSES)
    own = every["class"] == films.samples["label"][marked]
    assert (every["hit"].notna() == own).all()
    assert (every["hit_area"].notna() == own).all()
    numbers = [name for name in frame if name in ("probability", *scoring.NUMBERS)]
    one, other = (found[numbers].astype(float).to_numpy() for found in (every[own], frame.iloc[[marked]]))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def table(**columns):
    size = len(next(iter(columns.values())))
    base = {name: [""] * size for name in scoring.columns()} | {m: [math.nan] * size for m in scoring.NUMBERS}
    base |= {"id": [str(n) for n in range(size)], "class": ["a"] * size, "method": ["gradcam"] * size}
    return pd.DataFrame(base | columns)


def test_summary_means_with_intervals_by_patient():
    rng = np.random.default_rng(0)
    values = rng.random(200)
    alone = scoring.summary(table(lung_share=values)).set_index("measure").loc["lung_share"]
    assert alone["value"] == pytest.approx(values.mean())
    half = 1.96 * values.std() / np.sqrt(200)
    assert alone["high"] - alone["low"] == pytest.approx(2 * half, rel=0.15)
    repeated = table(lung_share=np.repeat(values[:50], 4), patient=[str(n) for n in np.repeat(range(50), 4)])
    wide = scoring.summary(repeated).set_index("measure").loc["lung_share"]
    assert wide["high"] - wide["low"] > 1.5 * (alone["high"] - alone["low"])
    assert wide["films"] == 200


def test_each_measure_stands_beside_its_chances_on_the_same_films():
    films = 30
    rows = table(
        hit=[1.0] * 20 + [0.0] * 10, hit_area=[0.1] * films, hit_lung_prior=[0.5] * 29 + [math.nan], blank=[0.0] * films
    )
    found = scoring.against_chance(rows, ["method"]).set_index("baseline")
    assert set(found.index) == {"area", "lung_prior"}
    assert found["strongest"].to_dict() == {"area": False, "lung_prior": True}
    assert found.loc["lung_prior", "films"] == 29
    assert found.loc["lung_prior", "difference"] == pytest.approx(20 / 29 - 0.5)
    assert found.loc["area", "skill"] == pytest.approx((2 / 3 - 0.1) / 0.9)
    assert found.loc["area", "low"] > 0  # far more than the finding's area ...
    assert found.loc["lung_prior", "low"] < found.loc["lung_prior", "difference"] < found.loc["lung_prior", "high"]
    told = scoring.against_chance(table(hit=[1.0] * 3, hit_area=[0.1] * 3), ["method"]).iloc[0]
    assert math.isnan(told["low"])  # too few for an interval


def test_what_the_means_do_not_hold_is_said():
    rows = table(
        hit=[1.0, 0.0, math.nan], blank=[0.0, 1.0, 0.0], outside=[0.0, 0.0, 1.0], lung_share=[0.5, math.nan, 0.3]
    )
    told = scoring.left_out(rows)
    assert "1 of 3 maps are blank" in told
    assert "finding of 1 of 3 films" in told
    assert scoring.left_out(table(blank=[0.0], outside=[0.0])) == ""
    marks = scoring.summary(rows).set_index("measure")
    assert marks.loc["hit", ["films", "blank", "outside"]].tolist() == [2, 1, 1]
    assert marks.loc["lung_share", "holds"] == "maps that are not blank"


def test_a_single_patient_proves_nothing():
    rows = scoring.summary(table(hit=[1.0, 1.0], road_z=[1.0, 2.0], patient=["p", "p"])).set_index("measure")
    assert rows.loc["hit", "value"] == 1
    assert rows.loc["hit", "low"] < 0.25
    assert math.isnan(rows.loc["road_z", "low"])


def test_hits_on_all_of_some_films_are_no_certainty():
    row = scoring.summary(table(hit=[1.0] * 40)).iloc[0]
    assert row["high"] == 1
    assert row["low"] == pytest.approx(0.9124, abs=1e-4)  # Wilson's of 40 out of 40


def test_summary_groups_by_what_is_asked():
    summary = scoring.summary(table(hit=[1.0, 0.0], band=["mild", "severe"]), ["method", "band"])
    assert dict(zip(summary["band"], summary["value"], strict=True)) == {"mild": 1, "severe": 0}


def test_a_method_finds_a_class_from_the_severity_on_at_which_it_hits_more_often_than_not():
    def marks(method, name, *lows):
        return [
            {"method": method, "class": name, "band": band, "measure": "hit", "value": 1.0, "low": low, "high": 1.0}
            for band, low in zip(("mild", "moderate", "severe"), lows, strict=True)
        ]

    rows = [*marks("a", "x", 0.2, 0.6, 0.9), *marks("a", "y", 0.9, 0.4, 0.9), *marks("b", "x", 0.9, 0.9, 0.9)]
    found = scoring.found_from(pd.DataFrame([*rows, *marks("b", "y", 0.9, 0.9, math.nan)]))
    assert found.loc["a"].to_dict() == {"x": "moderate", "y": "severe"}
    assert found.loc["b"].to_dict() == {"x": "mild", "y": ""}


@pytest.fixture(scope="module")
def stored(toy, tmp_path_factory):
    return checkpoint.save(toy.checkpoint, tmp_path_factory.mktemp("weights") / "toy")


def test_the_command_explains_a_film(stored, films, tmp_path, capsys):
    film = films.samples["path"][0]
    films.film(0)
    assert main(["explain", str(stored), film, "--class", "all", "--out", str(tmp_path)]) == 0
    assert "checks speak for" in capsys.readouterr().out or "no positive evidence"
    (written,) = tmp_path.glob("*.json")
    numbers = json.loads(written.read_text())
    assert set(numbers["heatmaps"]) == set(CLASSES)
    assert sum(numbers["prediction"].values()) == pytest.approx(1, abs=1e-5)
    for entry in numbers["heatmaps"].values():
        values = np.load(tmp_path / f"{entry['files']}.npy")
        assert values.max() == pytest.approx(entry["maximum"])
        assert (tmp_path / f"{entry['files']}.png").read_bytes().startswith(b"\x89PNG")
        assert all(line["sentence"] for line in entry["trust"])


def test_the_command_scores_a_cohort_and_goes_on(stored, tmp_path, capsys):
    arguments = ["explain", str(stored), "--cohort", "phantom:fair", "--limit", "1", "--out", str(tmp_path)]
    assert main(arguments) == 0
    first = pd.read_csv(tmp_path / "rows-last-label.csv")
    told = capsys.readouterr().out
    assert "lung_share" in told
    assert "Beside the strongest chance" in told
    beside = pd.read_csv(tmp_path / "chance.csv")
    assert {"area", "lung_prior", "random_cam"} <= set(beside["baseline"])
    assert main([*arguments, "--method", "gradcam,hirescam"]) == 0
    both = pd.read_csv(tmp_path / "rows-last-label.csv")
    pd.testing.assert_frame_equal(both[both["method"] == "gradcam"].reset_index(drop=True), first)
    assert list(both["method"]) == ["gradcam", "hirescam"] * len(first)
    assert "more than half of the films" in capsys.readouterr().out
    assert set(pd.read_csv(tmp_path / "summary.csv")["measure"]) <= set(scoring.MEASURES)


def test_the_command_keeps_the_randomisation_check_in_the_card(stored, capsys):
    before = (stored / "model.safetensors").read_bytes()
    arguments = ["explain", str(stored), "--cohort", "phantom:fair", "--limit", "1", "--randomisation"]
    assert main([*arguments, "--method", "gradcam,hirescam"]) == 0
    card = checkpoint.load(stored).card
    assert set(card.randomisation) == {"gradcam", "hirescam"}
    assert card.randomisation["gradcam"]["films"] == 3
    assert (stored / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No film came"),
        (["a.png", "--cohort", "phantom"], "Both films and --cohort were given"),
        (["a.png", "--method", "magic"], "magic"),
    ],
)
def test_the_command_refuses_in_a_sentence(stored, arguments, words, capsys):
    assert main(["explain", str(stored), *arguments]) == 2
    assert words in capsys.readouterr().err
