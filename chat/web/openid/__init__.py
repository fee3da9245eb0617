"""Logging in by OpenID Connect: authorization code flow, with state, nonce and PKCE."""
