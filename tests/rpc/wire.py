"""Literal bytes of the wire, and what they stand for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rpc.messages import (
    ErrorResult,
    Fault,
    Heartbeat,
    Message,
    Notification,
    Request,
    Result,
    RetryResult,
    StreamPart,
    StreamRequest,
    StreamResult,
)
from rpc.protocol.codec import Decoder, Oversized

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())

HELLO = (
    b'n006$hello0000006a{"agent":"hubtalk/0.1",'
    b'"features":["joined","retry","errors","cancel","streams","ops","flow"],"window":16}'
)
"""What each of our peers sends behind the version."""

JOINED, RETRY, ERRORS, CANCEL = (
    b'n006$hello%08x{"features":["%b"]}' % (len(feature) + 17, feature)
    for feature in (b"joined", b"retry", b"errors", b"cancel")
)
"""The `$hello` of a remote that announces one thing."""


def vector_message(vector: dict[str, Any]) -> Message:
    """The message that an entry of vectors.json describes."""
    payload = vector.get("payload", "").encode()
    id = bytes.fromhex(vector.get("id", ""))
    match vector["type"]:
        case "r":
            return Request(id, vector["name"], payload)
        case "s":
            return StreamRequest(id, vector["name"], payload)
        case "p":
            return StreamPart(id, payload)
        case "R":
            return Result(id, payload)
        case "S":
            return StreamResult(id, payload)
        case "E":
            return ErrorResult(id, payload)
        case "e":
            return RetryResult(id, vector["wait_ms"], payload)
        case "n":
            return Notification(vector["name"], payload)
        case "h":
            return Heartbeat(vector["load"], vector["time"])
        case "f":
            return Fault(vector["code"])
    raise AssertionError(vector)


def messages(decoder: Decoder, *chunks: bytes | str) -> list[Message | Oversized]:
    """All that comes out when the chunks go in; a str is a text WebSocket message."""
    return list(_messages(decoder, chunks))


def _messages(decoder: Decoder, chunks: tuple[bytes | str, ...]) -> Iterator[Message | Oversized]:
    for chunk in chunks:
        if isinstance(chunk, str):
            decoder.feed(chunk.encode(), text=True)
        else:
            decoder.feed(chunk)
        while (message := decoder.next_message()) is not None:
            yield message


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]
