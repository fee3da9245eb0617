"""Why a connection is closed: the codes of a WebSocket's close frame, and of `$close` on a byte stream."""

from enum import IntEnum


class CloseCode(IntEnum):
    """Those of RFC 6455 (section 7.4.1) below 4000, gotalk's own from 4000 to 4003, ours from 4400 on."""

    NORMAL = 1000
    PROTOCOL_ERROR = 1002
    NO_CODE = 1005
    """Never sent: what a close frame without a code is called (section 7.1.5)."""
    ABNORMAL = 1006
    """Never sent: what the end of a connection without a close frame is called (section 7.1.5)."""
    NOT_UTF8 = 1007
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011

    FAULT = 4000
    """A protocol error closes with this and its code, so that 4000 to 4003 stand for `f` 0 to 3."""
    UNSUPPORTED_VERSION = 4001
    INVALID_MESSAGE = 4002
    TIMED_OUT = 4003

    BAD_MESSAGE = 4400
    LOG_IN = 4401
    NOT_ALLOWED = 4403
    NO_SUCH_ROOM = 4404
    TOO_SLOW = 4408
    TOO_FAST = 4429
    RESTARTING = 4503
