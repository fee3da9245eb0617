"""What an outsider may try on any room: the operations, with parameters that a member's request could have."""

from typing import Any

ROOM_OPERATIONS: list[tuple[str, dict[str, Any]]] = [
    ("list-messages", {}),
    ("send-message", {"message": {"body": "let me in"}}),
    ("edit-message", {"seq": 1, "body": "mine now"}),
    ("delete-message", {"seq": 1}),
    ("react", {"seq": 1, "emoji": "👍"}),
    ("mark-read", {"seq": 1}),
    ("join-room", {}),
    ("leave-room", {}),
    ("set-topic", {"topic": "mine"}),
    ("list-members", {}),
]
