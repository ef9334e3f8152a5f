"""The dashboard: ``streamlit run dashboard.py``. Navigation, the frame round every page, and one error boundary."""

import gc
import os
import sys
from pathlib import Path

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

# Said before torch is loaded: its threads sleep when they have nothing to do, and do not keep a core from a visitor.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from pages.shared import access, layout, login, resources, state, widgets

# Libraries make half a million objects that stay. To look through them again and again while torch is loaded takes a
# second; what only holds itself is let go of by resources.collect_garbage.
gc.set_threshold(50_000, 20, 100)
# A network gives Python's lock up at each of its layers, and waits this long for it wherever another visitor's page is
# drawn; 5 ms, the usual, at fifty layers would be a quarter of a second.
sys.setswitchinterval(0.001)

PICTURES = Path(__file__).with_name("docs")  # the server may have been started from any folder

# Before the navigation, whose icons a browser would otherwise fetch from a font server for its tab.
st.set_page_config("Hilum", PICTURES / "icon.png", layout="wide", initial_sidebar_state=330)

if not login.passed():
    st.stop()

PAGES = {
    "Case": [
        st.Page("pages/case/predict.py", title="Live prediction", icon=":material/fact_check:", default=True),
        st.Page("pages/case/heatmaps.py", title="Heatmaps", icon=":material/gradient:"),
    ],
    "Dataset": [
        st.Page("pages/data/explore.py", title="Explore", icon=":material/grid_view:"),
        st.Page("pages/data/augment.py", title="Augmentation preview", icon=":material/transform:"),
    ],
    "Model": [
        st.Page("pages/model/report.py", title="Report", icon=":material/assessment:"),
        st.Page("pages/model/compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page("pages/model/strategies.py", title="Strategies", icon=":material/route:"),
    ],
    "Teaching": [
        st.Page("pages/learn/learn.py", title="Learn", icon=":material/menu_book:"),
        st.Page("pages/teach/quiz.py", title="Quiz", icon=":material/school:"),
        st.Page("pages/teach/shortcut.py", title="Shortcut lab", icon=":material/bug_report:"),
        st.Page("pages/teach/methods.py", title="Method lab", icon=":material/checklist:"),
    ],
}

state.begin()
if access.is_owner():
    PAGES["Server"] = [st.Page("pages/server/memory.py", title="Server", icon=":material/memory:")]
fresh_server = PagesManager.uses_pages_directory
page = st.navigation(PAGES)
if wanted := state.wanted_page():
    st.switch_page(wanted)
state.on(page.url_path)
st.set_page_config(f"{page.title} · Hilum")
st.logo(PICTURES / "logo.svg", size="large")
with widgets.errors_said():
    layout.disclaimer()
    layout.sidebar(with_case=page not in [*PAGES["Teaching"], *PAGES.get("Server", ())])  # they need none
    if fresh_server:
        layout.dismiss_false_alarm()
    notices = st.container()
    page.run()
    with notices:
        state.show_notices()
layout.remember_acceptance()
state.publish()
if not fresh_server:  # one that has just started has let go of nothing
    resources.collect_garbage()
