"""Thousands of malformed inputs at every door of one server: nothing is answered with a failure, and it goes on."""

import asyncio
import http.client
import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Self
from urllib.parse import urlencode

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_socket

from chat.actions.post import NewMessage
from chat.doors.http.api import NewPush
from chat.doors.push.opcodes import Opcode, frame
from chat.doors.push.requests import REQUESTS, Enter, Post
from chat.doors.text.consumer import TextDoor
from chat.services.push import FIRST_FREE
from rpc import RequestFailed, RetryLater, connect, default_handlers, describe
from tests.chat.doors.hostile import hostile
from tests.deadlines import DEADLINE
from tests.raw_websocket import BINARY, CLOSE, MASK, NORMAL, handshake, header_of, masked, play
from tests.raw_websocket import frame as websocket_frame
from tests.server import Server
from tests.sizes import short_or_whole

pytestmark = pytest.mark.long

AT_LEAST = short_or_whole(1500, 7000)
EVERY = short_or_whole(10, 1)
"""Of the payloads of operations and opcodes, each so-many-th is sent."""
AT_ONCE = 20
PASSWORD = "a long enough phrase 42"
ROOM = "animals"
DOORS = ("/gotalk/", "/ws", "/push")

MAKE = f"""
from chat.models import Token, User
from chat.queries.tokens import SCOPES
from chat.services.tokens import make_token
user = User.objects.create_superuser("alice", name="Alice", password={PASSWORD!r})
print(make_token(Token(user=user, name="robot", scopes=list(SCOPES))))
"""

LEAK = re.compile(r"Traceback|\.py\b|site-packages|sqlite|django\.|object at 0x|<class |Error\b\(|internal")
"""What nobody but the operator should read; `internal` is the code of a failure of ours."""

