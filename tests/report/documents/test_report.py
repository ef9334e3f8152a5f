"""The printed report, CSV, JSON and HTML say what the evaluation says, and nothing they do not know."""

import json
import re
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from plotly.io import templates
from sklearn.metrics import classification_report

from core.evaluate import track_record
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX, OperatingPoint
from core.evaluate.scopes import OVERALL, Total
from core.evaluate.split_reports import side_by_side
from core.report.documents.checklist import ITEMS
from core.report.documents.html import as_html, checklist_html
from core.report.documents.page import NOT_PROVIDED, plot
from core.report.documents.report import DISCLAIMER, Report, as_csv, as_json
from core.report.documents.text import as_text
from core.report.evaluation_figures import confusion
from tests.evaluate.drawn import CLASSES, evaluation
from tests.report.cards import card


@pytest.fixture(scope="module")
def report():
    drawn = evaluation(per_patient=2)
    splits = {name: drawn.split(name) for name in ("validation", "test")}
    return Report(
        card(), splits, "Toy films", OperatingPoint("COVID-19", 0.3), {"COVID-19": 0.02}, ("2 films missing",)
    )


def test_printed_as_scikit_learn_does(report):
    test = report.evaluations["test"]
    expected = classification_report(
        test.labels, test.called(report.point), target_names=CLASSES, digits=3, output_dict=True
    )
    part = as_text(report).split("\n\n\n")[1].splitlines()
    for name in (*CLASSES, "macro avg", "weighted avg"):
        line = next(line for line in part if line.strip().startswith(name))
        values = [float(v) for v in re.findall(r"(\d\.\d+) \[", line)]
        keys = ("precision", "recall", "f1-score")
        assert values == pytest.approx([expected[name][key] for key in keys], abs=6e-4)
        assert int(line.split()[-1]) == expected[name]["support"]


def test_the_printed_report_ends_with_what_stands_out(report):
    text = as_text(report)
    matrix = report.evaluations["test"].confusion(report.point)
    assert f"{matrix[0, 0]:,} ({matrix[0, 0] / matrix[0].sum():.1%})" in text
    for heading in ("Confusion matrix (test", "Calibration (test", "Most confident errors (test", "labels are doubted"):
        assert heading in text


def test_print_has_a_part_a_split_and_readable_lines(report):
    text = as_text(report)
    assert [part.split(":")[0] for part in text.split("\n\n\n")][:2] == ["validation", "test"]
    assert max(len(line) for line in text.splitlines()) <= 120
    assert "PPV at your prevalence" in text


def test_undefined_figures_are_explained_below(report):
    drawn = evaluation()
    text = as_text(Report(card(), {"test": drawn.where(drawn.labels != 1)}))
    assert "- not defined: no films of COVID-19" in text
    assert "nan" not in text


def test_csv_holds_every_figure_of_every_split(report):
    table = pd.read_csv(StringIO(as_csv(report)))
    assert set(table["split"]) == {"validation", "test"}
    row = table.query("split == 'test' and scope == 'COVID-19' and figure == 'recall'").iloc[0]
    figure = report.figures["test"]["COVID-19"]["recall"]
    assert (row["value"], row["low"], row["high"]) == pytest.approx((figure.value, figure.low, figure.high))


def test_json_is_strict_and_complete(report):
    labels = np.zeros(5, int)
    alone = Evaluation(CLASSES, labels, np.full((5, 3), 1 / 3), evaluation(films=5).samples)
    data = json.loads(as_json(Report(card(), {"external": alone})), parse_constant=pytest.fail)
    assert data["external"]
    assert data["splits"]["external"]["figures"]["COVID-19"]["recall"]["value"] is None
    data = json.loads(as_json(report), parse_constant=pytest.fail)
    assert np.sum(data["splits"]["test"]["confusion"]) == data["splits"]["test"]["films"]
    assert data["prevalence"] == {"COVID-19": 0.02}


def test_nothing_written_names_a_film_or_a_patient_unless_it_is_asked_for(report):
    drawn = evaluation(per_patient=2)
    samples = drawn.samples.assign(path=[f"DOE_{i}.png" for i in range(len(drawn))], sha256="ab" * 32, patient="DOE")
    named = Evaluation(drawn.classes, drawn.labels, drawn.probabilities, samples)
    for names in (False, True):
        made = Report(card(), {"test": named}, "Toy films", notes=("2 files left out (empty): DOE_x.png",), names=names)
        for text in (as_json(made), as_html(made), checklist_html(made), as_csv(made)):
            assert names or "DOE" not in text
        assert ("DOE_" in as_json(made)) == ("DOE_" in as_html(made)) == names
        assert "2 files left out (empty)" in as_json(made)
        assert ("film-" in as_json(made)) != names


