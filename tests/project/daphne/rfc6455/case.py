"""What a client sends to the echo door, and what has to come back."""

from typing import NamedTuple

from tests.raw_websocket import CLOSE, NORMAL, frame

PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1002, 1007, 1009


class Case(NamedTuple):
    """
    Args:
        name: section and situation.
        sent: the client's writes.
        answers: the frames that come back before the close. Pongs among them may overtake messages.
        closed: the payload of the close; of one that tells the client of an error only its code.
    """

    name: str
    sent: tuple[bytes, ...]
    answers: bytes
    closed: bytes | int


def answered(name: str, *sent: bytes, by: bytes = b"") -> Case:
    """Everything is answered, and so is the close that follows at once."""
    return Case(name, (*sent, frame(CLOSE, NORMAL)), by, NORMAL)


def failed(name: str, *sent: bytes, code: int, after: bytes = b"") -> Case:
    """What came before the error is answered, then the server closes; the client does nothing for it."""
    return Case(name, sent, after, code)
