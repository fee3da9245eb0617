"""The operations of the chat: each decodes its params and calls an action. Importing them registers them."""

from chat.doors.gotalk import login
from chat.doors.gotalk.operations import contacts, examples, messages, moderation, people, reports, rooms

__all__ = ["contacts", "examples", "login", "messages", "moderation", "people", "reports", "rooms"]
