"""What came in and waits for its application is bounded."""

import asyncio
import subprocess
import sys

import pytest

from project.daphne.inbox import MAX_WAITING_BYTES, MAX_WAITING_MESSAGES, Inbox
from tests.chat.doors.text.test_text import handshake, masked
from tests.server import ROOT


@pytest.mark.parametrize(
    ("size", "count"), [(1, MAX_WAITING_MESSAGES), (MAX_WAITING_BYTES // 8, 8)], ids=["messages", "bytes"]
)
def test_inbox_is_full_at_its_bound_and_has_room_at_half(size, count):
    """Both in messages and in bytes; it says each once."""
    said = []
    inbox = Inbox(lambda: said.append("full"), lambda: said.append("room"))
    for _ in range(count - 1):
        inbox.put_nowait({"type": "websocket.receive", "bytes": bytes(size)})
    assert said == []
    inbox.put_nowait({"type": "websocket.receive", "bytes": bytes(size)})
    assert said == ["full"]
    asyncio.run(take(inbox, count // 2 - 1))
    assert said == ["full"]
    asyncio.run(take(inbox, count // 2 + 1))
    assert said == ["full", "room"]


async def take(inbox, count):
    for _ in range(count):
        await inbox.get()


def test_inbox_hands_over_what_comes_while_someone_waits():
    """In order, also the end."""

    async def scenario():
        inbox = Inbox(lambda: None, lambda: None)
        waiting = asyncio.create_task(inbox.get())
        await asyncio.sleep(0)
        inbox.put_nowait({"type": "websocket.receive", "text": "last"})
        inbox.put_nowait({"type": "websocket.disconnect"})
        assert (await waiting)["text"] == "last"
        assert (await inbox.get())["type"] == "websocket.disconnect"

    asyncio.run(scenario())


def test_application_that_takes_nothing_stops_the_reading():
    """The client's own socket fills up, and the server's memory does not."""
    command = [sys.executable, "-m", "tests.project.daphne.faulty_site"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            with handshake(int(process.stdout.readline()), "/never") as raw:
                raw.settimeout(2)
                with pytest.raises(TimeoutError):
                    raw.sendall(masked(b"x" * 100) * 500_000)
        finally:
            process.kill()
