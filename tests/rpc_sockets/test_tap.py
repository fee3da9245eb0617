"""What a tap says of bytes that go by, and that they go by unchanged."""

import asyncio

import pytest

from rpc import Handlers, connect, serve
from rpc.addresses import Address
from rpc.cli.relay import Relay
from rpc.cli.traffic import KEPT_BYTES, Reader, Seen


def read(*chunks: bytes) -> list[Seen]:
    reader = Reader()
    return [seen for chunk in chunks for seen in reader.feed(chunk)]


VERSION = Seen(type="version", name="01")

MESSAGES = [
    (b"r0001004echo00000005hello", Seen(type="request", id=b"0001", name="echo", size=5, payload=b"hello")),
    (b"s0001003sum000000011", Seen(type="stream-request", id=b"0001", name="sum", size=1, payload=b"1")),
    (b"p0001000000012", Seen(type="stream-part", id=b"0001", size=1, payload=b"2")),
    (b"p000100000000", Seen(type="stream-part", id=b"0001", size=0)),
    (b"R000100000005hello", Seen(type="result", id=b"0001", size=5, payload=b"hello")),
    (b"S000100000003abc", Seen(type="stream-result", id=b"0001", size=3, payload=b"abc")),
    (b"E\x00\x00\x00\x0100000002no", Seen(type="error", id=b"\x00\x00\x00\x01", size=2, payload=b"no")),
    (
        b"e0001000001f400000004wait",
        Seen(type="retry", id=b"0001", size=4, payload=b"wait", retry_after_ms=500),
    ),
    (b"n006typing00000002{}", Seen(type="notification", name="typing", size=2, payload=b"{}")),
    (b"h00020000003c", Seen(type="heartbeat", load=2, sent_at=60)),
    (b"f00000002", Seen(type="fault", code=2)),
]


@pytest.mark.parametrize(("wire", "seen"), MESSAGES, ids=[seen.type for _, seen in MESSAGES])
def test_message(wire, seen):
    """Each message is told once, however its bytes are cut and whatever follows."""
    assert read(b"01" + wire) == [VERSION, seen]
    assert read(*(bytes([byte]) for byte in b"01" + wire)) == [VERSION, seen]
    assert read(b"01" + wire + wire) == [VERSION, seen, seen]


def test_another_protocol():
    """What does not begin with the version is no gotalk, and all the rest is bytes."""
    assert read(b"GET / HTTP/1.1\r\n", b"\r\n") == [
        Seen(type="malformed", size=16, payload=b"GET / HTTP/1.1\r\n", reason="no version"),
        Seen(type="bytes", size=2, payload=b"\r\n"),
    ]


def test_bytes_that_are_no_message():
    """What came before is told; after them nothing can be read."""
    assert read(b"01f00000000x0001", b"01") == [
        VERSION,
        Seen(type="fault", code=0),
        Seen(type="malformed", size=5, payload=b"x0001", reason="unknown message type"),
        Seen(type="bytes", size=2, payload=b"01"),
    ]