def test_html_needs_nothing_from_outside(report):
    html = as_html(report)
    page = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert html.count("plotly.js v") == 1
    assert not re.findall(r"""(?:src|href)=["']?https?:""", page)
    assert DISCLAIMER in page
    assert "A toy &lt;model&gt;" in page
    assert "<model>" not in page


def test_the_checklist_alone_holds_what_it_points_to(report):
    page = checklist_html(report)
    for pointed_to in ("Slices", "Most confident errors"):
        assert f"see {pointed_to}." in page
        assert f"<h2>{pointed_to}</h2>" in page
    assert "below" not in page


def test_figures_are_drawn_alike_inside_and_outside_streamlit(monkeypatch):
    figure = confusion(np.eye(3, dtype=int), CLASSES)
    outside = re.sub(r"[0-9a-f-]{36}", "", plot(figure))
    monkeypatch.setattr(templates, "default", "none")
    inside = re.sub(r"[0-9a-f-]{36}", "", plot(confusion(np.eye(3, dtype=int), CLASSES)))
    assert inside == outside
    assert '"automargin":true' in inside


def test_unknown_patients_are_admitted(report):
    drawn = report.evaluations["test"]
    nobody = drawn.samples.assign(patient=np.where(np.arange(len(drawn)) < 5, "", drawn.samples["patient"]))
    few = Evaluation(drawn.classes, drawn.labels, drawn.probabilities, nobody)
    shown = Report(card(), {"test": few})
    assert "known patients and 5 films whose patient is unknown, each counted as one" in shown.summary
    assert "patient of 5" in checklist_html(shown)
    assert "each counted as one" not in report.summary


def test_html_goes_through_the_checklist_and_admits_what_is_not_known(report):
    page = as_html(report)
    assert [item.claim for item in ITEMS if item.claim] == list(range(1, 45))
    positions = [page.index(f"<h3>{section}</h3>") for section in dict.fromkeys(item.section for item in ITEMS)]
    assert positions == sorted(positions)
    unknown = [item.asks for item in ITEMS if item.answer(report) is None]
    assert {"De-identification", "Reference standard", "Funding"} <= set(unknown)
    assert page.count(NOT_PROVIDED) >= len(unknown)


def test_an_empty_card_is_enough():
    bare = card(recipe={}, data={}, history=[], limitations="", licence="")
    page = as_html(Report(bare, {"new": evaluation(films=30)}))
    assert page.count(NOT_PROVIDED) > 20


def test_every_part_of_tripod_has_a_line_and_answers_come_from_what_happened():
    parts = {
        3: "abc",
        5: "ab",
        6: "abc",
        8: "abc",
        9: "abc",
        12: "abcdefg",
        18: "abcdef",
        20: "abc",
        23: "ab",
        27: "abc",
    }
    wanted = {f"{n}{part}" for n in range(1, 28) for part in parts.get(n, [""])}
    named: set[str] = set()
    for text in (text for item in ITEMS for text in re.split(r",\s*", item.tripod) if text):
        number, first, last = re.fullmatch(r"(\d+)([a-g]?)(?:-([a-g]))?", text).groups()
        named |= {f"{number}{chr(c)}" for c in range(ord(first), ord(last or first) + 1)} if first else {number}
    assert named == wanted
    answers = {item.asks: item.answer for item in ITEMS}
    drawn = {"test": evaluation(films=30)}
    splits = {"train": {"a": 900, "b": 79}, "test": {"a": 496}}
    own = Report(card(data={"splits": splits, "layout": "table", "notes": ["the source's own split"]}), drawn)
    assert answers["Assignment to partitions"](own) == "train 979, test 496 films; the source's own split."
    assert answers["Prospective or retrospective"](own) is None
    public = Report(card(data={"layout": "radiography + coronahack"}, recipe={}), drawn)
    assert answers["Prospective or retrospective"](public) == "Retrospective: public collections."
    assert answers["Ensembling"](public) is None
    at_bound, usual = (Report(card(temperature=value), drawn) for value in (0.2500014, 0.8))
    assert "bound of the fit" in answers["Recalibration"](at_bound)
    assert "bound" not in answers["Recalibration"](usual)


