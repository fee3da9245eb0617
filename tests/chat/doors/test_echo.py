"""The echo door of a real site: everything comes back as it went."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from chat.doors.echo import EchoDoor
from tests.chat.doors.text.test_text import close_of, handshake, hears, masked


def test_frames_byte_by_byte(site):
    """Text comes back as text, binary as binary, empty ones too; then a clean close."""
    with handshake(site.port, "/echo") as raw:
        for sent, back in [
            (masked(b"hello"), b"\x81\x05hello"),
            (b"\x82\x83\0\0\0\0\xff\0\x01", b"\x82\x03\xff\0\x01"),
            (masked(b""), b"\x81\0"),
            (b"\x82\x80\0\0\0\0", b"\x82\0"),
            (b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x02\x03\xe8"),
        ]:
            raw.sendall(sent)
            assert raw.recv(64) == back


def test_largest_frame(site):
    """1 MiB comes back; one byte more closes 1009."""

    async def scenario():
        async with connect(site.websocket_url + "/echo", max_size=None) as socket:
            large = "x" * EchoDoor.max_frame_bytes
            await socket.send(large)
            assert await hears(socket) == large
            await socket.send(large + "x")
            assert (await close_of(socket))[0] == 1009

    asyncio.run(scenario())


def test_client_that_writes_far_too_much_hears_why(site):
    """It may write all of it before it reads."""

    async def scenario():
        async with connect(site.websocket_url + "/echo", max_size=None) as socket:
            await socket.send(bytes(16 * EchoDoor.max_frame_bytes))
            assert (await close_of(socket))[0] == 1009

    asyncio.run(scenario())


def test_heartbeat(site):
    """`?heartbeat=1`: the text comes every second, among what is sent back."""

    async def scenario():
        async with connect(site.websocket_url + "/echo?heartbeat=1") as socket:
            await socket.send("2026-01-02T03:04:05Z")
            heard = [await hears(socket) for _ in range(3)]
            assert heard == ["2026-01-02T03:04:05Z", "heartbeat from server", "heartbeat from server"]

    asyncio.run(scenario())


@pytest.mark.parametrize("heartbeat", ["0", "301", "2.5", "often", ""])
def test_heartbeat_out_of_range(site, heartbeat):
    """The close says which are possible."""

    async def scenario():
        async with connect(site.websocket_url + f"/echo?heartbeat={heartbeat}") as socket:
            assert await close_of(socket) == (4400, "heartbeat must be a whole number from 1 to 300")

    asyncio.run(scenario())


def test_page_of_another_origin_is_not_let_in(site):
    """No log in is needed, but it is no relay for other sites' pages either."""

    async def scenario():
        with pytest.raises(InvalidStatus, match="403"):
            async with connect(site.websocket_url + "/echo", origin="http://evil.example"):
                pass

    asyncio.run(scenario())


def test_many_messages_come_back_in_order(site):
    """Sent without waiting for any."""

    async def scenario():
        async with connect(site.websocket_url + "/echo") as socket:
            sent = [f"message {number}" for number in range(3000)]

            async def send():
                for each in sent:
                    await socket.send(each)

            sending = asyncio.create_task(send())
            assert [await hears(socket) for _ in sent] == sent
            await sending
            await socket.close()
            with pytest.raises(ConnectionClosed):
                await socket.recv()

    asyncio.run(scenario())
