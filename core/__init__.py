"""Hilum without its dashboard: usable as a library and from `python -m core`."""
