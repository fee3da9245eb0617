"""Connections in memory."""

from rpc.transports.memory import memory_pair


async def test_memory_pair_as_a_byte_stream():
    """Without frames, chunks are what was written together."""
    one, other = memory_pair(framed=False)
    one.write([b"a", b"b"])
    one.write([b"c"])
    assert (one.buffered(), other.buffered()) == (3, 0)
    one.close(4000, "")
    one.write([b"late"])
    assert [chunk async for chunk in other] == [b"ab", b"c"]
