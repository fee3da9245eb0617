"""gotalk, over WebSocket and byte streams: who logs in, what is told, and the operations."""
