"""Conversations in gotalk, over TCP and over WebSocket."""
