"""Strategies: nothing is hunted unasked, an untrained model has learned nothing, a hypothesis is tested on films."""

import pytest
from streamlit.testing.v1 import AppTest

from core.hunt.hypothesis import Hunt, Hypothesis
from pages.shared import hunting, resources
from pages.shared.hunting import Hunted
from pages.shared.text import plain
from tests.pages.conftest import OpenPage
from tests.pages.tiny import pictures, small_cohort, sound


def button(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label)


def test_an_untrained_network_is_hunted_when_asked_and_has_learned_nothing(
    open_page: OpenPage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    films = small_cohort(tmp_path_factory.mktemp("films"), films=3)
    app = open_page("model/strategies.py", cohort=films)
    assert not app.info
    sound(button(app, "Hunt").click().run())
    assert "learned nothing to hunt" in app.info[0].value


def test_a_hypothesis_is_shown_with_its_films_and_tested_on_one(open_page: OpenPage) -> None:
    spec = "phantom:confounded"
    cohort, model = resources.cohort(spec), resources.classifier("cheat")
    rows = [row for row, label in enumerate(cohort.samples["label"]) if label == "COVID-19"][:5]
    evidence, examples = ("Hidden, it is gone.",), tuple(rows)
    one = Hypothesis("COVID-19", "corner", "what lies in the corners", 0.9, 0.8, 1.0, 40, evidence, examples, 0.9)
    hunt = Hunt("cheat", cohort.name, 96, 1.0, 0.95, 1.0, 0.25, (one,), ("COVID-19: a lead",), ("a note",), 0.8)
    key = hunting.key_of(cohort, model, 96)
    resources.shelf().put(key, Hunted(hunt, tuple(range(len(cohort)))))
    app = open_page("model/strategies.py", cohort=spec, model="cheat")
    assert app.warning[0].value.startswith("1 hypothesis on 96 films")
    said = [text.value for text in (*app.warning, *app.markdown)]
    assert sum(plain(one.sentence, longest=1000) in text for text in said) == 1
    assert "Hidden, it is gone." in " ".join(text.value for text in app.markdown)
    assert not app.metric
    sound(button(app, "Test it on a film").click().run())
    hidden, moved, pasted = app.metric
    assert [m.label.split(":")[0] for m in (hidden, moved, pasted)] == [
        "Hidden", "Laid on the other side", "Pasted onto another film",
    ]  # fmt: skip
    assert float(hidden.value) < 0.5 < float(pasted.value)
    before = [picture.alt for picture in pictures(app)]
    sound(button(app, "Test it on a film").click().run())
    assert [picture.alt for picture in pictures(app)] != before
