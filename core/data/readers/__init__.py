"""Cohorts as they lie on disk, one file per public layout; `open_cohort` opens any of them."""

from core.data.readers.layouts import LAYOUTS
from core.data.readers.opener import (
    cohorts_below,
    data_root,
    is_drawn,
    layout_of,
    open_cohort,
    open_cohorts,
    renamed,
)

__all__ = [
    "LAYOUTS",
    "cohorts_below",
    "data_root",
    "is_drawn",
    "layout_of",
    "open_cohort",
    "open_cohorts",
    "renamed",
]
