""" "Called" has one meaning: every figure calls a film as its page does, by the model's own operating points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.errors import EvaluationError
from core.evaluate import leaderboard, parts, review, slices, track_record
from core.evaluate.compare import align, compare
from core.evaluate.evaluation import Evaluation
from core.evaluate.met import kept, stored
from core.evaluate.operating import ARGMAX, LIKELIEST, at_points, of_card
from core.evaluate.scopes import OVERALL
from core.evaluate.scoring import score
from core.evaluate.storage import to_parquet
from core.model import output as outputs
from core.model.checkpoint import EVALUATION, load, save
from core.model.classifier import Classifier
from tests.evaluate.drawn import CLASSES, evaluation
from tests.pages.tiny import tiny_checkpoint
from tests.report.cards import card

CUT_OFFS = dict(zip(CLASSES, (0.7, 0.1, 0.3), strict=True))
OWN = card(thresholds=CUT_OFFS)


def drawn(seed: int = 0) -> Evaluation:
    return replace(evaluation(seed=seed), point=of_card(OWN))


def test_an_evaluation_calls_what_the_model_calls():
    films = drawn()
    said = outputs.of_card(OWN).first(films.probabilities)
    assert (films.called() == said).all()
    assert (said != films.probabilities.argmax(1)).any()
    assert (films.called(ARGMAX) == films.probabilities.argmax(1)).all()
    assert of_card(card(thresholds={})) is ARGMAX


@pytest.mark.parametrize("thresholds", [{"COVID-19": 0.2}, {"COVID-19": 0.0}])
def test_a_card_with_some_operating_points_or_one_of_0_calls_as_its_output_does(thresholds):
    some = card(thresholds=thresholds)
    p = evaluation().probabilities
    assert (of_card(some).decide(p, CLASSES) == outputs.of_card(some).first(p)).all()


def test_operating_points_of_other_classes_are_refused():
    with pytest.raises(EvaluationError, match="no operating point for 'Viral Pneumonia'"):
        at_points({"Normal": 0.5, "COVID-19": 0.5}).decide(evaluation().probabilities, CLASSES)


def test_every_figure_of_a_model_starts_from_its_operating_points():
    films, said = drawn(), outputs.of_card(OWN).first(drawn().probabilities)
    right = (said == films.labels).mean()
    assert films.figures()[OVERALL]["accuracy"].value == pytest.approx(right)
    assert films.confusion().trace() == (said == films.labels).sum()
    record = track_record.of(films)
    assert record["accuracy"] == pytest.approx(right)
    assert record["called_by"] == films.point.sentence
    assert slices.slices(films, "source")["accuracy"].iloc[0].value == pytest.approx(right)
    assert sum(part.films * part.accuracy.value for part in parts.parts(films) if part.column == "source") / len(
        films
    ) == pytest.approx(right)
    assert len(review.errors(films, most=len(films))) == (said != films.labels).sum()


def test_parts_and_comparisons_keep_the_model_s_rule():
    films, other = drawn(), evaluation()
    assert films.split("test").point == films.where(films.labels == 1).point == films.point
    one, two = align(other, films)
    assert (one.point, two.point) == (ARGMAX, films.point)
    gap = compare(other, films).differences["accuracy"].value
    assert gap == pytest.approx(
        (films.called() == films.labels).mean() - (other.called() == other.labels).mean(), abs=1e-6
    )
    fresh = {name: e.split("test") for name, e in (("likeliest", other), ("own", films))}
    ranked = leaderboard.leaderboard(fresh, "accuracy")
    figures = {place.name: place.figure.value for place in ranked.places}
    for name, e in fresh.items():
        assert figures[name] == pytest.approx((e.called() == e.labels).mean())


def test_what_is_kept_and_what_is_scored_know_the_rule_of_the_card(tmp_path: Path, squares):
    folder = tiny_checkpoint(tmp_path / "tiny")
    checkpoint = load(folder)
    own = dict(zip(checkpoint.card.classes, (0.6, 0.2, 0.3, 0.1), strict=True))
    save(replace(checkpoint, card=replace(checkpoint.card, thresholds=own)), folder)
    films = evaluation(classes=checkpoint.card.classes)
    to_parquet(films, folder / EVALUATION)
    expected = outputs.of_card(load(folder).card).first(films.probabilities)
    for back in (stored(load(folder)), kept(load(folder).card, folder / EVALUATION)):
        assert isinstance(back, Evaluation)
        assert (back.called() == expected).all()
    first, *_ = classes = checkpoint.card.classes
    labelled = replace(squares, samples=squares.samples.assign(label=first), classes=classes)
    model = Classifier(load(folder), "torch")
    scored, _ = score(model, labelled.take(np.arange(4)))
    said = [model.predict(labelled.film(i)).label for i in range(4)]
    assert isinstance(scored, Evaluation)
    assert [scored.classes[c] for c in scored.called()] == said


@pytest.mark.parametrize(("point", "title"), [(of_card(OWN), "the model's own operating points"), (ARGMAX, LIKELIEST)])
def test_a_rule_has_a_name(point, title):
    assert point.title == title
