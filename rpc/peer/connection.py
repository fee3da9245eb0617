"""
One connection's session and its two ways: what leaves it, and when reading it must wait.

Nothing is written at once: what is to be sent in one turn of the loop leaves in one write, at its end. So
answers of many requests share a system call, and for `joined` ends a WebSocket frame. `send()` is the
exception: its bytes are encoded already and go straight to the transport, behind what was waiting.

Reading waits while someone holds it: a stream whose reader is slow, or an end that sends more than it may.
What was read before is kept and taken first.
"""

import asyncio
from collections.abc import Callable

from rpc.close_codes import CloseCode
from rpc.limits import CHUNK_COST, Limits
from rpc.peer.prepared import Prepared
from rpc.peer.transport import Transport
from rpc.protocol.frames import MAX_JOINED_BYTES
from rpc.protocol.session import Chunk, Session

WATCH_SECONDS = 1.0
"""How often it is looked at whether an end takes what waits for it."""


class Line:
    """
    Args:
        session: the protocol's state.
        transport: the way out.
        limits: what the other end may use.
        read_on: takes the session's events; called when reading goes on after a hold.
        finish: closes the connection; called when the session was ended here.
    """

    __slots__ = (
        "_backlog",
        "_drained",
        "_finish",
        "_flush_scheduled",
        "_limits",
        "_looked_at",
        "_loop",
        "_read_on",
        "_resumed",
        "_taken",
        "_took_at",
        "_transport",
        "_unflushed",
        "_watch",
        "_written",
        "closing",
        "holds",
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
        finish: Callable[[], None],
    ) -> None:
        self.session = session
        self.closing = False
        """Nothing but what is underway is sent or read any more."""
        self.holds = 0
        """How many want reading to wait."""
        self.window: int | None = None
        """The other end's credit for each direction of a stream; None while there is no limit."""
        self._transport = transport
        self._limits = limits
        self._read_on = read_on
        self._finish = finish
        self._loop = asyncio.get_running_loop()
        self._flush_scheduled = False
        self._unflushed = 0
        """Bytes of parts that wait in the session, each counted as `CHUNK_COST` more."""
        self._written = 0
        self._looked_at = 0
        """Bytes that were written when the outbox was last looked at."""
        self._taken = 0
        self._took_at = 0.0
        """How much of them the other end had taken when it last took something, and when that was seen."""
        self._watch: asyncio.TimerHandle | None = None
        self._backlog: list[Chunk] = []
        # Made when someone waits: most connections never do.
        self._drained: asyncio.Event | None = None
        self._resumed: asyncio.Event | None = None

    # --- out -----------------------------------------------------------------------------------------------

    def schedule_flush(self) -> None:
        if not self._flush_scheduled:
            self._flush_scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        self._flush_scheduled = False
        self._unflushed = 0
        chunks = self.session.data_to_send()
        if chunks and not self._is_cut_off():
            self._written += self._transport.write(chunks)

    def send(self, prepared: Prepared) -> None:
        """Send what was encoded for many ends."""
        if self.session.has_data_to_send:
            self.flush()
        if not self._is_cut_off():
            self._written += self._transport.write_prepared(prepared)

    async def way_out(self) -> None:
        """Wait until a part may be sent without filling the outbox, and without keeping others from the loop."""
        if self._unflushed > MAX_JOINED_BYTES:
            self.flush()
            await asyncio.sleep(0)
        while not self._transport.writable and not self.closing:
            if self._drained is None:
                self._drained = asyncio.Event()
            self._drained.clear()
            await self._drained.wait()

    def filled(self) -> None:
        """Something waits for the other end: watch whether it takes it."""
        if self._watch is None:
            self._took_at = self._loop.time()
            self._taken = self._written - self._transport.buffered()
            self._watch = self._loop.call_later(WATCH_SECONDS, self._look)

    def _look(self) -> None:
        self._watch = None
        if self.closing or self._transport.writable:
            return
        taken, now = self._written - self._transport.buffered(), self._loop.time()
        if taken > self._taken:
            self._taken, self._took_at = taken, now
        elif now - self._took_at >= self._limits.stall_timeout:
            self._cut_off()
            return
        self._watch = self._loop.call_later(WATCH_SECONDS, self._look)

    def drained(self) -> None:
        """The transport is writable again."""
        if self._drained is not None:
            self._drained.set()

    def pushed(self, size: int) -> None:
        """A part of so many bytes was given to the session."""
        self._unflushed += size + CHUNK_COST
        self.schedule_flush()

    def check_outbox(self) -> bool:
        """Cut off an end that reads too slowly; returns whether it was cut off now."""
        self._looked_at = self._written
        if self._transport.buffered() <= self._limits.max_outbox_bytes:
            return False
        self._cut_off()
        return True

    def _cut_off(self) -> None:
        self._transport.abort()
        self.session.close(CloseCode.TOO_SLOW, "too slow")
        self._finish()

    def _is_cut_off(self) -> bool:
        # Asking each time would cost more than the write; and one write may be as large as it is.
        return self._written - self._looked_at > self._limits.max_outbox_bytes // 4 and self.check_outbox()

    # --- in ------------------------------------------------------------------------------------------------

    def feed(self, chunk: Chunk) -> bool:
        """Give the session what came, or keep it while reading is held; returns whether it has it."""
        if self.holds:
            self._backlog.append(chunk)
            return False
        if isinstance(chunk, str):
            self.session.receive_data(chunk.encode(), self._loop.time(), text=True)
        else:
            self.session.receive_data(chunk, self._loop.time())
        return True

    def hold(self) -> None:
        """Read nothing more until `release`; calls nest."""
        if not self.holds:
            self._transport.pause_reading()
        self.holds += 1

    def hold_for(self, seconds: float) -> None:
        self.hold()
        self._loop.call_later(seconds, self.release)

    def release(self) -> None:
        self.holds -= 1
        if not self.holds:
            # Not at once: whoever releases stands in the middle of something.
            self._loop.call_soon(self._resume)

    async def readable(self) -> None:
        """Wait until the next chunk may be given."""
        while self.holds and not self.closing:
            if self._resumed is None:
                self._resumed = asyncio.Event()
            self._resumed.clear()
            await self._resumed.wait()

    def close(self) -> None:
        """Nobody needs to wait for anything any more."""
        self.closing = True
        self.drained()
        if self._resumed is not None:
            self._resumed.set()

    def _resume(self) -> None:
        if self.holds or self.closing:
            return
        self._read_on()
        while self._backlog and not self.holds:
            self.feed(self._backlog.pop(0))
            self._read_on()
        if not self.holds:
            self._transport.resume_reading()
            if self._resumed is not None:
                self._resumed.set()
