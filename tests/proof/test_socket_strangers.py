"""What a stranger does with WebSockets costs the site little, and a second person is answered all the while."""

import asyncio
import socket
from contextlib import ExitStack, suppress
from statistics import median

import pytest

from tests.deadlines import DEADLINE
from tests.proof.socket_stranger import DOORS
from tests.proof.witness import attack
from tests.server import Server

pytestmark = pytest.mark.long

MEBI = 1024
"""In KiB."""
RATIO = 30
"""How much slower the usual answer may be, on a machine that does much else."""
FILES = 1024
SILENT = 1100


def attacked(server, kind):
    seen = asyncio.run(attack(server, kind, by="tests.proof.socket_stranger"))
    assert median(seen.answers) < RATIO * median(seen.quiet)
    return seen


@pytest.mark.parametrize("kind", ["empty_fragments", "small_fragments", "pings"])
def test_frames_that_bring_nothing(server, kind):
    """They are read slowly, at every door, and nobody is cut for them."""
    seen = attacked(server, kind)
    assert [each.ended for each in seen.told] == [False] * len(DOORS)
    assert seen.grown_kib < 32 * MEBI


def test_messages_that_never_end(server):
    """A hundred of 3.9 MiB, 390 MiB together: little of it is kept."""
    seen = attacked(server, "unfinished")
    assert seen.grown_kib < 64 * MEBI
    assert any(each.ended for each in seen.told)


def test_connects_at_once(server):
    """Two thousand of one address: it gets what one address may have."""
    seen = asyncio.run(attack(server, "connects", by="tests.proof.socket_stranger"))
    # Of handshakes others see more than of frames; without turns and pace there is no answer within five seconds.
    assert median(seen.answers) < 10 * RATIO * median(seen.quiet)
    assert 101 in seen.statuses <= {101, 429, None}
    assert sum(each.status == 101 for each in seen.told) < 1000
    assert seen.grown_kib < 96 * MEBI


def silent(stack, server, address, count):
    """Connections without a word; returns those that were not refused at once."""
    return [
        stack.enter_context(socket.create_connection(("127.0.0.1", server.port), source_address=(address, 0)))
        for _ in range(count)
    ]


def status(server, address):
    """Of the answer to a newcomer from an address; None if there is none."""
    with (
        suppress(ConnectionError),
        socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE, source_address=(address, 0)) as raw,
    ):
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return int(raw.recv(1000).split()[1])
    return None


@pytest.fixture
def narrow(tmp_path):
    """A site that may open few files."""
    with Server(tmp_path / "data", environment={"LOG_LEVEL": "WARNING"}, open_files=FILES) as server:
        yield server


def test_silent_connections_of_one_address(narrow):
    """They lock nobody else out, and the log has one line, of the start."""
    with ExitStack() as stack:
        silent(stack, narrow, "127.0.0.2", SILENT)
        assert status(narrow, "127.0.0.3") == 200
    assert [line for line in narrow.output if "WARNING" in line or "ERROR" in line] == narrow.output[:1]
    assert f"this process may open {FILES} files" in narrow.output[0]
    assert "Traceback" not in "".join(narrow.output)


def test_silent_connections_of_many_addresses(narrow):
    """Newcomers are turned away, most without a word, and this machine's own are let in, as staff are."""
    with ExitStack() as stack:
        for number in range(4):
            silent(stack, narrow, f"127.0.1.{number}", SILENT // 4)
        assert status(narrow, "127.0.0.3") in (503, None)
        assert status(narrow, "127.0.0.1") == 200
