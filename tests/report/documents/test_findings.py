"""The report of several findings: averages are typed, and what leaves as CSV is not a formula."""

import json
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from core.evaluate.findings import FindingsEvaluation
from core.report.documents.findings import MACRO, FindingsReport, as_csv, as_html, as_json, frame
from tests.report.cards import card

NAMES = ("macro average", "=1+2", "Edema")


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(0)
    targets = (rng.random((120, 3)) < 0.4).astype(float)
    p = np.clip(rng.random((120, 3)) * 0.5 + 0.4 * targets, 0, 1)
    samples = pd.DataFrame({"path": [f"{i}.png" for i in range(120)], "split": "test"})
    films = FindingsEvaluation(NAMES, targets, p, samples, dict.fromkeys(NAMES, 0.5))
    return FindingsReport(card(classes=NAMES, output="sigmoid"), {"test": films})


def test_a_finding_named_like_an_average_stays_apart_from_it(report):
    figures = report.figures["test"]
    own, mean = figures["macro average"]["auroc"].value, figures[MACRO]["auroc"].value
    assert own != pytest.approx(mean)
    assert mean == pytest.approx(np.mean([figures[name]["auroc"].value for name in NAMES]))
    rows = pd.read_csv(StringIO(as_csv(report))).query("finding == 'macro average' and figure == 'auroc'")
    assert dict(zip(rows["of"], rows["value"], strict=True)) == pytest.approx({"finding": own, "average": mean})
    told = json.loads(as_json(report))["splits"]["test"]["figures"]
    assert told["macro average"]["auroc"]["value"] == pytest.approx(own)
    assert told["macro average (average)"]["auroc"]["value"] == pytest.approx(mean)
    shown = frame(report, "test")
    assert shown["Finding"].tolist() == [*NAMES, "macro average", "micro average"]
    assert shown["Known"].tolist()[0] == "120"
    assert as_html(report).count("macro average") >= 2


def test_a_finding_s_name_is_no_formula(report):
    assert ",=1+2," not in as_csv(report)
    assert "1+2" in as_csv(report)
