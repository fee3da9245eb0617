"""gotalk, over WebSocket and byte streams: who logs in, what is told, and the operations."""

from chat.doors.gotalk.caller import person_of

__all__ = ["person_of"]
