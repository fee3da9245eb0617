"""How people come in: attempts to log in, invitations, and the operator's first link."""
