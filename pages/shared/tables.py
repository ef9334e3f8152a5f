"""The tables of an evaluation: the leading figures, class by class, all films together, slice by slice."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.evaluate import slices
from core.evaluate.estimates import Figures
from core.evaluate.glossary import GLOSSARY
from core.evaluate.operating import OperatingPoint
from core.evaluate.parts import parts, sentences
from core.evaluate.scopes import MACRO, OVERALL, WEIGHTED, Scope
from core.intervals import Estimate
from core.report import evaluation_figures
from pages.shared import widgets
from pages.shared.text import plain

if TYPE_CHECKING:
    from core.evaluate.evaluation import Evaluation
    from core.model.card import Card

LEADING = ("recall", "specificity", "precision", "npv", "auroc")  # of the class of interest
BLOCKS = (
    ("precision", "recall", "f1", "specificity"),
    ("npv", "auroc", "average_precision"),
    ("ppv_at", "npv_at"),
)  # of the figures of a class, as many as fit beside each other
AT_PREVALENCE = (("PPV", "ppv_at"), ("NPV", "npv_at"))


def leading(figures: Figures, target: str, prevalence: dict[str, float]) -> None:
    """The figures one looks at first."""
    chosen = {GLOSSARY[key].title: figures[target][key] for key in LEADING}
    if target in prevalence:
        chosen |= {f"{name} at {100 * prevalence[target]:.4g} %": figures[target][key] for name, key in AT_PREVALENCE}
    chosen |= {GLOSSARY[key].title: figures[OVERALL][key] for key in ("accuracy", "mcc")}
    with st.container(horizontal=True, gap="small"):
        for title, figure in chosen.items():
            with st.container(width=150, gap=None):
                about = f"{figure.note or figure.help} Films behind it: {figure.n:,}."
                st.metric(title, f"{figure.value:.3f}" if figure.defined else "–", help=about)
                st.caption(_limits(figure))


def _limits(figure: Estimate) -> str:
    return f"{figure.low:.3f} to {figure.high:.3f}" if figure.bounded else figure.note or figure.method


def pooled(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """What the headline pools: children and adults, and each source; nothing where there is but one of each."""
    found = parts(evaluation, point)
    if not found:
        return
    first = found[0].column
    st.caption(" ".join(sentences([part for part in found if part.column == first])))
    with st.expander("What these figures pool", icon=":material/call_split:"):
        frame = pd.DataFrame([vars(part) for part in found]).rename(columns={"column": "by", "name": "part"})
        widgets.table(_readable(frame), hide_index=True)
        st.caption(
            f"Macro AUROC over the classes that a part has. Sources of fewer than {slices.FEWEST} patients together."
        )


def by_class(evaluation: "Evaluation", figures: Figures) -> None:
    """The classification report, in as many tables as it takes to show every figure."""
    st.header("Class by class", anchor=False)
    films = dict(
        zip(evaluation.classes, np.bincount(evaluation.labels, minlength=len(evaluation.classes)), strict=True)
    )
    for keys in BLOCKS:
        every: tuple[Scope, ...] = (*evaluation.classes, MACRO, WEIGHTED)
        scopes = [name for name in every if set(keys) & set(figures[name])]
        if not scopes:
            continue
        rows = [
            [
                str(name),
                films.get(str(name), len(evaluation)) if name in evaluation.classes else len(evaluation),
                *(figures[name][key].text() for key in keys),
            ]
            for name in scopes
        ]
        frame = pd.DataFrame(rows, columns=["Class", "Films", *(GLOSSARY[key].title for key in keys)])
        help_ = {GLOSSARY[key].title: st.column_config.TextColumn(help=GLOSSARY[key].help) for key in keys}
        widgets.table(frame, column_config=help_, hide_index=True)


def overall(figures: Figures) -> None:
    """The figures of all films together, and what they mean."""
    found = figures[OVERALL]
    rows = [(GLOSSARY[key].title, figure.text(), figure.n) for key, figure in found.items()]
    widgets.table(pd.DataFrame(rows, columns=["All films", "Figure", "Films"]), hide_index=True)
    with st.popover("What they mean", icon=":material/help:"):
        st.markdown("\n".join(f"- **{GLOSSARY[key].title}.** {GLOSSARY[key].help}" for key in found))


def by_slice(evaluation: "Evaluation", point: OperatingPoint) -> None:
    """The figures of parts of the films, and the worst parts."""
    columns = slices.columns(evaluation)
    if not columns:
        st.info("No column divides these films.")
        return
    column = st.selectbox("By", columns, width=220, key="slice by", persist_state="session")
    rows = slices.slices(evaluation, column, point)
    names = [f"{name} ({films:,})" for name, films in zip(rows["slice"], rows["films"], strict=True)]
    accuracies = dict(zip(names, rows["accuracy"], strict=True))
    st.plotly_chart(
        evaluation_figures.forest(accuracies, "accuracy", rows["accuracy"].iloc[0].value), key="forest",
        config=widgets.CHART, alt=f"Accuracy by {column} with 95 % intervals",
    )  # fmt: skip
    sensitivities = {name: f"Sensitivity: {name}" for name in evaluation.classes}
    widgets.table(_readable(rows.rename(columns=sensitivities)), hide_index=True)
    st.markdown("**Worst slices**")
    widgets.table(
        _readable(slices.worst(evaluation, point)), hide_index=True,
        column_config={
            "Gap": st.column_config.NumberColumn(format="%+.3f", help="To the accuracy of all other films"),
            "Same mix": st.column_config.NumberColumn(
                "Gap, same mix", format="%+.3f", help="The gap if the other films had this slice's mix of classes"
            ),
        },
    )  # fmt: skip
    st.caption(
        f"Slices of {slices.FEWEST} patients or more. Clear: the gap at the same mix lies below 0 even at 95 % for "
        "all slices looked at together; the worst of many looks bad by chance alone."
    )


def _readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Figures as text, glossary titles as headings."""
    cells = frame.map(lambda value: value.text() if isinstance(value, Estimate) else value)
    cells = cells.rename(columns={"auroc": f"Macro {GLOSSARY['auroc'].title}"})
    cells = cells.rename(columns={key: term.title for key, term in GLOSSARY.items()})
    return cells.rename(columns=lambda name: name[:1].upper() + name[1:].replace("_", " "))


def prediction_sets(card: "Card", evaluation: "Evaluation") -> None:
    """Whether the model's conformal sets hold the truth as often as they promise, by class and by any slice."""
    from core.evaluate import set_coverage
    from core.model.conformal import Sets
    from core.report.call import promise

    sets = Sets.from_card(card.conformal, evaluation.classes)
    if sets is None:
        st.info("The card keeps no prediction sets: core evaluate CHECKPOINT --keep fits them.", icon=":material/info:")
        return
    st.caption(plain(promise(card), longest=600))
    by = st.selectbox("By", ["true class", *slices.columns(evaluation)], key="sets by", persist_state="session")
    found = set_coverage.table(evaluation, sets, None if by == "true class" else by)
    found["covered"] = [str(estimate) for estimate in found["covered"]]
    shares = {name: st.column_config.NumberColumn(format="%.2f") for name in ("labels a film", "empty", "one label")}
    widgets.table(found, hide_index=True, column_config=shares)