def test_nothing_is_claimed_of_a_model_that_somebody_brought():
    answers = {item.asks: item.answer for item in ITEMS}
    brought = Report(card(recipe={}, temperature=1.0), {"test": evaluation(30)})
    assert answers["Recalibration"](brought) == "None that is known: probabilities as the network gives them."
    checks = {
        "gradcam": {"final": None, "final_blank": 1.0, "chance": 0.1},
        "layercam": {"final": 0.4, "chance": 0.3},
        "magic": {"final": 0.1},
        "hirescam": "nonsense",
    }
    told = answers["Explainability"](Report(card(randomisation=checks), {"test": evaluation(30)}))
    assert "Grad-CAM all blank, Layer-CAM 0.40 [0.30]" in told
    assert "magic" not in told
    assert answers["Explainability"](Report(card(randomisation={"hirescam": 3}), {"test": evaluation(30)})) is None


@pytest.mark.parametrize("total", ["all films", "macro avg", "weighted avg"])
def test_a_class_named_like_a_total_stays_apart_from_it_in_every_form(total):
    """Scopes are typed: under one name the class's row would take the total's place, or the other way round."""
    classes = (total, "COVID-19", "x")
    drawn = evaluation(classes=classes)
    made = Report(card(classes=classes, recipe={}), {"test": drawn})
    figures = made.figures["test"]
    scope = next(found for found in Total if str(found) == total)
    key = "accuracy" if scope is OVERALL else "recall"
    whole, own = figures[scope][key].value, figures[total]["recall"].value
    assert whole != pytest.approx(own)
    rows = pd.read_csv(StringIO(as_csv(made))).query("scope == @total")
    for of, figure, value in (("total", key, whole), ("class", "recall", own)):
        found = rows[(rows["of"] == of) & (rows["figure"] == figure)]
        assert found["value"].tolist() == pytest.approx([value])
    data = json.loads(as_json(made))["splits"]["test"]["figures"]
    assert data[f"{total} (total)"][key]["value"] == pytest.approx(whole)
    assert data[total]["recall"]["value"] == pytest.approx(own)
    record = track_record.of(drawn)
    assert record["accuracy"] == pytest.approx(figures[OVERALL]["accuracy"].value)
    assert record["classes"][total]["sensitivity"] == pytest.approx(own)
    table = side_by_side({"test": drawn}).set_index(["Class", "Figure"])["test"]
    assert table["all", "Accuracy"] == figures[OVERALL]["accuracy"].text()
    assert table[total, "Recall"] == figures[total]["recall"].text()
    printed = [line for line in as_text(made).split("\n\n\n")[0].splitlines() if line.strip().startswith(total)]
    assert figures[total]["recall"].text() in printed[0]
    assert len(printed) == (2 if scope is OVERALL else 4)  # two tables; a mean over classes has its own line in each


def test_the_rule_stands_beside_the_figures():
    own = dict(zip(CLASSES, (0.7, 0.1, 0.3), strict=True))
    drawn = evaluation()
    made = Report(card(thresholds=own), {"test": drawn})
    called = (drawn.probabilities / np.array(list(own.values()))).argmax(1)
    right = (called == drawn.labels).mean()
    assert made.figures["test"][OVERALL]["accuracy"].value == pytest.approx(right)
    assert made.parts
    assert sum(part.films * part.accuracy.value for part in made.parts if part.column == "source") / len(
        drawn
    ) == pytest.approx(right)
    assert "by the model's own operating points" in made.summary
    text, page = as_text(made), as_html(made)
    assert "exceeds its own operating point by the largest factor (Normal 0.700" in text
    assert "columns: called by the model's own operating points" in text
    assert "Called by the model&#x27;s own operating points" in page
    assert set(pd.read_csv(StringIO(as_csv(made)))["called_by"]) == {made.point.sentence}
    assert json.loads(as_json(made))["called_by"] == "the model's own operating points"
    assert np.trace(json.loads(as_json(made))["splits"]["test"]["confusion"]) == (called == drawn.labels).sum()
    likeliest = Report(card(thresholds=own), {"test": drawn}, asked=ARGMAX)
    assert "by the most likely class" in likeliest.summary
    bare = Report(card(), {"test": drawn})
    assert bare.point == ARGMAX  # a card without operating points
