"""The notifications whose names begin with `$`: what our peers tell each other beyond v1 (docs/protocol.md)."""

import binascii
from functools import cache
from typing import Annotated, Literal

import msgspec

from rpc.limits import Limits
from rpc.messages import Notification
from rpc.protocol.payloads import to_json

AGENT = "hubtalk/0.1"
FEATURES = ("joined", "retry", "errors", "cancel", "streams", "ops", "flow")
"""What we announce; each is used only towards a remote that announced it too."""

MAX_CREDIT = 1 << 20
"""Of one grant, and of a window."""

Credit = Annotated[int, msgspec.Meta(ge=1, le=MAX_CREDIT)]


class Hello(msgspec.Struct):
    """The first notification of a peer; `window` is its credit for each direction of a stream."""

    features: list[str] = []
    window: Credit = Limits().stream_window


class Cancel(msgspec.Struct):
    """Stop working on a request; `id` in hex."""

    id: str


class More(msgspec.Struct):
    """More parts may come: of a request (`p`) or of its results (`S`)."""

    id: str
    of: Literal["p", "S"]
    credit: Credit


class Close(msgspec.Struct):
    """Why a byte stream is about to end; a WebSocket says it in its close frame."""

    code: Annotated[int, msgspec.Meta(ge=1000, le=4999)]
    text: str = ""


read_hello = msgspec.json.Decoder(Hello).decode
read_cancel = msgspec.json.Decoder(Cancel).decode
read_more = msgspec.json.Decoder(More).decode
read_close = msgspec.json.Decoder(Close).decode

read_id = binascii.unhexlify
"""From hex to the bytes of an id; raises ValueError."""


@cache
def hello(window: int) -> Notification:
    return Notification("$hello", to_json({"agent": AGENT, "features": FEATURES, "window": window}))


def cancel(id: bytes) -> Notification:
    return Notification("$cancel", to_json(Cancel(id.hex())))


def more(id: bytes, credit: int, *, results: bool) -> Notification:
    return Notification("$more", to_json(More(id.hex(), "S" if results else "p", credit)))


def close(code: int, text: str) -> Notification:
    return Notification("$close", to_json(Close(code, text)))
