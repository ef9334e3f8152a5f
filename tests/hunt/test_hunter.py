"""The hunter on toy models: the cheat's marker comes first, and an honest or a destroyed one yields nothing."""

import json
from dataclasses import replace
from math import nan

import pytest

from core.cli import main
from core.data.phantom.cohort import Kind
from core.data.phantom.cohort import cohort as drawn
from core.errors import ExplainError
from core.explain.randomisation import destroyed
from core.explain.swap import CUES
from core.hunt.exchange import Exchange
from core.hunt.hunter import hunt
from core.hunt.hypothesis import Hunt
from core.hunt.seen import look
from core.hunt.single import trials
from core.model.classifier import open_classifier

FILMS = 64


NAME = "COVID-19"


def hunted(name: str, kind: Kind) -> Hunt:
    """One class of a model before 64 films: some 10 s on one core."""
    return hunt(open_classifier(name), drawn(kind, films=FILMS, size=128), FILMS, class_names=[NAME])


@pytest.fixture(scope="module")
def cheat() -> Hunt:
    return hunted("cheat", "confounded")


def test_the_cheats_marker_comes_first_with_all_kinds_of_evidence(cheat: Hunt) -> None:
    first = cheat.hypotheses[0]
    assert (first.class_name, first.cue) == (NAME, "corner")
    assert first.low > 0.5
    assert first.share > 0.5
    assert len(set(first.examples)) == 5
    told = " ".join(first.evidence)
    assert "Hidden" in told
    assert "concept" in told
    assert {one.cue for one in cheat.hypotheses} == {"corner"}
    assert cheat.strongest >= first.low
    assert cheat.lung_share < 0.2
    assert cheat.notes[0] == f"only the answers of {NAME} were looked into"


def test_what_disease_can_look_like_is_a_lead_and_no_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    """On real films the narrow things over the lungs are wires as well as the reticular pattern of a pneumonia."""

    def exchanged(*_: object, **__: object) -> list[Exchange]:
        figures = (0.3, 0.2, 0.4, 0.5, 40, nan, nan, nan, (0, 1, 2, 3, 4))
        return [Exchange(NAME, cue, *figures) for cue in ("lines", "exposure")]

    monkeypatch.setattr("core.hunt.hunter.exchanges", exchanged)
    found = hunted("honest", "fair")
    assert [one.cue for one in found.hypotheses] == ["exposure"]
    assert [one.cue for one in found.doubted] == ["lines"]
    assert "+0.30 [0.20, 0.40]" in found.leads[0]
    assert "may be a fine pattern of disease" in found.leads[0]
    assert found.leads[0].endswith("look at the films " + ", ".join(map(str, found.doubted[0].numbers)) + ".")
    names = drawn("fair", films=FILMS, size=128).samples["film_id"].iloc[list(found.doubted[0].examples)]
    assert not any(name in found.leads[0] for name in names), "a file name may carry a patient"
    assert "doubted" not in found.to_dict()


def test_an_honest_model_yields_nothing() -> None:
    found = hunted("honest", "fair")
    assert found.hypotheses == ()
    assert found.leads == ()
    assert not found.learned_nothing
    assert found.strongest < 0.1
    assert found.lung_share > 0.7
    assert "Nothing was found" in found.sentence
    assert 0 < found.low < found.accuracy < found.high <= 1  # a share: it said "0.99 [0.98, 1.01]"


def test_destroyed_weights_have_learned_nothing_to_hunt() -> None:
    found = hunt(destroyed(open_classifier("honest")), drawn("fair", films=32, size=128), 32)
    assert found.learned_nothing
    assert found.hypotheses == ()
    assert found.sentence.startswith("This model has learned nothing to hunt")


def test_the_command_says_it_and_its_status_too(
    capsys: pytest.CaptureFixture[str], cheat: Hunt, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = replace(cheat, hypotheses=(), lung_share=float("nan"))
    for found, status in ((cheat, 1), (nothing, 0)):
        monkeypatch.setattr("core.hunt.hunter.hunt", lambda *_, found=found, **__: found)
        assert main(["hunt", "cheat", "--data", "phantom"]) == status
        said = capsys.readouterr().out
        assert found.sentence in said
        assert all(said.count(one.sentence) == 1 for one in found.hypotheses)
        assert main(["hunt", "cheat", "--data", "phantom", "--json"]) == status
        told = json.loads(capsys.readouterr().out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert [one["cue"] for one in told["hypotheses"]] == [one.cue for one in found.hypotheses]
        assert told["sentence"] == found.sentence
    assert main(["hunt", "cheat", "--data", "phantom", "--class", "Flu"]) == 2
    assert "Flu came" in capsys.readouterr().err


def test_one_film_shows_what_the_cohort_showed() -> None:
    model = open_classifier("cheat")
    seen = look(model, drawn("confounded", films=16, size=128), 16)
    index = model.classes.index("COVID-19")
    film, other = (next(k for k in seen.sights if (seen.labels[k] == index) == yes) for yes in (True, False))
    tried = trials(model, "COVID-19", "corner", seen.sights[film], seen.sights[other])
    hidden, _, pasted = tried
    assert [one.title for one in tried] == ["Hidden", "Laid on the other side", "Pasted onto another film"]
    assert hidden.change < -0.5
    assert pasted.change > 0.5
    harmless = trials(model, "COVID-19", "abdomen", seen.sights[film], seen.sights[other])
    assert max(abs(one.change) for one in harmless) < 0.1
    assert len(trials(model, "COVID-19", "sharpness", seen.sights[film], seen.sights[other])) == 2
    for name, cue in (("Flu", "corner"), ("COVID-19", "hat")):
        with pytest.raises(ExplainError):
            trials(model, name, cue, seen.sights[film], seen.sights[other])


def test_every_cue_has_words() -> None:
    assert all(cue.title and cue.key == key for key, cue in CUES.items())
