"""Conversations at the doors beside gotalk."""
