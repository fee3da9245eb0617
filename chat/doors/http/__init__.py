"""The chat over plain HTTP, for programs with a token."""
