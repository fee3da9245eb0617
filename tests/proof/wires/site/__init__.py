"""The site of a run: the chat, with operations of its own."""
