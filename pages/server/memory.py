"""What this server keeps in memory and who waits, for its owner alone; no name of a film or visitor is shown."""

import pandas as pd
import streamlit as st

from core.memory import VARIABLE, in_words
from pages.shared import access, resources, widgets

widgets.heading("Server", "What this server keeps in memory, for its owner. Films and visitors are not named.")
if not access.is_owner():
    st.error("This page is for the owner of the server, at the machine itself.", icon=":material/lock:")
    st.stop()

memory = resources.memory()
held = memory.held()
uploads = sum(row.bytes for row in held if row.pinned)
with st.container(horizontal=True):
    st.metric("Kept", in_words(memory.bytes), border=True)
    st.metric("May be kept", in_words(memory.most), border=True, help=f"{VARIABLE}, or a third of the machine")
    st.metric("Of it uploads", in_words(uploads), border=True)
    st.metric("Networks at work", f"{memory.turns.working} of {memory.turns.places}", border=True)
    st.metric("Waiting", memory.turns.waiting, border=True)
table = pd.DataFrame(
    [(row.name, row.shelves, row.results, in_words(row.bytes)) for row in held],
    columns=["What", "Places", "Results", "Memory"],
)
widgets.table(table, hide_index=True)
st.caption(
    f"When all is full, the least recently used result goes first. Uploads are never dropped: a visitor may hold "
    f"{in_words(memory.most_of_visitor)} of them, all together {in_words(memory.most_uploads)}; they go with their "
    f"session. Models, and the libraries themselves, take more memory than is listed here."
)
st.button("Look again", icon=":material/refresh:")
