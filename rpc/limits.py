"""What one connection may cost. docs/protocol.md shows the same numbers; a test holds them together."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """
    Bounds of one connection. Sizes are in bytes, times in seconds; a rate of None is no limit.

    max_payload_bytes: 1 MiB, what Daphne takes in one WebSocket message. A declared size up to
        `SKIP_FACTOR` times as much is answered with an error and skipped; beyond that the connection ends.
    max_requests_in_flight: 64 requests without an answer, of each connection, so that one cannot take
        all workers and memory. A page has a handful.
    max_notifications_queued: 64 notifications that wait for the handler of the one before; then reading waits.
    max_streams: 8 streams that the remote has opened, each with a task and a window of parts.
    stream_window: 16 parts that wait for their reader, in each direction of a stream; a part over
        64 KiB counts as more (`part_cost`), so that a window is about 1 MiB. Remotes that announce
        `flow` wait for credit; of others nothing is read beyond twice as much.
    max_outbox_bytes: 1 MiB that the remote has not read; beyond it notifications are left out, and the remote
        is told when it has read the rest. Answers, requests and parts of streams wait instead.
    max_unsent_bytes: 4 MiB of answers that wait for the remote to read; then nothing more is read from it until
        half of them are gone. As much again as it takes to answer the requests in flight may be held.
    stall_timeout: 10 s in which the remote takes nothing of what waits for it; then it is dropped.
    handshake_timeout: 5 s for the two bytes of the version.
    heartbeat_interval: 10 s between our heartbeats: the Go peer drops a connection that is silent for 30.
    idle_timeout: 90 s without a byte from the remote: a stock browser peer sends every 20, but a browser
        wakes the timers of a hidden page once a minute only.
    request_timeout: 30 s for a handler, and for the answer to a request of ours.
    stream_timeout: 60 s without a part in either direction: streams may last, but not in silence.
    close_timeout: 5 s for the remote to finish a close; Daphne ends an application after 10.
    messages_per_second, messages_burst: 200 and 1000. A person who types sends one in some
        seconds; the burst is for programs and for a page that comes back and catches up.
    bytes_per_second, bytes_burst: 1 and 4 MiB: a payload of the largest size each second. Each chunk, such
        as a WebSocket message, and each part of a stream counts as `CHUNK_COST` bytes more.
    """

    max_payload_bytes: int = 1024 * 1024
    max_requests_in_flight: int = 64
    max_notifications_queued: int = 64
    max_streams: int = 8
    stream_window: int = 16
    max_outbox_bytes: int = 1024 * 1024
    max_unsent_bytes: int = 4 * 1024 * 1024
    stall_timeout: float = 10.0
    handshake_timeout: float = 5.0
    heartbeat_interval: float = 10.0
    idle_timeout: float = 90.0
    request_timeout: float = 30.0
    stream_timeout: float = 60.0
    close_timeout: float = 5.0
    messages_per_second: int | None = 200
    messages_burst: int = 1000
    bytes_per_second: int | None = 1024 * 1024
    bytes_burst: int = 4 * 1024 * 1024

    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            value = getattr(self, field)
            if value is not None and value <= 0:
                raise ValueError(f"{field} must be more than 0")


MAX_NAME_BYTES = 255
"""Of an operation or notification, both ways: a name is a word, and the Go peer breaks beyond 4095."""

SKIP_FACTOR = 4
"""How many times the largest payload is read only to be thrown away, so that one mistake costs one request."""


CHUNK_COST = 512
"""What a chunk costs beside its bytes, in bytes: otherwise a payload in pieces of one byte would be cheap."""


def part_cost(payload: bytes) -> int:
    """What a part of a stream takes of its window: 1, and 1 more for each full 64 KiB."""
    return 1 + (len(payload) >> 16)


class TokenBucket:
    """
    Allows `rate` units a second and `burst` at once; `tokens` is what is left now, below 0 a debt.

    The owner takes by subtracting from `tokens` and calls `refill` before.
    """

    __slots__ = ("_burst", "_rate", "_refilled_at", "tokens")

    def __init__(self, rate: int | None, burst: int, now: float) -> None:
        self._rate = 0.0 if rate is None else float(rate)
        self._burst = float("inf") if rate is None else float(burst)
        self._refilled_at = now
        self.tokens = self._burst

    def refill(self, now: float) -> None:
        """Add what the time since the last call allows. `now` in seconds, of a clock that never goes back."""
        self.tokens = min(self._burst, self.tokens + (now - self._refilled_at) * self._rate)
        self._refilled_at = now

    @property
    def wait(self) -> float:
        """Seconds until one unit is there."""
        return 0.0 if self.tokens >= 1 else (1 - self.tokens) / self._rate

    @property
    def exhausted(self) -> bool:
        """Whether the debt is as large as the burst: asking to slow down did not help."""
        return self.tokens < -self._burst
