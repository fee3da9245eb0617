"""The log of what moderators and admins do: written with each change, and taken back from."""
