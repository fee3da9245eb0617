"""What one socket hears of rooms: each message once, in order, and none left out."""

from typing import Any

from tests.proof.wires.findings import Finding

FILLERS = ("", "x", "é" * 100, "你好 " * 50, "🦉" * 200, "two\nlines\r\nor three", "y" * 3000)
"""The rest of a message, behind what makes it ours."""


class Hearing:
    """
    Args:
        number: of the conversation, by which its messages are known.
    """

    def __init__(self, number: int) -> None:
        self._mark = f"c{number}."
        self._bodies: set[str] = set()
        self.known: dict[str, int] = {}
        """The version up to which everything of a room was heard."""
        self.has_gaps = False
        """The server has said that it left something out."""

    def new_body(self, filler: str) -> str:
        """A text that nobody else posts."""
        body = f"{self._mark}{len(self._bodies)} {filler}".strip()
        self._bodies.add(body)
        return body

    def heard(self, room: str, message: dict[str, Any]) -> None:
        """
        Raises:
            Finding: it is not the next one, or not what was posted.
        """
        version, known = message["version"], self.known.get(room)
        if known is not None and (version <= known or (version != known + 1 and not self.has_gaps)):
            raise Finding(f"version {version} of {room} follows {known}")
        self.known[room] = version
        if message["body"].startswith(self._mark) and message["body"] not in self._bodies:
            raise Finding(f"nobody posted {message['body'][:100]!r}")
