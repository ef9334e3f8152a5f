"""One film: its bytes, its pixels, and what may be known of it."""
