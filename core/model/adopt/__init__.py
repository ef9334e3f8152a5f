"""Models from outside: a file, or a name that a source offers, becomes a checkpoint. Nothing that comes in is run."""
