"""What a peer needs of the connection beneath it; `rpc.transports` has them."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from rpc.peer.prepared import Prepared
from rpc.protocol.session import Chunk

Spawn = Callable[[Coroutine[Any, Any, None]], object]
"""Runs a coroutine as a task that its owner ends and awaits."""

SEND_BUFFER_BYTES = 256 * 1024
"""Of a socket, in the kernel. Otherwise it grows to 4 MiB, and a remote that reads nothing is noticed later."""
MAX_WRITABLE_BYTES = 64 * 1024
"""With less than this buffered, parts of streams go on: enough to keep a socket busy."""


class Transport(Protocol):
    """One connection's way out. Nothing here waits, and nothing raises because the remote is gone."""

    connects: bool
    """Whether it was this side that opened the connection; otherwise the remote did."""
    framed: bool
    """Whether chunks arrive as WebSocket messages; otherwise as a byte stream."""
    joined: bool
    """Set by the peer once the remote announced that messages may be joined."""

    def start(self, spawn: Spawn, drained: Callable[[], None], filled: Callable[[], None]) -> None:
        """
        The connection is open; what needs a task from now on uses `spawn`, `filled` is called when `writable`
        becomes false, and `drained` when it is true again.
        """

    def write(self, chunks: Sequence[Chunk]) -> int:
        """Send chunks; returns about how many bytes that is."""

    def write_prepared(self, prepared: Prepared) -> int:
        """The same for messages that were encoded for many."""

    def buffered(self) -> int:
        """Bytes that wait in this program."""

    def unread(self) -> int:
        """The same, and those that the kernel keeps until the remote's host has them, as far as it says."""

    @property
    def writable(self) -> bool:
        """Whether little is buffered, so that a writer need not wait."""

    def pause_reading(self) -> None:
        """Read no more from the remote, as far as this side can."""

    def resume_reading(self) -> None:
        """Read again."""

    def keep(self, size: int) -> None:
        """
        So many bytes of an unfinished message wait in the peer. The transport may end the connection, if those of
        all connections are too many.
        """

    def close(self, code: int, text: str) -> None:
        """Close after what was written; `code` and `text` are those of a WebSocket close frame."""

    def abort(self) -> None:
        """End the connection at once, whatever is still buffered."""
