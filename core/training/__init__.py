"""Cohort and recipe in, checkpoint out."""
