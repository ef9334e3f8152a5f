"""Where networks come from, each as ``features | head``."""
