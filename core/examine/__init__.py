"""One film before one model -> `Examined`: the one walk of command line, summaries, pages and documents."""
