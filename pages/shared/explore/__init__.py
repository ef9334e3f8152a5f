"""Explore's views, one file each: ``view(spec, cohort, rows)`` draws the selected rows of a cohort."""
