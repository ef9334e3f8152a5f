"""What two shipped models go by on drawn films: the planted marker is found, and in an honest model nothing."""

from types import SimpleNamespace

import pytest

from core.cli import main
from core.data.phantom.cohort import cohort as drawn
from core.errors import ExplainError
from core.examine.concepts import Found, of_class
from core.model.classifier import open_classifier


@pytest.fixture(scope="module")
def found() -> dict[str, Found]:
    return {
        name: of_class(open_classifier(name), drawn(kind, films=96, size=128), "COVID-19")  # type: ignore[arg-type]
        for name, kind in (("cheat", "confounded"), ("honest", "fair"))
    }


def test_the_planted_marker_is_found(found: dict[str, Found]) -> None:
    of_cheat = found["cheat"]
    suspect = [concept for concept in of_cheat.concepts if concept.suspect]
    assert suspect
    assert suspect[0].number == 1
    assert all(one.suspect and one.zone == "corner" for one in of_cheat.strategies)
    assert of_cheat.strategies


def test_an_honest_model_has_nothing_to_suspect(found: dict[str, Found]) -> None:
    of_honest = found["honest"]
    assert not any(one.suspect for one in (*of_honest.concepts, *of_honest.strategies))
    assert of_honest.concepts[0].relied_on
    assert of_honest.concepts[0].lung_share > of_honest.concepts[0].lung_area


def test_films_and_examples_are_positions_in_the_cohort(found: dict[str, Found]) -> None:
    for one in found.values():
        assert len(set(one.films)) == len(one.films)
        for concept in one.concepts:
            assert set(concept.examples) <= set(one.films)
        assert {film for cluster in one.strategies for film in cluster.films} <= set(one.films)


def test_tokens_are_refused() -> None:
    model = SimpleNamespace(network=SimpleNamespace(layout="tokens"), card=SimpleNamespace(network="timm:vit_tiny"))
    with pytest.raises(ExplainError, match="imm:vit_tiny keeps tokens"):
        of_class(model, drawn("fair", films=8, size=96), "COVID-19")  # type: ignore[arg-type]


def test_the_command_says_it_and_its_status_too(
    capsys: pytest.CaptureFixture[str], found: dict[str, Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.examine.concepts.of_class", lambda model, *_: found[model.card.name])
    for name, status in (("cheat", 1), ("honest", 0)):
        assert main(["strategies", name, "--data", "phantom", "--class", "COVID-19"]) == status
        said = capsys.readouterr().out
        assert ("SUSPECT" in said) == bool(status)
        assert "concept 1: taking it out costs" in said
    assert main(["strategies", "cheat", "--data", "phantom", "--class", "Flu"]) == 2
    assert "Flu came" in capsys.readouterr().err