WORDS = (
    *("", "\0", "a\0b", "a\nb", "\u202e", "\u200b", "群" * 300, "x" * 3000, "\ud800", "\ufffe", "NaN", "-1"),
    *("1e400", "1" + 400 * "0", "null", "[" * 3000, "'", "<script>", "../../etc/passwd", "{{7*7}}", "alice"),
)
"""In the fields of forms."""
BODIES = (
    *(b"", b"%", b"%zz", b"=", b"&", b"&&&=&", b"\xff", b"a=%FF", b"a=%ED%A0%80", b"a&" * 999, b"a&" * 5000, b"\0"),
    *(b"[" * 10_000, b"{", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\n--x--"),
)
FORM = "application/x-www-form-urlencoded"
KINDS = (
    f"{FORM}; charset=x",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/json",
    "a/b/c",
)


@pytest.fixture
def site(tmp_path):
    server = Server(tmp_path / "data", environment={"RATE_LIMITS": "off"})
    server.token = server.manage("shell", "-v", "0", "-c", MAKE).splitlines()[-1]
    with server:
        yield server


# --- gotalk ------------------------------------------------------------------------------------------------


async def requests(site: Server) -> int:
    """Payloads of each operation, and of each notification, by somebody who may do everything."""
    description = describe(default_handlers)
    count, failed = 0, []
    for name, entry in description.operations.items():
        async with await connect(f"{site.websocket_url}/gotalk/", token=site.token) as client:
            payloads = list(hostile(entry.params, description.defs, {"room": b'"animals"'}))
            for payload in payloads[::EVERY]:
                count += 1
                try:
                    answer = await client.request(name, payload, bytes, retries=0, timeout=DEADLINE)
                except RequestFailed as refused:
                    if refused.code in (None, "internal") or LEAK.search(refused.text):
                        failed.append((name, payload[:60], refused))
                except RetryLater:
                    pass
                else:
                    # These answer what they are told.
                    if name not in ("echo", "greet") and LEAK.search(answer.decode()):
                        failed.append((name, payload[:60], answer))
    assert failed == []
    return count


async def messages(site: Server) -> int:
    """Each octet of a message replaced: the connection ends properly, or goes on."""
    whole = (b"r0001004echo00000002{}", b"n006typing00000002{}", b"s0001004echo00000002{}", b"p000100000002{}")
    spoiled = [
        message[:at] + octet + message[at + 1 :]
        for message in whole
        for at in range(len(message))
        for octet in (b"\xff", b"g")
    ]
    heard = await _each(site, "/gotalk/", [websocket_frame(BINARY, b"01" + each) for each in spoiled])
    assert [answer for answer in heard if LEAK.search(answer)] == []
    return len(spoiled)


# --- frames of WebSockets ----------------------------------------------------------------------------------


def headers_of_frames(firsts: Iterable[int]) -> Iterator[bytes]:
    """Frames that begin with each of these octets, and what a size may be told as (RFC 6455, section 5.2)."""
    for first in firsts:
        yield bytes((first, 0x82)) + MASK + masked(b"01")
    for first in (0x81, 0x82, 0x88, 0x89, 0x8A):
        yield bytes((first, 2)) + b"01"
        yield bytes((first, 0xFE, 0, 2)) + MASK + masked(b"01")
        yield bytes((first, 0xFF, *7 * (0,), 2)) + MASK + masked(b"01")
        yield bytes((first, 0xFF, 0x80, *7 * (0,))) + MASK
        yield header_of(first & 15, 2**40, masked=True) + MASK


async def frames(site: Server) -> int:
    """All first octets at one door; at the others all opcodes, at the end of a message and before it."""
    opcodes = [fin | opcode for fin in (0, 0x80) for opcode in range(16)]
    count = 0
    for door, firsts in (("/echo", range(256)), *((door, opcodes) for door in DOORS)):
        sent = list(headers_of_frames(firsts))
        assert [answer for answer in await _each(site, door, sent) if LEAK.search(answer)] == []
        count += len(sent)
    return count


async def _each(site: Server, path: str, sent: list[bytes]) -> list[str]:
    """What is answered to each of these and a close behind it, over a connection of its own."""
    slots = asyncio.Semaphore(AT_ONCE)
    opening = handshake(path, f"Authorization: Bearer {site.token}")

    async def alone(data: bytes) -> str:
        async with slots:
            heard = await play(site.port, opening, [data, websocket_frame(CLOSE, NORMAL)])
        return heard.decode("latin-1")

    return await asyncio.gather(*map(alone, sent))


# --- lines and opcodes -------------------------------------------------------------------------------------


async def opcodes(site: Server) -> int:
    shapes, defs = msgspec.json.schema_components((Enter, Post))
    payloads = sorted({payload for shape in shapes for payload in hostile(shape, defs, {})})
    codes = (*Opcode, 0, FIRST_FREE, 0xFFFFFFFF)
    sent = [frame(opcode, payload) for opcode in codes for payload in (*payloads[::EVERY], b"hall")]
    async with _socket(site, "/push") as socket:
        for data in sent:
            await socket.send(data)
            async with asyncio.timeout(DEADLINE):
                assert not LEAK.search(await _answer(socket, *struct.unpack(">I", data[:4])))
    return len(sent)


async def _answer(socket: ClientConnection, opcode: int) -> str:
    """What is told of the last frame; anything else is an event, such as what was posted to the room."""
    answered = opcode in (*REQUESTS, Opcode.HEARTBEAT, Opcode.LOG_IN)
    while True:
        data = await socket.recv()
        assert isinstance(data, bytes)
        (heard,), told = struct.unpack(">I", data[:4]), data[4:].decode()
        if heard == Opcode.ERROR:
            assert json.loads(told)["opcode"] == opcode
        if heard == Opcode.ERROR or (heard == opcode and answered):
            return told


async def lines(site: Server) -> int:
    (schema,), defs = msgspec.json.schema_components((NewMessage,))
    sent = [each for each in hostile(schema, defs, {}) if len(each) <= TextDoor.max_frame_bytes]
    for query in ("", "?names=1", "?format=json"):
        async with _socket(site, f"/ws/{ROOM}{query}") as socket:
            for line in sent:
                await socket.send(line)
            end = "the end"
            await socket.send(json.dumps({"body": end}) if "json" in query else end)
            async with asyncio.timeout(DEADLINE):
                while end not in (heard := str(await socket.recv())):
                    assert not LEAK.search(heard)
    return 3 * len(sent)


def _socket(site: Server, path: str) -> connect_socket:
    headers = {"Authorization": f"Bearer {site.token}"}
    return connect_socket(site.websocket_url + path, additional_headers=headers, max_size=None)


# --- HTTP --------------------------------------------------------------------------------------------------


class Asking:
    """Requests over one connection, as a browser keeps it."""

    def __init__(self, site: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=DEADLINE)
        self._cookies: dict[str, str] = {}
        self.failed: list[tuple[str, bytes, int]] = []
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> str:
        """Send a request; an answer that is a failure, or tells too much, is kept in `failed`."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, {"Cookie": cookies, **names})
        with self._connection.getresponse() as answer:
            text = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie", ()):
                name, _, value = cookie.partition(";")[0].partition("=")
                self._cookies[name] = value
            if answer.status >= 500 or LEAK.search(text):
                self.failed.append((path, body[:60], answer.status))
        return text

    def form(self, path: str) -> dict[str, str]:
        """The fields of a page's form, with the token that belongs to it."""
        page = self.ask("GET", path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page
        fields = dict.fromkeys(re.findall(r'<(?:input|select|textarea)[^>]* name="(\w+)"', page), "")
        return {**fields, "csrfmiddlewaretoken": token[1]}

    def spoil(
        self, path: str, body: bytes, kind: str = "application/x-www-form-urlencoded", **headers: str
    ) -> None:
        self.count += 1
        self.ask("POST", path, body, Content_Type=kind, **headers)


def programs(site: Server) -> int:
    """Bodies for the API, of somebody whose token may do everything."""
    bearer = {"Authorization": f"Bearer {site.token}"}
    with Asking(site) as asking:
        return _bodies(asking, bearer)


def _bodies(asking: Asking, bearer: Mapping[str, str]) -> int:
    for path, shape in ((f"/api/rooms/{ROOM}/messages", NewMessage), ("/api/push", NewPush)):
        (schema,), defs = msgspec.json.schema_components((shape,))
        for payload in hostile(schema, defs, {}):
            asking.spoil(path, payload, "application/json", **bearer)
        for kind in KINDS:
            for body in BODIES:
                asking.spoil(path, body, kind, **bearer)
    assert asking.failed == []
    return asking.count


def forms(site: Server) -> int:
    """Each field of each form with each word, and bodies that are none."""
    with Asking(site) as guest, Asking(site) as alice:
        return _fields(guest, alice)


def _fields(guest: Asking, alice: Asking) -> int:
    fields = alice.form("/accounts/login/") | {"username": "alice", "password": PASSWORD}
    alice.ask(
        "POST", "/accounts/login/", urlencode(fields).encode(), Content_Type="application/x-www-form-urlencoded"
    )
    for asking, path in ((guest, "/accounts/login/"), (guest, "/accounts/signup/"), (alice, "/settings/")):
        fields = asking.form(path)
        for field in fields:
            for word in WORDS:
                spoiled = fields | {field: word}
                asking.spoil(path, urlencode(spoiled, errors="surrogatepass").encode())
        for kind in KINDS:
            for body in BODIES:
                asking.spoil(path, body, kind, X_CSRFToken=fields["csrfmiddlewaretoken"])
    assert guest.failed == alice.failed == []
    return guest.count + alice.count


def test_malformed_inputs(site):
    """No failure, no traceback, nothing of what is inside; the server answers the next one."""
    counted = Counter()
    # Whoever may do everything closes the sign-up, too.
    for at_door in (forms, programs):
        counted[at_door.__name__] = at_door(site)
    for at_door in (requests, messages, frames, opcodes, lines):
        counted[at_door.__name__] = asyncio.run(at_door(site))
    print(f"{counted.total()} malformed inputs: {dict(counted)}")
    assert counted.total() >= AT_LEAST
    with Asking(site) as asking:
        assert asking.ask("GET", "/healthz") == "ok"
    assert site.stop() == 0
    site.kill()  # and read its output to the end
    assert [line for line in site.output if re.search(r"ERROR|CRITICAL|Traceback", line)] == []
