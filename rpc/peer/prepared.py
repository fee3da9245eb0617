"""Messages encoded once for any number of peers."""

from collections.abc import Iterable, Sequence
from functools import cached_property

from rpc.messages import Message
from rpc.protocol.codec import encode
from rpc.protocol.frames import joined_frames, joined_pieces, split_frames


class Frames:
    """
    WebSocket messages for many sockets: text for str, binary for bytes.

    The frames are built on first use and kept, so every socket gets the same object.
    """

    def __init__(self, chunks: Iterable[bytes | str]) -> None:
        self.chunks: tuple[bytes | str, ...] = tuple(chunks)

    @cached_property
    def split_frames(self) -> bytes:
        """A WebSocket frame for each chunk, one after the other."""
        return split_frames(self.chunks)


class Prepared(Frames):
    """
    Messages for many peers, such as the notifications of one room's fan-out.

    Each wire's bytes are built on first use and kept, so every peer of that wire gets the same object.

    Raises:
        LocalProtocolError: a message does not fit the wire.
    """

    chunks: tuple[bytes, ...]
    """One WebSocket message each, as stock peers want them."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__(part for message in messages for part in encode(message) if part)

    @cached_property
    def stream(self) -> bytes:
        """The bytes on a byte stream."""
        return b"".join(self.chunks)

    @cached_property
    def joined_frames(self) -> bytes:
        """The WebSocket frames for a peer that announced `joined`: one, unless that would be very large."""
        return joined_frames(self.chunks)

    @cached_property
    def joined_pieces(self) -> list[bytes]:
        """The WebSocket messages for a peer that announced `joined`, for a server that builds frames itself."""
        return joined_pieces(self.chunks)
