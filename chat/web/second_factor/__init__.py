"""Two-factor log-in: the second step of a log-in, the page on which people set it up, and staff who have to."""
