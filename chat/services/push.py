"""An application's own message to one person, on every socket they have."""

from typing import Any

import msgspec

from chat.models import Act, User
from chat.queries.people import person_named
from chat.queries.presence import count_connections
from chat.services.acts.record import Change, record, table_of
from chat.services.announcing import announce
from chat.services.events import Pushed
from rpc import OperationError, decode_params

SHOWN_AT = ("push", "web", "gotalk")
"""Doors whose wire has a word for it; the text door has none."""

FIRST_FREE = 1000
"""From here on opcodes are the applications'; those below are the push door's, also those without a meaning yet."""
MAX_OPCODE = 0xFFFFFFFF
MAX_PAYLOAD_BYTES = 64 * 1024
"""Longest payload that a client of the push door may send, and an application may push: four times the longest
message."""


def push(user: User | int | str, opcode: int, payload: Any) -> int:
    """
    Send a message to all sockets of a person, in whichever process they are; from any thread that may use the
    database (from async code: `await sync_to_async(push)(...)`). It goes out at once, not after a commit.

    Args:
        user: the person, their key, or their name in any spelling.
        opcode: `FIRST_FREE` to `MAX_OPCODE`.
        payload: bytes are sent as they are, a str as UTF-8, anything else as JSON; at most
            `MAX_PAYLOAD_BYTES`. On gotalk it is the notification `push` with `{opcode, payload}`.
    Returns:
        How many sockets it was sent to: those of the person at doors that show it, as the list of connections
        has them, which follows within a second. A socket that dies unnoticed counts; one that opened within
        that second gets it uncounted. 0 also when no serving process can be reached from this one.
    Raises:
        OperationError: `no_such_person`, `bad_opcode`, `bad_payload`, `too_large`.
        TypeError: the payload cannot be JSON.
    """
    if not FIRST_FREE <= opcode <= MAX_OPCODE:
        raise OperationError(
            f"an opcode for applications is from {FIRST_FREE} to {MAX_OPCODE}", code="bad_opcode", field="opcode"
        )
    kind, data = _encoded(payload)
    user_id = _key_of(user)
    count = count_connections(user_id, SHOWN_AT)
    return count if announce(Pushed(user_id, opcode, kind, data)) else 0


def note_push(user: User, opcode: int) -> None:
    """An admin pushed to a person by hand."""
    record(Act.Kind.PUSH, Change(table_of(user), user.pk, None, {"opcode": opcode}), person_id=user.pk)


def payload_of(text: str) -> Any:
    """
    A payload that somebody typed as JSON.

    Raises:
        OperationError: `bad_payload`, `too_large`.
    """
    try:
        payload = decode_params(Any, text.encode(errors="surrogatepass"))
    except OperationError as error:
        raise OperationError(error.text, code="bad_payload", field="payload") from None
    _encoded(payload)
    return payload


def _encoded(payload: Any) -> tuple[str, bytes]:
    kind, data = _as_bytes(payload)
    if len(data) > MAX_PAYLOAD_BYTES:
        raise OperationError(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes", code="too_large", field="payload")
    return kind, data


def _as_bytes(payload: Any) -> tuple[str, bytes]:
    if isinstance(payload, bytes):
        return "bytes", payload
    try:
        if isinstance(payload, str):
            return "text", payload.encode()
        return "json", msgspec.json.encode(payload)
    except UnicodeEncodeError:
        raise OperationError("not valid Unicode", code="bad_payload", field="payload") from None


def _key_of(user: User | int | str) -> int:
    if isinstance(user, User):
        return user.pk
    if isinstance(user, str):
        return person_named(user).pk
    if not User.objects.filter(pk=user).exists():
        raise OperationError("no such person", code="no_such_person", field="user")
    return user
