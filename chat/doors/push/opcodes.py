"""The opcodes of the push door, and its frame: four bytes of opcode, big-endian, then the payload."""

import struct
from enum import IntEnum

_head = struct.Struct(">I")
OPCODE_BYTES = _head.size
MAX_OPCODE = 0xFFFFFFFF
MAX_PAYLOAD_BYTES = 64 * 1024
"""Longest payload that a client may send, and an application may push: four times the longest message."""


class Opcode(IntEnum):
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
    ERROR = 199


FIRST_FREE = 1000
"""From here on opcodes are the applications'; those below are the door's, also those without a meaning yet."""


def frame(opcode: int, payload: bytes) -> bytes:
    return _head.pack(opcode) + payload


def split(data: bytes) -> tuple[int, bytes]:
    """Opcode and payload of a frame, which has `OPCODE_BYTES` at least."""
    return _head.unpack_from(data)[0], data[OPCODE_BYTES:]
