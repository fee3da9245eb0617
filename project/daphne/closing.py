"""The end of a WebSocket whose client has closed it, or has broken the protocol: answers, our close, a FIN."""

import asyncio
from collections.abc import Callable

from rpc.close_codes import CloseCode

ANSWERS_GRACE = 3.0
"""Seconds for an application to answer what came before the end."""
REST_GRACE = 1.0
"""Seconds for the rest of a frame at fault: some clients fail if the stream ends while they write."""


class Closing:
    """
    Made when nothing more is to be processed. The close is said once the application has returned, or its time is
    up. Then the stream ends, as soon as the rest of a frame at fault is here.

    Args:
        application: what serves the WebSocket, and may still answer.
        rest: bytes to come of the frame at fault.
        say_close: sends the close.
        end_writing: sends the FIN; it may be called again.
    """

    __slots__ = ("_end_writing", "_loop", "_rest", "_said", "_say_close", "_timer")

    def __init__(
        self,
        application: asyncio.Future[None],
        rest: int,
        say_close: Callable[[], None],
        end_writing: Callable[[], None],
    ) -> None:
        self._rest = rest
        self._say_close = say_close
        self._end_writing = end_writing
        self._said = False
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(ANSWERS_GRACE, self._answered)
        application.add_done_callback(self._answered)

    def _answered(self, *_: object) -> None:
        self._timer.cancel()
        if not self._said:
            self._said = True
            self._say_close()
            self._timer = self._loop.call_later(REST_GRACE if self._rest > 0 else 0, self._end_writing)

    def drop(self, size: int) -> None:
        """So many more bytes came, and do not count."""
        is_last = 0 < self._rest <= size
        self._rest -= size
        if is_last and self._said:
            self._timer.cancel()
            self._end_writing()


def may_be_sent(code: int) -> bool:
    """Whether a close frame may carry a code: RFC 6455, section 7.4, and what IANA has registered since."""
    registered = 1000 <= code <= 1014 and code not in (1004, CloseCode.NO_CODE, CloseCode.ABNORMAL)
    return registered or 3000 <= code <= 4999
