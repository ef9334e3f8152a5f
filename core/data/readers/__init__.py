"""Cohorts as they lie on disk, one file per public layout; `open_cohort` opens any of them."""

from core.data.readers.layouts import LAYOUTS
from core.data.readers.opener import (
    AS,
    cohorts_below,
    data_root,
    is_drawn,
    layout_of,
    open_cohort,
    open_cohorts,
    renamed,
    split_layout,
)

__all__ = [
    "AS",
    "LAYOUTS",
    "cohorts_below",
    "data_root",
    "is_drawn",
    "layout_of",
    "open_cohort",
    "open_cohorts",
    "renamed",
    "split_layout",
]
