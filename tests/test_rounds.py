"""Class rounds: forty pupils at once, nobody's answer lost or mixed, and no more than a server can hold."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import RoundError
from core.rounds import HOURS, LONGEST, MOST_BOXES, MOST_CHANGES, MOST_ROUNDS, Given, Rounds


def test_forty_pupils_of_two_rounds_do_not_mix() -> None:
    rounds = Rounds()
    codes = [rounds.open("phantom:fair", "honest", [3, 5])[0] for _ in range(2)]

    def pupil(number: int) -> None:
        for change in ("Normal", f"answer of {number}"):
            rounds.answer(codes[number % 2], f"pupil {number}", 0, Given(change, "certain"))

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(pupil, range(40)))
    for half, code in enumerate(codes):
        found = rounds.get(code)
        assert found is not None
        assert {name: given.answer for name, given in found.answers.items()} == {
            f"pupil {number}": f"answer of {number}" for number in range(40) if number % 2 == half
        }


def test_after_the_wall_shows_the_answers_none_is_taken() -> None:
    rounds = Rounds()
    code, secret = rounds.open("phantom:fair", "honest", [3, 5])
    rounds.answer(code, "a", 0, Given("Normal", "guessing"))
    before = rounds.show(code, secret)
    with pytest.raises(RoundError, match="no longer asked about"):
        rounds.answer(code, "a", 0, Given("COVID-19", "certain"))
    assert rounds.get(code) == before
    assert rounds.following(code, secret).answers == {}
    with pytest.raises(RoundError, match="no longer asked about"):
        rounds.answer(code, "a", 0, Given("late", "certain"))
    rounds.answer(code, "a", 1, Given("Normal", "guessing"))
    with pytest.raises(RoundError, match="last film"):
        rounds.following(code, secret)
    assert rounds.get(code) is None


def test_only_its_teacher_leads_a_round() -> None:
    rounds = Rounds()
    code, _ = rounds.open("phantom:fair", "honest", [3])
    for verb in (rounds.show, rounds.following, rounds.close):
        with pytest.raises(RoundError, match="somebody else"):
            verb(code, "0" * 32)
    assert rounds.get(code) is not None


def test_rounds_are_bounded_in_number_boxes_and_hours() -> None:
    now = [0.0]
    rounds = Rounds(lambda: now[0])
    first, _ = rounds.open("phantom:fair", "honest", [3])
    for _ in range(MOST_ROUNDS):
        last, _ = rounds.open("phantom:fair", "honest", [3])
    assert len(rounds) == MOST_ROUNDS
    assert rounds.get(first) is None
    with pytest.raises(RoundError, match="boxes"):
        rounds.answer(last, "a", 0, Given("Normal", "certain", ((0.0, 0.0, 1.0, 1.0),) * (MOST_BOXES + 1)))
    for edge in (float("nan"), -0.1, 1.5):  # the wall draws them
        with pytest.raises(RoundError, match="outside the film"):
            rounds.answer(last, "a", 0, Given("Normal", "certain", ((0.0, 0.0, 1.0, edge),)))
    now[0] = 3600 * HOURS + 1
    assert rounds.get(last) is None
    assert len(rounds) == 0
    with pytest.raises(RoundError, match="No round"):
        rounds.answer(last, "a", 0, Given("Normal", "certain"))


def test_changes_of_mind_and_past_films_are_kept_and_bounded() -> None:
    rounds = Rounds()
    code, secret = rounds.open("phantom:fair", "honest", [3, 5])
    for number in range(MOST_CHANGES + 5):
        labels = tuple((f"label {step}", float(step)) for step in range(number + 1))
        rounds.answer(code, "a", 0, Given(f"answer {number}", "certain", labels=labels, seconds=float(number)))
    given = rounds.following(code, secret).past[0]["a"]
    assert given.answer == f"answer {MOST_CHANGES + 4}"
    assert [one.answer for one in given.before] == [f"answer {number}" for number in range(4, MOST_CHANGES + 4)]
    assert [one.seconds for one in given.before] == list(range(4, MOST_CHANGES + 4))
    assert not any(one.before for one in given.before)
    assert len(given.labels) == MOST_CHANGES
    assert given.labels[-1] == (f"label {MOST_CHANGES + 4}", MOST_CHANGES + 4)
    with pytest.raises(RoundError, match="characters"):
        rounds.answer(code, "a", 1, Given("x" * (LONGEST + 1), "certain"))
