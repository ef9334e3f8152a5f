"""How many films there are of each combination of what a collection says: its label in parts, cause, finding."""

import pandas as pd

JOINED = "/"  # between the parts of a label that was joined from two columns
CORONAHACK = ("Label", "Label_1", "Label_2")  # its columns, of which the label joins the first and the last
DETAILS = ("cause", "finding")  # columns of a cohort that say more than the label


def combinations(samples: pd.DataFrame, layout: str = "") -> pd.DataFrame:
    """Films by combination, the most frequent first.

    Args:
        samples: of a `Cohort`, N rows.
        layout: of the cohort; "coronahack" gives its own three columns back.

    Returns:
        one row for each combination that occurs: its columns, and ``films``. They add up to N.
    """
    if layout == "coronahack" and "cause" in samples:
        parts = samples["label"].str.partition(JOINED)
        table = pd.DataFrame({"Label": parts[0], "Label_1": samples["cause"], "Label_2": parts[2]})
        table = table.replace({"Label_1": {"NA": ""}, "Label_2": {"NA": ""}})
    else:
        table = samples[["label", *(column for column in DETAILS if column in samples)]].fillna("")
    counts = table.groupby(list(table), sort=False).size().reset_index(name="films")
    return counts.sort_values("films", ascending=False, kind="stable", ignore_index=True)
