"""The operations of the chat over gotalk; importing them registers them."""

from chat.doors.gotalk.operations import chat, contacts, rooms

__all__ = ["chat", "contacts", "rooms"]
