"""A story that waits for its server is not satisfied before the run it asked for has begun and ended."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser.talk import Talk

DONE, PART_DONE = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY


def asked(part: str = "", poll: bool = False) -> bytes:
    """What a browser sends after a click."""
    return BackMsg(rerun_script=ClientState(fragment_id=part, is_auto_rerun=poll)).SerializeToString()


def begun(*parts: str) -> bytes:
    """What the server sends when a run of the page, or of some of its parts, begins."""
    message = ForwardMsg()
    message.new_session.name = "dashboard.py"
    message.metadata.run.fragment_ids.extend(parts)
    return message.SerializeToString()


def ended(how: ForwardMsg.ScriptFinishedStatus = DONE) -> bytes:
    """What the server sends when a run ends."""
    return ForwardMsg(script_finished=how).SerializeToString()


@pytest.fixture
def talk() -> Talk:
    """A page that was opened and drawn."""
    found = Talk()
    assert not found.over, "a page that was just opened has not been drawn"
    for message in (begun(), ended()):
        found.heard(message)
    assert found.over
    return found


def test_a_slow_server_that_has_not_begun_has_not_answered(talk: Talk) -> None:
    talk.said(asked())
    assert not talk.over
    talk.heard(begun())
    assert not talk.over
    talk.heard(ended())
    assert talk.over


def test_a_run_that_ends_for_another_is_no_answer(talk: Talk) -> None:
    talk.said(asked())
    for message in (begun(), ended(ForwardMsg.FINISHED_EARLY_FOR_RERUN), begun()):
        talk.heard(message)
        assert not talk.over
    talk.heard(ended())
    assert talk.over


def test_the_end_of_the_run_before_is_no_answer(talk: Talk) -> None:
    talk.said(asked())
    talk.heard(begun())
    talk.said(asked())
    talk.heard(ended())
    assert not talk.over
    for message in (begun(), ended()):
        talk.heard(message)
    assert talk.over


def test_a_part_is_answered_by_itself_or_by_the_whole_page(talk: Talk) -> None:
    for answer in (("other", "part"), ()):
        talk.said(asked("part"))
        for message in (begun("other"), ended(PART_DONE)):
            talk.heard(message)
        assert not talk.over, "another part answered"
        for message in (begun(*answer), ended(PART_DONE)):
            talk.heard(message)
        assert talk.over


def test_a_part_that_has_left_the_page_is_given_up(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    talk.said(asked("part"))
    assert not talk.over
    monkeypatch.setattr("tests.browser.talk.DROPPED", -1.0)
    assert talk.over
    talk.said(asked())
    assert not talk.over, "the whole page is always answered"


def test_nobody_waits_for_parts_that_poll(talk: Talk) -> None:
    talk.said(asked("part", poll=True))
    assert talk.over
