"""What a client said right before the end of its connection is answered before the close, at each door."""

import asyncio
import json
import struct
from urllib.parse import quote

import pytest

from tests.gotalk_client import Client
from tests.raw_websocket import BINARY, CLOSE, NORMAL, TEXT, frame, frames_of, handshake, play

ERRORS = {
    "reserved opcode": (b"\x83\x80\0\0\0\0", 1002),
    "reserved bit": (b"\xc1\x80\0\0\0\0", 1002),
    "text that is not UTF-8": (b"\x81\x81\0\0\0\0\xff", 1007),
    "no mask": (b"\x81\x02hi", 1002),
    "close with an invalid code": (b"\x88\x82\0\0\0\0\x03\xed", 1002),
    "frame over 4 MiB": (b"\x82\xff\0\0\0\0\0\x40\0\x01\0\0\0\0", 1009),
}
ENDS = {**ERRORS, "close": (frame(CLOSE, NORMAL), 1000)}
PUSH_ENDS = {
    **ENDS,
    "text": (frame(TEXT, b"hello") + frame(CLOSE, NORMAL), 4400),
    "payload over 64 KiB": (frame(BINARY, bytes(4 + 65_537)) + frame(CLOSE, NORMAL), 1009),
}
LINE_ENDS = {**ENDS, "line over 4,096 bytes": (frame(TEXT, bytes(4097)) + frame(CLOSE, NORMAL), 1009)}


@pytest.fixture(scope="module")
def person(site):
    """The header of someone's token."""
    script = (
        "from chat.models import *; from chat.services.tokens import make_token;"
        "user = User.objects.create_user('ann');"
        "print(make_token(Token(user=user, name='t', scopes=['read', 'post', 'rpc'])))"
    )
    return f"Authorization: Bearer {site.manage('shell', '-c', script).split()[-1]}"


@pytest.fixture
def room(site, request):
    """The name of a public room of the test's own."""

    async def make():
        async with Client(site.websocket_url) as client:
            return (await client.request("create-room", request.node.name[-40:]))["name"]

    return asyncio.run(make())


def say(site, opening, *frames):
    """One write; returns the payloads that came, and the code of the close."""
    *answers, (first, closed) = frames_of(asyncio.run(play(site.port, opening, [b"".join(frames)])))
    assert first == 0x80 | CLOSE
    return [payload for _, payload in answers], int.from_bytes(closed[:2])


@pytest.mark.parametrize("end", ERRORS)
def test_gotalk_request_is_answered(site, person, room, end):
    """Those that run as tasks too: the client has not closed, so it waits for them."""
    wrong, code = ERRORS[end]
    post = json.dumps({"room": room, "message": {"body": end}}).encode()
    request = b"r000100csend-message" + b"%08x" % len(post)
    opening = handshake("/gotalk/", person)
    heard, closed = say(site, opening, *(frame(BINARY, each) for each in (b"01", request, post)), wrong)
    headers = [payload[:5] for payload in heard]
    assert b"R0001" in headers
    assert json.loads(heard[headers.index(b"R0001") + 1])["seq"] > 0
    assert closed == code


def test_gotalk_request_that_is_answered_at_once_comes_before_the_echo_of_a_close(site):
    """Requests that run as tasks are cancelled: who closes waits for nothing."""
    frames = [frame(TEXT, each) for each in (b"01", b"r0001004echo00000002", b"hi")]
    heard, closed = say(site, handshake("/gotalk/"), *frames, frame(CLOSE, b"\x0f\xa0bye"))
    assert heard[-2:] == [b"R000100000002", b"hi"]
    assert closed == 4000


@pytest.mark.parametrize("end", PUSH_ENDS)
def test_push_request_is_answered(site, person, room, end):
    """In its order, though requests run side by side."""
    last, code = PUSH_ENDS[end]
    posts = [json.dumps({"room": room, "body": f"{end} {number}"}).encode() for number in range(3)]
    asked = [(100, b""), (113, room.encode()), *((115, post) for post in posts), (111, b"")]
    frames = (frame(BINARY, struct.pack(">I", opcode) + payload) for opcode, payload in asked)
    heard, closed = say(site, handshake("/push", person), *frames, last)
    answers = [struct.unpack(">I", payload[:4])[0] for payload in heard]
    assert sorted(each for each in answers if each != 116) == [100, 111, 113, 115, 115, 115]
    seqs = [json.loads(payload[4:])["seq"] for payload in heard if payload[:4] == b"\0\0\0\x73"]
    assert seqs == sorted(seqs)
    assert closed == code


@pytest.mark.parametrize("end", LINE_ENDS)
def test_line_comes_back(site, person, room, end):
    """Stored, and shown to the one who wrote it too."""
    last, code = LINE_ENDS[end]
    lines = ["one", "two", end]
    frames = [frame(TEXT, line.encode()) for line in lines]
    heard, closed = say(site, handshake(f"/ws/{quote(room)}", person), *frames, last)
    shown = b"\n".join(heard).decode().split("\n")
    assert [line for line in shown if not line.startswith("! ")] == lines
    assert closed == code


def test_line_comes_back_behind_older_ones(site, person, room):
    """They are read from the database first, and it may be among them."""
    path = f"/ws/{quote(room)}?since=0"
    for number in range(3):
        heard, _ = say(site, handshake(path, person), frame(TEXT, b"line %d" % number), frame(CLOSE, NORMAL))
        assert b"\n".join(heard).decode().split("\n") == [f"line {each}" for each in range(number + 1)]


@pytest.mark.parametrize("end", ENDS)
def test_refusal_of_a_line_is_told(site, room, end):
    """It is an answer too."""
    last, code = ENDS[end]
    path = f"/ws/{quote(room)}?format=json"
    heard, closed = say(site, handshake(path), frame(TEXT, b"no json"), last)
    assert [json.loads(line.removeprefix(b"! "))["code"] for line in heard] == ["bad_message"]
    assert closed == code
