"""Where processes of one machine that train together meet; known without torch, for who only starts them."""

MEETING = "HILUM_RENDEZVOUS"
"""Variable that names the file."""
