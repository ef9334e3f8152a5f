"""Hilum without its dashboard: usable as a library and from `python -m core`."""

from core.moved import install

install()
