"""A login as docs/deploy.md describes it: what `core serve` reads from its secrets."""

SECRETS = """[auth]
redirect_uri = "https://hilum.example.org/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "hilum"
client_secret = "secret"
server_metadata_url = "https://login.example.org/.well-known/openid-configuration"
"""
