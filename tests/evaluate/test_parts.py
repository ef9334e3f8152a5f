"""What a pooled figure pools: the same headline for each age group and source."""

import json

import numpy as np
import pandas as pd
import pytest

from core.evaluate import headline, parts, ranking, slices
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint
from core.report.documents.report import Report, as_json
from core.report.documents.text import as_text
from tests.report.cards import card

KERMANY, RSNA = "Kermany (Guangzhou, children)", "RSNA (adults)"


def pooled(ages=None) -> Evaluation:
    """60 children of one source, nine in ten called correctly; 40 adults of two others, half of them."""
    right = np.r_[np.arange(60) % 10 > 0, np.arange(40) % 2 > 0]
    labels = np.arange(100) % 2
    p = np.where((labels == right.astype(int))[:, None], [0.2, 0.8], [0.8, 0.2])
    samples = pd.DataFrame({"path": [f"{i}.png" for i in range(100)], "patient": [f"p{i}" for i in range(100)]})
    source = [KERMANY] * 60 + [RSNA] * 35 + ["web"] * 5
    return Evaluation(("no", "yes"), labels, p, samples.assign(source=source, age=ages or [""] * 100, split="test"))


def test_a_headline_stands_beside_its_parts():
    whole = pooled()
    found = {(part.column, part.name): part for part in parts.parts(whole)}
    assert found["age group", "children"].films == 60
    assert found["age group", "children"].accuracy.value == pytest.approx(0.9)
    assert found["age group", "adults"].accuracy.value == pytest.approx(17 / 35)
    assert found["age group", slices.UNKNOWN].films == 5
    assert found["source", parts.REST].films == 5  # too few patients to stand alone
    films = sum(part.films for part in found.values() if part.column == "source")
    assert films == len(whole)
    mean = sum(part.films * part.accuracy.value for (by, _), part in found.items() if by == "source") / films
    assert mean == pytest.approx((whole.called() == whole.labels).mean())


def test_a_known_age_overrules_the_source_s_name():
    groups = slices.groups(pooled(["40"] * 10 + ["5"] * 10 + [""] * 80).samples, slices.AGE_GROUP)
    assert groups[:10].eq("adults").all()
    assert groups[10:60].eq("children").all()
    assert groups[60:95].eq("adults").all()


def test_one_group_is_no_pool():
    assert parts.parts(pooled().where(np.arange(100) < 60)) == []


def test_a_moved_operating_point_ranks_the_films_of_no_part_again(monkeypatch: pytest.MonkeyPatch):
    """It took 0.4 s of each move of Report's slider."""
    whole, ranked = pooled(), []
    areas = ranking.areas
    monkeypatch.setattr(ranking, "areas", lambda *films: ranked.append(films) or areas(*films))
    before = parts.parts(whole, OperatingPoint("yes", 0.5))
    assert ranked
    ranked.clear()
    after = parts.parts(whole, OperatingPoint("yes", 0.9))
    assert not ranked
    assert [part.auroc for part in after] == [part.auroc for part in before]
    assert [part.accuracy for part in after] != [part.accuracy for part in before]


def test_text_and_json_show_the_parts():
    report = Report(card(classes=("no", "yes")), {"test": pooled()}, "mixed")
    assert "What the headline pools (test" in as_text(report)
    told = json.loads(as_json(report))["parts"]
    assert {"column", "name", "films", "accuracy"} <= set(told[0])


def test_a_card_tells_its_parts_and_survives_nonsense():
    whole = card(classes=("no", "yes"))
    whole.metrics[headline.PARTS] = parts.as_data(parts.parts(pooled()))
    assert "by age group: adults 0.49" in headline.pooled(whole)
    for nonsense in ("x", [1], [{"column": "source", "name": 3}], [{"column": "source", "name": "a", "accuracy": "b"}]):
        whole.metrics[headline.PARTS] = nonsense
        assert headline.pooled(whole) == ""


def test_cumulative_gains_are_what_counting_gives():
    rng = np.random.default_rng(0)
    labels = (rng.random(400) < 0.2).astype(int)
    score = 1 / (1 + np.exp(-(rng.normal(size=400) + 2 * labels)))
    films = Evaluation(
        ("no", "yes"), labels, np.stack([1 - score, score], 1), pd.DataFrame({"path": [str(i) for i in range(400)]})
    )
    curve = films.curves["yes"]
    order = np.argsort(-score)
    for share in (0.1, 0.25, 0.5):
        found = labels[order[: int(share * 400)]].sum() / labels.sum()
        assert curve.gains[round(share * 100)] == pytest.approx(found)
        lift, low, high = curve.lift(share)
        assert lift == pytest.approx(found / share)
        assert low <= lift <= high
    assert (curve.gains_low <= curve.gains + 1e-9).all()
    assert (curve.gains_high >= curve.gains - 1e-9).all()
    level = Evaluation(("no", "yes"), labels, np.full((400, 2), 0.5), films.samples).curves["yes"]
    assert level.lift(0.1)[0] == pytest.approx(1)  # a model that ranks nothing
