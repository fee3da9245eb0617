"""The text door of a real site: what the classic hub clients send and get, frame by frame."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from base64 import b64encode

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.chat.doors.conftest import room_path
from tests.deadlines import DEADLINE
from tests.documents import named, read
from tests.gotalk_client import Client

TOO_SLOW_WITHIN = 12.0
MIB = 1024 * 1024


@pytest.fixture
def room(site, request):
    """A public room of the test's own; returns its path at the text door."""
    name = request.node.name[:40]

    async def make():
        async with Client(site.websocket_url) as client:
            return await client.request("create-room", name)

    return room_path(asyncio.run(make())["name"])


async def hears(socket):
    return await asyncio.wait_for(socket.recv(), DEADLINE)


async def lines(socket, count):
    heard = []
    while len(heard) < count:
        heard += (await hears(socket)).split("\n")
    return heard


async def close_of(socket):
    """Read on until the server closes; returns code and reason."""
    with pytest.raises(ConnectionClosed):
        while True:
            await hears(socket)
    return socket.close_code, socket.close_reason


def handshake(port, path, receive_buffer=None):
    """A WebSocket by hand: the socket, once the server has answered 101."""
    raw = socket.socket()
    raw.settimeout(DEADLINE)
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    raw.connect(("127.0.0.1", port))
    key = b64encode(os.urandom(16)).decode()
    raw.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return raw


def masked(text):
    """A client's text frame of fewer than 126 bytes, with a mask of zeros."""
    return bytes((0x81, 0x80 | len(text))) + bytes(4) + text


def test_frames_byte_by_byte(site, room):
    """One line in, the same bytes back to the sender: a final text frame, unmasked, nothing added."""
    with handshake(site.port, room) as raw:
        raw.sendall(masked(b"  hello\nhub "))
        assert raw.recv(64) == b"\x81\x09hello hub"
        raw.sendall(masked(b" \n ") + masked("你好".encode()))
        assert raw.recv(64) == b"\x81\x06" + "你好".encode()
        raw.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
        assert raw.recv(64) == b"\x88\x02\x03\xe8"


def test_lobby_is_there_from_the_start(site):
    """What the classic page and wscat are pointed at, as guests without a cookie."""

    async def scenario():
        async with connect(site.websocket_url + "/ws") as one, connect(site.websocket_url + "/ws") as other:
            await one.send("anybody here?")
            assert await hears(one) == await hears(other) == "anybody here?"

    asyncio.run(scenario())


def test_line_by_line_as_wscat_does(site, room):
    """Connect, a line in, lines out; each on one's own screen too."""

    async def scenario():
        async with connect(site.websocket_url + room) as one, connect(site.websocket_url + room) as other:
            for number in range(20):
                await (one, other)[number % 2].send(f"line {number}")
                assert await hears(one) == await hears(other) == f"line {number}"

    asyncio.run(scenario())


def test_room_names_are_percent_decoded(site):
    """Any name that a room can have."""

    async def scenario(name):
        async with Client(site.websocket_url) as page:
            await page.request("create-room", name)
            async with connect(site.websocket_url + room_path(name)) as line:
                await line.send("in")
                assert await hears(line) == "in"
                await page.wait_for(
                    lambda seen: any(key == "newmsg" and value["room"] == name for key, value in seen)
                )

    for name in ("two words", "茶 50%", "a/b", "who?"):
        asyncio.run(scenario(name))


@pytest.mark.parametrize("path", ["/ws/no-such-room", "/ws/%FF", "/ws/lobby/", "/ws/%00"])
def test_unknown_room_closes_4404(site, path):
    """With words on a line, and as the close's reason."""

    async def scenario():
        async with connect(site.websocket_url + path) as line:
            assert await hears(line) == "! no such room"
            assert await close_of(line) == (4404, "no such room")

    asyncio.run(scenario())


def test_frame_over_the_limit_is_told_in_a_line_and_closes_1009(site, room):
    """4,096 bytes are the most, counted in UTF-8; a line of that size goes through."""

    async def scenario():
        async with connect(site.websocket_url + room) as line:
            await line.send("x" * 4096)
            assert await hears(line) == "x" * 4096
            await line.send("你" * 1366)
            assert await hears(line) == "! a frame has at most 4096 bytes"
            assert await close_of(line) == (1009, "a frame has at most 4096 bytes")

    asyncio.run(scenario())


def test_error_is_told_to_its_client_only(site, room):
    """A line that begins with "! "; the others hear nothing, and everything goes on."""

    async def scenario():
        async with connect(site.websocket_url + room) as one, connect(site.websocket_url + room) as other:
            await one.send(b"\xff")
            assert await hears(one) == "! not valid UTF-8"
            await one.send("fine")
            assert await hears(one) == await hears(other) == "fine"

    asyncio.run(scenario())


