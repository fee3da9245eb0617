"""What goes over a WebSocket, whatever is said in it."""
