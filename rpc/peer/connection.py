"""
One connection's session between its two directions: what leaves, and when reading has to wait.

Nothing is written at once: what is to be sent in one turn of the loop leaves in one write at its end, so that
the answers to many requests share a system call, and for `joined` remotes a WebSocket frame. `send()` is the
exception: its bytes are encoded already and go straight to the transport, behind what was waiting.

Reading waits while someone holds it: a stream whose reader is slow, a remote that sends more than it may, or one
that asks faster than it reads the answers. Chunks that arrive meanwhile are kept and taken first.

Answers, requests and parts of streams wait until the remote has read what was sent before. Notifications cannot
wait: when the remote is far behind they are left out, and it is told once it has read the rest.
"""

import asyncio
import logging
from collections.abc import Callable

from rpc.close_codes import CloseCode
from rpc.limits import Limits
from rpc.log_lines import one_line
from rpc.peer.backlog import Backlog
from rpc.peer.prepared import Prepared
from rpc.peer.transport import Transport
from rpc.protocol.frames import MAX_JOINED_BYTES
from rpc.protocol.session import Announced, Chunk, Session

logger = logging.getLogger(__name__)


class Connection:
    """
    Args:
        session: the protocol's state.
        transport: the way out.
        limits: what the remote may use.
        read_on: takes the session's events; called when reading goes on after a hold.
        end_by: called at our close with the time by which the remote must have closed too.
        missed: called when the remote has read what waited, after notifications for it were left out.
    """

    __slots__ = (
        "_answers_waiting",
        "_drained",
        "_end_by",
        "_flush_scheduled",
        "_has_missed",
        "_holds_for_answers",
        "_missed",
        "_pause",
        "_read_on",
        "_resumed",
        "_transport",
        "_unread",
        "backlog",
        "closing",
        "holds",
        "limits",
        "loop",
        "session",
        "window",
    )

    def __init__(
        self,
        session: Session,
        transport: Transport,
        limits: Limits,
        *,
        read_on: Callable[[], None],
        end_by: Callable[[float], None],
        missed: Callable[[], None],
    ) -> None:
        self.session = session
        self.loop = asyncio.get_running_loop()
        self.backlog = Backlog(transport, limits, self._drop)
        self.closing = False
        """Nothing more is sent or read but what is under way."""
        self.holds = 0
        """How many want reading to wait."""
        self.window: int | None = None
        """The remote's credit for each direction of a stream; None while there is no limit."""
        self._transport = transport
        self.limits = limits
        self._read_on = read_on
        self._end_by = end_by
        self._missed = missed
        self._has_missed = False
        self._answers_waiting = 0
        """Bytes of the answers that are finished and not in the session yet."""
        self._holds_for_answers = False
        self._flush_scheduled = False
        self._unread: list[Chunk] = []
        self._pause: asyncio.TimerHandle | None = None
        # Made when someone waits: most connections never do.
        self._drained: asyncio.Event | None = None
        self._resumed: asyncio.Event | None = None

    def announced(self, announced: Announced) -> None:
        """The remote has said what it can do beyond a stock peer."""
        # What was said so far, our `$hello` at its end, may not be joined: the remote reads it as messages.
        self.flush()
        self._transport.joined = "joined" in announced.features
        if "flow" in announced.features:
            self.window = announced.window

    # --- out -----------------------------------------------------------------------------------------------

    def schedule_flush(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self.flush)

    def flush(self) -> None:
        self._flush_scheduled = False
        chunks = self.session.data_to_send()
        if chunks:
            self.backlog.written += self._transport.write(chunks)
            if not self._transport.writable:
                self._hold_if_behind()
        if self.session.is_broken:
            # This may have been the last answer, which the remote's protocol error waited for.
            self.finish()

    def flush_much(self) -> None:
        """Write now if there is much to write, not only at the end of this turn of the loop."""
        if self.session.bytes_to_send > MAX_JOINED_BYTES:
            self.flush()

    def may_notify(self) -> bool:
        """Whether a notification may be sent; if not, the remote will be told that it missed something."""
        if self.backlog.full():
            self._has_missed = True
        return not self._has_missed

    def send(self, prepared: Prepared) -> None:
        """Send what was encoded for many peers, unless the remote is far behind."""
        if self.session.has_data_to_send:
            self.flush()
        if not self.closing and self.may_notify():
            self.backlog.written += self._transport.write_prepared(prepared)

    @property
    def is_clear(self) -> bool:
        """Whether what is sent now need not wait for what was sent before."""
        return self._transport.writable and self.session.bytes_to_send <= MAX_JOINED_BYTES

    async def way_out(self) -> None:
        """Wait until something may be sent without filling the outbox, and without keeping others from the loop."""
        while not self.closing:
            if self.session.bytes_to_send > MAX_JOINED_BYTES:
                self.flush()
                await asyncio.sleep(0)
            elif self._transport.writable:
                return
            else:
                if self._drained is None:
                    self._drained = asyncio.Event()
                self._drained.clear()
                await self._drained.wait()

    async def way_out_for_answer(self, size: int) -> None:
        """The same for a finished answer of so many bytes; while many bytes wait, nothing more is read."""
        self._answers_waiting += size
        self._hold_if_behind()
        try:
            await self.way_out()
        finally:
            self._answers_waiting -= size
            self._release_if_taken()

    def drained(self) -> None:
        """The transport is writable again."""
        if self._drained is not None:
            self._drained.set()
        self._release_if_taken()
        if self._has_missed and not self.closing:
            self._has_missed = False
            self._missed()

    @property
    def _unsent(self) -> int:
        return self._answers_waiting + self._transport.buffered()

    def _hold_if_behind(self) -> None:
        if not self._holds_for_answers and self._unsent > self.limits.max_unsent_bytes:
            self._holds_for_answers = True
            self.hold()

    def _release_if_taken(self) -> None:
        if self._holds_for_answers and 2 * self._unsent <= self.limits.max_unsent_bytes:
            self._holds_for_answers = False
            self.release()

    # --- in ------------------------------------------------------------------------------------------------

    def feed(self, chunk: Chunk) -> bool:
        """Give a chunk to the session, or keep it while reading is held; returns whether the session has it."""
        if self.holds:
            # Once closing, nobody releases, and the remote may go on sending.
            if not self.closing:
                self._unread.append(chunk)
            return False
        if isinstance(chunk, str):
            self.session.receive_data(chunk.encode(), self.loop.time(), text=True)
        else:
            self.session.receive_data(chunk, self.loop.time())
        return True

    def hold(self) -> None:
        """Read nothing more until `release`; calls nest."""
        if not self.holds:
            self._transport.pause_reading()
        self.holds += 1

    def hold_for(self, seconds: float) -> None:
        """Read nothing for so long. Call it only while nothing holds."""
        self.hold()
        self._pause = self.loop.call_later(seconds, self.release)

    def release(self) -> None:
        self.holds -= 1
        if not self.holds:
            # Not at once: the caller is in the middle of something.
            self.loop.call_soon(self._resume)

    async def readable(self) -> None:
        """Wait until the next chunk may be given."""
        while self.holds and not self.closing:
            if self._resumed is None:
                self._resumed = asyncio.Event()
            self._resumed.clear()
            await self._resumed.wait()

    def _resume(self) -> None:
        if self.holds or self.closing:
            return
        self._read_on()
        while self._unread and not self.holds:
            self.feed(self._unread.pop(0))
            self._read_on()
        if not self.holds:
            self._transport.resume_reading()
            if self._resumed is not None:
                self._resumed.set()

    # --- end -----------------------------------------------------------------------------------------------

    def finish(self) -> None:
        """If the session has ended, send what is left, close, and give the remote time to close too."""
        ended = self.session.ended
        if ended is None or self.closing:
            return
        logger.info("closing with %d: %s", ended.close_code, one_line(ended.text))
        self.stop()
        self.flush()
        self._transport.close(ended.close_code, ended.text)
        self._end_by(self.loop.time() + self.limits.close_timeout)

    def stop(self) -> None:
        """Nobody needs to wait for anything any more."""
        self.closing = True
        self._unread.clear()
        self.backlog.stop()
        if self._pause is not None:
            self._pause.cancel()
        self.drained()
        if self._resumed is not None:
            self._resumed.set()

    def _drop(self) -> None:
        # It reads nothing, so it would not read a close either.
        self._transport.abort()
        self.session.close(CloseCode.TOO_SLOW, "too slow")
        self.finish()
