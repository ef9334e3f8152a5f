"""Many films at once: the engines, and files to predictions."""
