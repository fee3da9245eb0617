"""What moderators did, and what waits for them."""
