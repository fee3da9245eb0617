"""Conversations in HTTP, as programs hold them at the API."""
