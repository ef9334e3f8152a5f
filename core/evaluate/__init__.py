"""How good the model is, with its uncertainty."""
