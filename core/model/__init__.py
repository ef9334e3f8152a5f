"""Networks, recipes, training, checkpoints and the classifier they become."""
