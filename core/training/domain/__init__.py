"""The in-domain gate is fitted here; it works in `core.model.domain`."""
