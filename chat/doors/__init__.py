"""The doors for WebSockets beside gotalk: hub text, push and echo, each a thin consumer over the same chat."""
