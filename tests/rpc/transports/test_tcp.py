"""A byte stream's transport, over a real socket."""

import asyncio
import socket

import pytest

from rpc.transports.kernel import unacknowledged
from rpc.transports.tcp import SocketTransport

pytestmark = pytest.mark.sockets


async def test_unread_is_what_the_remote_has_not_taken():
    """It falls while the kernel takes nothing more, which it does only when much of what it has is gone."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _, transport = await loop.create_connection(SocketTransport, *listener.getsockname())
        remote, _ = listener.accept()
    with remote:
        transport.start(loop.create_task, lambda: None, lambda: None)
        transport.write([bytes(4_000_000)])
        buffered, unread = transport.buffered(), transport.unread()
        assert unread > buffered > 0
        while transport.unread() == unread:
            remote.recv(1000)
        assert transport.buffered() == buffered
        transport.abort()


def test_closed_socket_keeps_nothing():
    """Nor does one that was closed a moment ago."""
    with socket.socket() as connection:
        assert unacknowledged(connection) == 0
    assert unacknowledged(connection) == 0
