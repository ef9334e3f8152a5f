"""Where the lung fields are: the segmenter, how it was trained, and what it met while it learned."""