def test_large_payload():
    """Its beginning is kept, its size is told, and what follows is read."""
    size = 3 * KEPT_BYTES
    chunk = bytes(KEPT_BYTES // 2 + 1)
    reader = Reader()
    seen = reader.feed(b"01R0001%08x" % size)
    left = size
    while left:
        seen += reader.feed(chunk[:left])
        left -= min(left, len(chunk))
    seen += reader.feed(b"R000200000001x")
    assert seen == [
        VERSION,
        Seen(type="result", id=b"0001", size=size, payload=bytes(KEPT_BYTES)),
        Seen(type="result", id=b"0002", size=1, payload=b"x"),
    ]


@pytest.mark.parametrize(
    ("wire", "reason", "rest"),
    [
        (b"01r0001004ec", "ends within a header", b"r0001004ec"),
        (b"01R000100000005he", "ends within a payload", b"he"),
    ],
)
def test_end_within_a_message(wire, reason, rest):
    """It is told with what there was of it."""
    reader = Reader()
    reader.feed(wire)
    assert reader.end() == [
        Seen(type="malformed", size=len(rest), payload=rest, reason=reason),
        Seen(type="end"),
    ]


# --- between client and server -----------------------------------------------------------------------------


@pytest.fixture
def seen():
    """What the tap told: (connection, sender, type)."""
    return []


@pytest.fixture
def tapped(seen):
    """Starts a tap in front of a URL."""

    async def start(listen_url, url, **options):
        return await Relay.listen(
            Address.parse(listen_url),
            Address.parse(url),
            lambda number, sender, what: seen.append((number, sender, what.type)),
            **options,
        )

    return start


@pytest.fixture
def handlers():
    handlers = Handlers()

    @handlers.request("echo", inline=True)
    def echo(payload: bytes) -> bytes:
        return payload

    return handlers


@pytest.mark.parametrize("scheme", ["tcp", "tls", "unix"])
async def test_client_and_server_do_not_notice(
    scheme, handlers, tapped, seen, tmp_path, server_context, client_context
):
    """Requests and large payloads pass, over each transport, and each connection has its number."""
    url = f"unix://{tmp_path}/server.sock" if scheme == "unix" else f"{scheme}://127.0.0.1:0"
    secret = scheme == "tls"
    async with (
        await serve(url, handlers, ssl=server_context if secret else None) as server,
        await tapped(f"unix://{tmp_path}/tap.sock", server.url, ssl=client_context if secret else None) as between,
    ):
        for number in (1, 2):
            async with await connect(between.url) as client:
                assert await client.request("echo", bytes(700_000), bytes) == bytes(700_000)
            assert [each for each in seen if each[2] in ("request", "result")][-2:] == [
                (number, "client", "request"),
                (number, "server", "result"),
            ]
    assert not (tmp_path / "tap.sock").exists()


async def test_malformed_bytes_pass(tapped, seen):
    """The server gets exactly what the client sent, and its answer comes back to the half-closed client."""
    got = asyncio.get_running_loop().create_future()

    async def answer(reader, writer):
        got.set_result(await reader.read())
        writer.write(b"220 no gotalk\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with await tapped("tcp://127.0.0.1:0", f"tcp://127.0.0.1:{port}") as between:
            reader, writer = await asyncio.open_connection("127.0.0.1", between.url.rpartition(":")[2])
            writer.write(b"01\xff\x00?")
            writer.write_eof()
            assert await reader.read() == b"220 no gotalk\r\n"
            writer.close()
            await writer.wait_closed()
    assert await got == b"01\xff\x00?"
    assert seen == [
        (1, "client", "version"),
        (1, "client", "malformed"),
        (1, "client", "end"),
        (1, "server", "malformed"),
        (1, "server", "end"),
    ]


async def test_server_that_is_not_there(tapped, seen):
    """The client is closed, the tap says why and goes on."""
    async with await serve("tcp://127.0.0.1:0", Handlers()) as server:
        url = server.url
    async with await tapped("tcp://127.0.0.1:0", url) as between:
        reader, writer = await asyncio.open_connection("127.0.0.1", between.url.rpartition(":")[2])
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert seen == [(1, "server", "unreachable")]


async def test_tap_that_ends_ends_its_connections(handlers, tapped):
    """Nobody is left talking to nobody."""
    async with await serve("tcp://127.0.0.1:0", handlers) as server:
        async with await tapped("tcp://127.0.0.1:0", server.url) as between:
            client = await connect(between.url)
            await client.request("echo", 1)
        await client.wait_closed()
        await client.close()


@pytest.mark.parametrize(
    ("listen_url", "url"),
    [("tls://127.0.0.1:0", "tcp://127.0.0.1:1"), ("tcp://127.0.0.1:0", "ws://127.0.0.1:1/gotalk/")],
)
async def test_what_cannot_be_tapped(tapped, listen_url, url):
    """It is said before anything listens."""
    with pytest.raises(ValueError, match="tap"):
        await tapped(listen_url, url)
