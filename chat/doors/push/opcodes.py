"""The opcodes of the push door, and its frame: four bytes of opcode, big-endian, then the payload."""

import struct
from enum import IntEnum

_head = struct.Struct(">I")
OPCODE_BYTES = _head.size


class Opcode(IntEnum):
    """The door's own; from `chat.services.push.FIRST_FREE` on they are the applications'."""

    HEARTBEAT = 100
    LOG_IN = 101
    ADD_FRIEND = 110
    GET_INFO = 111
    LIST_ROOMS = 112
    ENTER_ROOM = 113
    LEAVE_ROOM = 114
    SEND = 115
    MESSAGE = 116
    CONTACT = 117
    NOTICE = 118
    MODERATED = 119
    ERROR = 199


def frame(opcode: int, payload: bytes) -> bytes:
    return _head.pack(opcode) + payload


def split(data: bytes) -> tuple[int, bytes]:
    """Opcode and payload of a frame, which has `OPCODE_BYTES` at least."""
    return _head.unpack_from(data)[0], data[OPCODE_BYTES:]
