"""How long tests wait for what comes at once, on a machine that has much else to do."""

DEADLINE = 60.0
"""Seconds."""
DEADLINE_MS = 1000 * DEADLINE
