"""WebSocket frames of a server, built whole: unmasked and final (RFC 6455, section 5.2)."""

from collections.abc import Sequence

_TEXT, _BINARY = 0x81, 0x82
"""First byte: the last frame of a text or binary message."""

_SHORT_BINARY = [bytes((_BINARY, size)) for size in range(126)]


def frame_start(size: int, first_byte: int = _BINARY) -> bytes:
    """The header of a frame with a payload of `size` bytes."""
    if size < 126:
        return bytes((first_byte, size))
    if size < 0x10000:
        return b"%c\x7e%b" % (first_byte, size.to_bytes(2))
    return b"%c\x7f%b" % (first_byte, size.to_bytes(8))


def split_frames(chunks: Sequence[bytes | str]) -> bytes:
    """A frame for each chunk: text for str, binary for bytes."""
    parts: list[bytes] = []
    for chunk in chunks:
        if isinstance(chunk, str):
            encoded = chunk.encode()
            parts += frame_start(len(encoded), _TEXT), encoded
        elif len(chunk) < 126:
            parts += _SHORT_BINARY[len(chunk)], chunk
        else:
            parts += frame_start(len(chunk)), chunk
    return b"".join(parts)


def joined_frames(chunks: Sequence[bytes | str]) -> bytes:
    """All chunks as one byte stream, in as few binary frames as `joined_pieces` allows."""
    return b"".join([frame_start(len(piece)) + piece for piece in joined_pieces(chunks)])


def joined_pieces(chunks: Sequence[bytes | str]) -> list[bytes]:
    """All chunks as one byte stream, cut where a WebSocket message would be larger than some receivers take."""
    joined = b"".join([chunk if isinstance(chunk, bytes) else chunk.encode() for chunk in chunks])
    if len(joined) <= MAX_JOINED_BYTES:
        return [joined]
    return [joined[start : start + MAX_JOINED_BYTES] for start in range(0, len(joined), MAX_JOINED_BYTES)]


MAX_JOINED_BYTES = 256 * 1024
"""Daphne and common client libraries take no WebSocket message over 1 MiB; a quarter starts work sooner."""
