"""Films and tables of films."""
