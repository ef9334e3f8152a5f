"""Thirty real films of four sources: page, command line, cohort summary, PDF and JSON say one and the same of each."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.cli import main
from core.data.readers import open_cohort
from core.model.checkpoint import load
from tests.conftest import REPOSITORY
from tests.pages.tiny import sound, tiny_checkpoint

SOURCES = {  # collection -> films of each label
    "COVID-19_Radiography_Dataset": 2,
    "Coronahack-Chest-XRay-Dataset": 5,
    "covid-chestxray-dataset": 5,
    "siim-covid19-detection": 8,
}
APPEARANCES = {"Negative for Pneumonia": "Normal", "Typical Appearance": "COVID-19"}  # of SIIM's films
FILMS = 30
VERDICT = re.compile(r"\*\*(?P<title>.+?): (?P<word>.+?)\.\*\* (?P<sentence>.+)\]$")  # as `widgets.trust_lines` draws


@dataclass(frozen=True)
class Asked:
    """The films, the model, and what each way of asking is given."""

    films: list[Path]
    table: Path
    model: Path
    folder: Path


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Asked:
    folder = tmp_path_factory.mktemp("one-answer")
    model = tiny_checkpoint(folder / "weights" / "tiny")
    classes = load(model).card.classes
    parts = []
    for name, each in SOURCES.items():
        cohort = (
            open_cohort(real_data / name).relabel({name: name for name in classes} | APPEARANCES, classes).draw(each)
        )
        parts.append(cohort.samples.assign(source=name))
    rows = pd.concat(parts).reset_index(drop=True).fillna({"boxes": ""})
    rows = rows.iloc[[round(i * (len(rows) - 1) / (FILMS - 1)) for i in range(FILMS)]]
    assert set(rows["source"]) == set(SOURCES)
    assert rows["boxes"].ne("").any()
    assert rows["path"].map(lambda path: Path(path).stem).is_unique
    rows[["path", "label", "boxes", "source"]].to_csv(folder / "films.csv", index=False)
    order = open_cohort(folder / "films.csv").samples["path"]
    return Asked([Path(path) for path in order], folder / "films.csv", model, folder)


@pytest.mark.real
@pytest.mark.timeout(1800)
def test_all_ways_of_asking_give_one_answer(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HILUM_WEIGHTS", str(asked.model.parent))
    monkeypatch.setenv("HILUM_COHORTS", str(asked.table))
    model = str(asked.model)
    assert (
        main(
            ["explain", model, "--cohort", str(asked.table), "--of", "predicted", "--names", "--out", str(asked.folder)]
        )
        == 0
    )
    rows = of_cohort(asked.folder)
    assert len(rows) == FILMS
    assert sum(row["hit"] != "" for row in rows.values()) >= 3
    assert sum(row["lung_share"] != "" for row in rows.values()) > FILMS / 2
    for film, page in zip(asked.films, pages(asked, [rows[film.name]["class"] for film in asked.films]), strict=True):
        out = asked.folder / film.stem
        capsys.readouterr()
        assert main(["explain", model, str(film), "--out", str(out / "explain")]) == 0
        printed = capsys.readouterr().out
        assert main(["report", model, str(film), "--out", str(out / "report")]) == 0
        same(film.name, rows[film.name], page, printed, out)


def same(name: str, row: dict[str, str], page: dict[str, Any], printed: str, out: Path) -> None:
    """Every figure that two of them show is one figure."""
    probability, called = f"{float(row['probability']):.3f}", row["predicted"]
    assert page["title"].endswith(f"for {called}"), name
    assert page["probability"] == probability, name
    assert f": {called} {probability}\n" in printed, name
    numbers = [json.loads(path.read_text()) for path in sorted(out.rglob("*.json"))]
    pdf = words(next(out.rglob("*.pdf")))
    assert f"{called} (probability {probability})" in pdf, name
    for found in numbers:
        assert found["called"] == called, name
        assert f"{found['prediction'][called]:.3f}" == probability, name
        told = found["heatmaps"][called]
        assert shown(told["measures"]["lung_share"]) == shown(row["lung_share"]), name
        for line in told["trust"]:
            assert page["lines"][line["title"]] == (line["word"], line["sentence"]), name
            assert f"    {line['title']} ({line['word']}): {line['sentence']}\n" in printed, name
            assert squeezed(line["sentence"]) in squeezed(pdf), name
    of_truth = {"Hit", "Overlap", "Inside the finding"}  # a file alone has no known finding
    assert set(page["lines"]) - of_truth == {line["title"] for line in numbers[0]["heatmaps"][called]["trust"]}, name
    assert ("Hit" in page["lines"]) == (row["hit"] != "" and row["blank"] == "0.0"), name
    if "Hit" in page["lines"]:
        assert (" inside " in page["lines"]["Hit"][1]) == (float(row["hit"]) >= 0.5), name
        assert f"(IoU {float(row['iou']):.2f}" in page["lines"]["Overlap"][1], name
    if row["lung_share"]:
        assert (
            f"{float(row['lung_share']):.0%} of the evidence lies in the lungs" in page["lines"]["Inside the lungs"][1]
        )


def pages(asked: Asked, classes: list[str]) -> Iterator[dict[str, Any]]:
    """What the Heatmaps page says of each film and its called class."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=600)
    app.query_params.update({"cohort": str(asked.table), "model": "tiny", "case": "1"})
    app.switch_page("pages/case/heatmaps.py").run()
    for number, name in enumerate(classes, start=1):
        if app.session_state["case"] != number:
            app.number_input(key="case").set_value(number).run()
        if app.session_state["class"] != name:
            app.segmented_control(key="class").set_value(name).run()
        sound(app)
        yield of_page(app)


def of_page(app: AppTest) -> dict[str, Any]:
    caption = next(text.value for text in app.caption if "(probability " in text.value)
    found = re.match(r"(?P<title>.+?) \(probability (?P<probability>[\d.]+)\)", caption)
    lines = [line for text in app.markdown if (line := VERDICT.search(text.value))]
    assert found
    plain = {line["title"]: (line["word"], re.sub(r"\\(.)", r"\1", line["sentence"])) for line in lines}
    return {"title": found["title"].replace("*", ""), "probability": found["probability"], "lines": plain}


def of_cohort(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "rows-last-predicted.csv").open(newline="", encoding="utf-8") as file:
        return {
            row["film"]: {key: "" if text == "nan" else text for key, text in row.items()}
            for row in csv.DictReader(file)
        }


def words(pdf: Path) -> str:
    from pypdf import PdfReader

    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(pdf.read_bytes())).pages).split())


def squeezed(text: str) -> str:
    """Without blanks, which a PDF's line breaks change."""
    return "".join(text.split())


def shown(share: object) -> str:
    return "" if share in (None, "") else f"{float(str(share)):.6f}"
