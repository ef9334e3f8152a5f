"""Where the model looked, and whether that evidence deserves belief."""