def test_page_of_another_origin_is_not_let_in(site):
    """Its visitor's cookies are none of its business."""

    async def scenario():
        with pytest.raises(InvalidStatus, match="403"):
            async with connect(site.websocket_url + "/ws", origin="http://evil.example"):
                pass

    asyncio.run(scenario())


def test_burst_of_lines_is_taken_to_the_last(site, room):
    """More than may wait at once: reading pauses and goes on, nothing is lost, the order is kept."""
    wanted = [f"line {number}" for number in range(3000)]
    with handshake(site.port, room) as raw:
        raw.sendall(b"".join(masked(line.encode()) for line in wanted))

        async def read():
            async with connect(site.websocket_url + room + "?since=0") as other:
                return await lines(other, len(wanted))

        assert asyncio.run(read()) == wanted


def test_replay_of_thousands_meets_what_is_new(site, room):
    """Paged, in order, each line once, while somebody goes on talking."""

    async def scenario():
        async with Client(site.websocket_url) as page:
            name = room.removeprefix("/ws/")

            async def post(numbers):
                for number in numbers:
                    message = {"room": name, "message": {"body": str(number)}}
                    await page.request("send-message", message)

            for start in range(0, 600, 50):
                await asyncio.gather(*(post([number]) for number in range(start, start + 50)))
            async with connect(site.websocket_url + room + "?since=0&format=json") as line:
                talking = asyncio.create_task(post(range(600, 700)))
                heard = await lines(line, 700)
                await talking
            seqs = [int(re.search(r'"seq":(\d+)', each)[1]) for each in heard]
            assert seqs == list(range(1, 701))

    asyncio.run(scenario())


def test_client_that_does_not_read_is_dropped_and_delays_nobody(site, room):
    """The others hear every line; what waited for the stalled one is bounded, and gone with it."""
    body = "x" * 15_000
    stalled = handshake(site.port, room, receive_buffer=4096)
    before = resident_bytes(site)

    async def scenario():
        async with Client(site.websocket_url) as page, connect(site.websocket_url + room) as reader:
            name = room.removeprefix("/ws/")
            heard = asyncio.create_task(lines(reader, 1000))
            for start in range(0, 1000, 25):
                messages = [
                    {"room": name, "message": {"body": f"{number} {body}"}} for number in range(start, start + 25)
                ]
                await asyncio.gather(*(page.request("send-message", message) for message in messages))
            assert sorted(int(line.split()[0]) for line in await heard) == list(range(1000))
            await asyncio.to_thread(site.says, "4408: too slow", timeout=TOO_SLOW_WITHIN)

    asyncio.run(scenario())
    assert resident_bytes(site) - before < 64 * MIB
    with stalled, pytest.raises(ConnectionResetError):
        while stalled.recv(MIB):
            pass


def test_client_that_reads_nothing_of_a_little_is_dropped_too(site):
    """Less than a mebibyte that lies there for ten seconds is enough."""
    dropped = sum("4408: too slow" in line for line in site.output)
    with handshake(site.port, "/echo", receive_buffer=4096) as stalled:
        stalled.settimeout(2 * TOO_SLOW_WITHIN)
        frame = b"\x82\xfe\xff\xff" + bytes(4) + bytes(65535)
        with pytest.raises(OSError):
            while True:
                stalled.sendall(frame)
    site.says("4408: too slow", times=dropped + 1)


def resident_bytes(site):
    with open(f"/proc/{site.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_end_of_the_server_closes_4503(server):
    """It says why, so that a client comes back."""

    async def scenario():
        async with connect(server.websocket_url + "/ws") as line, connect(server.websocket_url + "/echo") as echo:
            await line.send("last words")
            assert await hears(line) == "last words"
            await asyncio.to_thread(server.stop, signal.SIGTERM)
            assert await close_of(line) == await close_of(echo) == (4503, "restarting")

    asyncio.run(scenario())


def test_python_client_of_the_document(site, room, tmp_path):
    """Run as it stands there."""
    script = tmp_path / "say.py"
    script.write_text(named(read("docs/doors.md"), "say.py").source)
    command = [sys.executable, str(script), site.websocket_url + room, "hello from Python"]

    async def scenario():
        async with connect(site.websocket_url + room) as other:
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
                try:
                    assert await hears(other) == "hello from Python"
                    assert await asyncio.to_thread(client.stdout.readline) == "hello from Python\n"
                    await other.send("and back")
                    assert await asyncio.to_thread(client.stdout.readline) == "and back\n"
                finally:
                    client.kill()

    asyncio.run(scenario())
