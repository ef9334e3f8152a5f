"""The Quiz in parts: how a film is asked about, what was answered, the review of the misses, the class round."""
