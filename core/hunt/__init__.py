"""What a model goes by that is no disease: hypotheses from several kinds of evidence, each tested."""
