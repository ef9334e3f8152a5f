"""Files of examined films: named so that none takes another's place."""

import json
from datetime import date

import pytest
from PIL import Image

from core.__main__ import main
from core.model import checkpoint
from core.report.outputs import export_name, safe, stems
from tests.explain.toys import classifier, picture


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return checkpoint.save(classifier().checkpoint, tmp_path_factory.mktemp("weights") / "toy")


@pytest.mark.parametrize(
    ("name", "file"), [("COVID-19", "covid-19"), ("Normal/NA", "normal-na"), ("..", "unnamed"), ("a\\b:c", "a-b-c")]
)
def test_a_class_becomes_a_part_of_a_file_name(name, file):
    assert safe(name) == file


def test_a_download_says_of_what_and_when_it_is():
    today = f"{date.today():%Y-%m-%d}"
    assert export_name("Report", "html", "A cohort", "my/model") == f"a-cohort-my-model-report-{today}.html"
    assert export_name("", "png", "1", "COVID-19") == f"1-covid-19-{today}.png"


def test_two_classes_never_share_a_file():
    assert stems("f", ["a/b", "a b", "c"]) == {"a/b": "f-a-b", "a b": "f-a-b-2", "c": "f-c"}


def test_two_films_of_one_name_both_stay(stored, tmp_path):
    paths = []
    for seed, folder in enumerate("AB"):
        (tmp_path / folder).mkdir()
        paths.append(str(tmp_path / folder / "1.png"))
        Image.fromarray(picture(96, seed)).save(paths[-1])
    out = tmp_path / "out"
    for _ in range(2):  # the second time in one's own place again
        assert main(["explain", str(stored), *paths, "--out", str(out)]) == 0
        told = [json.loads(path.read_text()) for path in sorted(out.glob("*.json"))]
        assert len({numbers["sha256"] for numbers in told}) == len(told) == 2
        files = [entry["files"] for numbers in told for entry in numbers["heatmaps"].values()]
        assert len(set(files)) == 2
        assert all((out / f"{stem}.png").is_file() for stem in files)


def test_nothing_that_is_written_names_the_film_unless_it_is_asked_for(stored, tmp_path):
    film = tmp_path / "SMITH_JOHN.png"
    Image.fromarray(picture(96)).save(film)
    for more, named in (([], 0), (["--names"], 3)):
        out = tmp_path / f"out{named}"
        assert main(["explain", str(stored), str(film), "--out", str(out), *more]) == 0
        assert sum("SMITH" in path.name for path in out.iterdir()) == named
        assert sum(b"SMITH" in path.read_bytes() for path in out.glob("*.json")) == bool(named)


def test_two_models_both_stay(stored, tmp_path):
    other = checkpoint.save(classifier(seed=1).checkpoint, tmp_path / "other")
    film = tmp_path / "1.png"
    Image.fromarray(picture(96)).save(film)
    for folder in (stored, other):
        assert main(["explain", str(folder), str(film), "--out", str(tmp_path / "out")]) == 0
    told = [json.loads(path.read_text()) for path in (tmp_path / "out").glob("*.json")]
    assert {numbers["model"] for numbers in told} == {"toy", "other"}


def test_a_report_is_three_files_without_the_film_s_name(stored, tmp_path, capsys):
    film = tmp_path / "SMITH.png"
    Image.fromarray(picture(96)).save(film)
    out = tmp_path / "out"
    assert main(["report", str(stored), str(film), "--out", str(out), "--label", "COVID-19"]) == 0
    assert sorted(path.suffix for path in out.iterdir()) == [".html", ".json", ".pdf"]
    assert all("SMITH" not in path.name and b"SMITH" not in path.read_bytes() for path in out.iterdir())
    told = json.loads(next(out.glob("*.json")).read_text())
    (name,) = told["heatmaps"]
    page = next(out.glob("*.html")).read_text()
    assert told["called"] in (name, None)
    assert f"{told['prediction'][name]:.3f}" in page
    assert all(line["sentence"] in page for line in told["heatmaps"][name]["trust"])
    assert main(["report", str(stored), str(tmp_path / "none.png"), "--out", str(out)]) == 2
    assert 'There is no file "none.png"' in capsys.readouterr().err
