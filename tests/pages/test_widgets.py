"""Work that shows its progress: what is quick stays silent, what is long shows the seconds and a way out."""

import pytest
from streamlit.testing.v1 import AppTest


def _page(seconds: float) -> None:
    import time

    import streamlit as st

    from pages.shared import widgets

    def work() -> str:
        time.sleep(seconds)
        return f"after {seconds} s"

    words = []
    real = st.delta_generator.DeltaGenerator.caption
    st.delta_generator.DeltaGenerator.caption = lambda self, text: words.append(text) or real(self, text)
    try:
        st.write(widgets.in_background("Working", lambda: None, work))
    finally:
        st.delta_generator.DeltaGenerator.caption = real
    st.session_state["words"] = words


@pytest.mark.parametrize(("seconds", "said"), [(0.0, False), (0.9, True)])
def test_work_in_the_background_is_waited_for(seconds: float, said: bool) -> None:
    app = AppTest.from_function(_page, args=(seconds,), default_timeout=60).run()
    assert not app.exception
    assert app.markdown[0].value == f"after {seconds} s"
    assert bool(app.session_state["words"]) == said
    assert not app.button  # nothing is left to cancel


def test_what_goes_wrong_in_the_background_is_said_in_front() -> None:
    def page() -> None:
        from core.errors import HilumError
        from pages.shared import widgets

        def work() -> None:
            raise HilumError("the film is upside down")

        with widgets.errors_said():
            widgets.in_background("Working", lambda: None, work)

    app = AppTest.from_function(page, default_timeout=60).run()
    assert "upside down" in app.error[0].value


def test_work_that_says_how_far_it_is_shows_a_bar_and_ends_where_it_is_no_longer_wanted() -> None:
    def page() -> None:
        import time
        from itertools import count

        import streamlit as st

        from pages.shared import widgets

        ended = st.session_state.setdefault("ended", [])

        def work(progress) -> None:
            try:
                for done in count(1):
                    progress("reading films", done, 500)
                    time.sleep(0.01)
            except Exception:
                ended.append(done)
                raise

        shown = []

        def leave(self, share, text):
            shown.append((share, text))
            if len(shown) == 2:
                raise KeyError("what Streamlit does when the visitor clicks on something else")

        st.delta_generator.DeltaGenerator.progress, real = leave, st.delta_generator.DeltaGenerator.progress
        try:
            widgets.followed("Auditing", lambda: None, work)
        except KeyError:
            pass
        finally:
            st.delta_generator.DeltaGenerator.progress = real
        for _ in range(500):
            if ended:
                break
            time.sleep(0.01)
        st.session_state["shown"] = shown

    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert len(app.session_state["ended"]) == 1
    (first, text), (second, _) = app.session_state["shown"]
    assert 0 < first < second <= 1
    assert text.startswith("Auditing: reading films, ")
    assert " of 500, " in text
    assert not app.button


def test_what_is_found_so_far_is_shown_below_the_bar_and_gone_at_the_end() -> None:
    def page() -> None:
        import time

        import streamlit as st

        from pages.shared import widgets

        parts: list[str] = []
        drawn = st.session_state.setdefault("drawn", [])

        def work(progress) -> str:
            parts.append("two lines known")
            for done in range(100):
                progress("reading films", done, 100)
                time.sleep(0.01)
            return "whole"

        def draw(found) -> None:
            drawn.append(list(found))
            st.caption(found[-1])

        st.text(widgets.followed("Auditing", lambda: None, work, parts, draw))

    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    assert ["two lines known"] in app.session_state["drawn"]
    assert [text.value for text in app.text] == ["whole"]
    assert not app.caption
