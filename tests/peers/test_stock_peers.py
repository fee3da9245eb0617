"""Stock peers in the chat, through both doors of the real server."""

import asyncio
import itertools
import json
import re
import signal

import pytest
from websockets.asyncio.client import connect as connect_websocket

from tests.peers.stock import BrowserPeer, Failed, GoPeer, alone, conversation
from tests.server import Server, visitor_cookie

pytestmark = pytest.mark.peers

TCP = {"GOTALK_LISTEN": "tcp://127.0.0.1:0"}


def tcp_url(server: Server) -> str:
    found = re.search(r"^gotalk is at (tcp://\S+)$", "\n".join(server.output), re.MULTILINE)
    assert found is not None, server.output
    return found[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """`manage.py serve` with its rooms animals, jokes and golang, over WebSocket and TCP."""
    with Server(tmp_path_factory.mktemp("site"), environment=TCP) as running:
        yield running


@pytest.fixture
def go(site):
    return lambda **options: GoPeer(tcp_url(site), **options)


@pytest.fixture(params=["binary", "text"])
def browser(site, request):
    """A browser peer in either mode."""
    return lambda **options: BrowserPeer(site.url, text=request.param == "text", **options)


@pytest.fixture(params=["go", "binary", "text"])
def stock(site, request):
    """Each of the stock peers."""
    if request.param == "go":
        return lambda: GoPeer(tcp_url(site))
    return lambda: BrowserPeer(site.url, text=request.param == "text")


async def ask(peer, operation, params=None):
    """A request with JSON, whichever peer it is."""
    if isinstance(peer, GoPeer):
        return json.loads(await peer.request(operation, json.dumps(params).encode()))
    return await peer.request(operation, params)


_bodies = itertools.count()


def some_body():
    """A text that no other test has posted."""
    return f"number {next(_bodies)}"


def bodies(peer):
    """What was posted while the peer was there."""
    seen = peer.values("newmsg")
    return [(json.loads(each) if isinstance(each, bytes) else each)["message"]["body"] for each in seen]


async def here(peer):
    """Wait until the chat has let the peer in."""
    await peer.hear(lambda: peer.values("username"))


# --- bytes -------------------------------------------------------------------------------------------------


@alone
async def test_greeting_over_tcp(site):
    """The version comes at once, no `$hello` ever, and an answer has the id as it came: raw bytes."""
    said = await conversation(tcp_url(site), b"01", b"r\x01\x00\x00\xff004echo00000005", b"hello")
    assert said.startswith(b"01n0")
    assert b"$hello" not in said
    assert b"R\x01\x00\x00\xff00000005hello" in said


@alone
async def test_greeting_over_websocket(site):
    """The version alone in a binary message, then header and payload in a message each."""
    async with connect_websocket(site.websocket_url + "/gotalk/", origin=site.url) as socket:
        # Before ours: the server does not wait.
        assert await socket.recv() == b"01"
        await socket.send(b"01")
        await socket.send(b"r000z004echo00000006")
        await socket.send("😀")
        heard = []
        while heard[-1:] != [b"R000z00000004"]:
            heard.append(await socket.recv())
        assert await socket.recv() == "😀".encode()
        assert not [header for header in heard if header.startswith(b"n006$hello")]


@pytest.mark.parametrize("little_endian", [False, True])
@pytest.mark.parametrize(
    "payload",
    [b"", b"x", b"\0", bytes(range(256)), "群发 😀".encode(), bytes(1024 * 1024)],
    ids=["empty", "one", "nul", "all", "emoji", "mebibyte"],
)
@alone
async def test_go_echo(go, payload, little_endian):
    """Whatever the bytes, they come back."""
    async with go(little_endian=little_endian) as peer:
        assert await peer.request("echo", payload) == payload


@pytest.mark.parametrize(
    "text",
    ["", "x", "😀", "a\0b", "群发", "x\0😀😀", "é" * 1000, "x" * (1024 * 1024 - 2)],
    ids=["empty", "one", "emoji", "nul", "cjk", "both", "latin", "mebibyte"],
)
@alone
async def test_browser_echo(browser, text):
    """Whatever size it declares, the text comes back."""
    async with browser() as peer:
        assert await peer.request("echo", text) == text


@pytest.mark.parametrize("payload", [b"", b"\0", bytes(range(256)), bytes(1024 * 1024)])
@alone
async def test_browser_buffer_echo(browser, payload):
    """A buffer is a binary message, also behind a text header; what is no UTF-8 comes back binary."""
    async with browser() as peer:
        answer = await peer.request_buffer("echo", payload)
        assert answer == payload or answer == payload.decode()


@alone
async def test_browser_is_answered_in_its_mode(site):
    """A text header has a text answer, a binary header a binary one."""
    async with BrowserPeer(site.url, text=True) as texts, BrowserPeer(site.url) as binaries:
        await texts.request("echo", "é")
        await binaries.request("echo", "é")
        assert texts.answers == [("R000000000004", '"é"')]
        assert binaries.answers == [(b"R000000000004", '"é"'.encode())]


@alone
async def test_payload_larger_than_declared(site):
    """Counting stops at NUL: 1 byte is declared, 9 follow, and all of them are the payload."""
    async with BrowserPeer(site.url) as peer:
        await peer.say(b"r0000004echo00000001", "x\0 and on")
        await peer.say(b"r0001004echo00000002", "hi")
        await peer.hear(lambda: len(peer.answers) == 2)
    assert peer.answers == [(b"R000000000009", b"x\0 and on"), (b"R000100000002", b"hi")]


@alone
async def test_empty_answer_is_one_websocket_message(site):
    """Size 0 has no second message: the next one is a header."""
    async with BrowserPeer(site.url) as peer:
        await peer.request_buffer("echo")
        await peer.request_buffer("echo")
    assert peer.answers == [(b"R000000000000", b""), (b"R000100000000", b"")]


@pytest.mark.parametrize("pieces", [1, 2, 13])
@alone
async def test_go_in_pieces(go, pieces):
    """A conversation may be cut anywhere."""
    async with go(pieces=pieces) as peer:
        await peer.notify("typing", b'{"room":"animals"}')
        assert await peer.request("echo", "😀".encode()) == "😀".encode()
        assert await ask(peer, "greet", {"name": "Rasmus"}) == {"greeting": "Hello Rasmus"}


@alone
async def test_many_messages_in_one_write(site):
    """Version, requests, notification and heartbeat may stand in one packet; answers keep the order of `echo`."""
    one, two = b"r\1\0\0\x00004echo000000011", b"r\2\0\0\x00004echo00000000"
    said = await conversation(tcp_url(site), b"01" + one + b"n002hi00000001x" + b"h00005fc3b2a0" + two)
    assert 0 < said.find(b"R\1\0\0\x00000000011") < said.find(b"R\2\0\0\x0000000000")


# --- the chat ----------------------------------------------------------------------------------------------


@alone
async def test_list_messages(stock):
    """The history of a room, by its name alone, oldest first."""
    async with stock() as peer:
        listed = await ask(peer, "list-messages", "golang")
        assert listed[0]["body"] == "What did you build with goroutines this week?"
        assert [each["seq"] for each in listed] == sorted(each["seq"] for each in listed)


@alone
async def test_rooms_come_unasked(stock):
    """Every peer is told its name and the rooms, without a `$hello`."""
    async with stock() as peer:
        await here(peer)
        await peer.hear(lambda: peer.values("rooms"))
        rooms = peer.values("rooms")[0]
        assert {"animals", "jokes", "golang"} <= set(json.loads(rooms) if isinstance(rooms, bytes) else rooms)


@alone
async def test_message_of_go_reaches_the_browser(go, browser):
    """With who wrote it and through which door."""
    async with go() as writer, browser() as reader:
        await here(reader)
        body = some_body()
        receipt = await ask(writer, "send-message", {"room": "animals", "message": {"body": body}})
        await reader.hear(lambda: body in bodies(reader))
        heard = next(each for each in reader.values("newmsg") if each["message"]["body"] == body)
        assert (heard["room"], heard["message"]["seq"], heard["message"]["via"]) == (
            "animals",
            receipt["seq"],
            "gotalk",
        )


@alone
async def test_message_of_the_browser_reaches_go(go, browser):
    """An emoji, whose size the browser counts wrong, arrives whole."""
    async with browser() as writer, go() as reader:
        await here(reader)
        body = some_body() + " 😀 群发"
        await writer.request("send-message", {"room": "jokes", "message": {"body": body}})
        await reader.hear(lambda: body in bodies(reader))


@alone
async def test_messages_of_both_keep_one_order(site, go):
    """Everybody hears the same posts in the same order, which is that of the history."""
    async with go() as one, BrowserPeer(site.url) as two, BrowserPeer(site.url, text=True) as three:
        everybody = one, two, three
        for peer in everybody:
            # The first post makes a visitor a guest, after which posts of one connection keep their order.
            await ask(peer, "send-message", {"room": "golang", "message": {"body": some_body()}})
        written = [(writer, some_body()) for writer in everybody * 3]
        await asyncio.gather(
            *(
                ask(writer, "send-message", {"room": "golang", "message": {"body": body}})
                for writer, body in written
            )
        )
        for peer in everybody:
            await peer.hear(lambda peer=peer: {body for _, body in written} <= set(bodies(peer)))
        listed = await ask(two, "list-messages", {"room": "golang", "limit": 9})
        assert [bodies(peer)[-9:] for peer in everybody] == [[each["body"] for each in listed]] * 3
        for writer in everybody:
            own = [body for each, body in written if each is writer]
            assert [body for body in bodies(one) if body in own] == own


@alone
async def test_post_is_heard_by_who_wrote_it(stock):
    """The stock page shows a post when it comes back, not before."""
    async with stock() as peer:
        await here(peer)
        body = some_body()
        await ask(peer, "send-message", {"room": "animals", "message": {"body": body}})
        await peer.hear(lambda: body in bodies(peer))


@alone
async def test_resent_after_a_reconnect(site):
    """A request that was underway is sent again, with ids from 0; the same client_id is posted once."""
    async with BrowserPeer(site.url) as witness, BrowserPeer(site.url, cookie=visitor_cookie(site)) as peer:
        await here(witness)
        body, client_id = some_body(), "6f0f7c3e-29a5-4f41-9d0a-2f6b8b0f6d11"
        message = {"body": body, "client_id": client_id}
        await peer.request("echo")
        peer.stop_reading()
        underway = asyncio.create_task(peer.request("send-message", {"room": "animals", "message": message}))
        await witness.hear(lambda: body in bodies(witness))
        peer.lose_connection()
        with pytest.raises(ConnectionError):
            await underway
        await peer.reconnect()
        await peer.hear(lambda: len(peer.answers) == 2)
        header, receipt = peer.answers[-1]
        assert header.startswith(b"R0000")
        listed = await witness.request("list-messages", "animals")
        assert [each["seq"] for each in listed if each["body"] == body] == [json.loads(receipt)["seq"]]


# --- errors ------------------------------------------------------------------------------------------------


@alone
async def test_unknown_operation(stock):
    """Plain text, which both peers show as it is."""
    async with stock() as peer:
        with pytest.raises(Failed, match=r'^unknown operation "no such é"$'):
            await ask(peer, "no such é")
        assert await ask(peer, "echo", 1) == 1


@alone
async def test_parameters_that_do_not_fit(stock):
    """Plain text that names the field."""
    async with stock() as peer:
        with pytest.raises(Failed, match=r"^bad parameters: .*\broom\b") as caught:
            await ask(peer, "send-message", {"room": 7, "message": {"body": "x"}})
        assert not caught.value.text.startswith("{")


@alone
async def test_refused_by_the_chat(stock):
    """The chat's own words, and nothing around them."""
    async with stock() as peer:
        with pytest.raises(Failed, match=r"^no such room$"):
            await ask(peer, "list-messages", "nowhere")
        with pytest.raises(Failed, match=r"^empty message$"):
            await ask(peer, "send-message", {"room": "animals", "message": {"body": " "}})


@alone
async def test_payload_that_is_no_json(stock):
    """It costs that request only."""
    async with stock() as peer:
        send = peer.request if isinstance(peer, GoPeer) else peer.request_buffer
        for payload in (b"{", b"\xff"):
            with pytest.raises(Failed, match=r"^bad parameters"):
                await send("greet", payload)
        assert await ask(peer, "echo", 1) == 1


@alone
async def test_unknown_notification(stock):
    """It is ignored, as the protocol has it."""
    async with stock() as peer:
        await peer.notify("no such thing", *([b"\xff"] if isinstance(peer, GoPeer) else [None]))
        assert await ask(peer, "echo", 1) == 1


@alone
async def test_heartbeat(stock):
    """It needs no answer and harms nothing."""
    async with stock() as peer:
        await (peer.say(b"h0000", b"5fc3b2a0") if isinstance(peer, GoPeer) else peer.heartbeat())
        assert await ask(peer, "echo", 1) == 1


# --- ends --------------------------------------------------------------------------------------------------


@alone
async def test_half_close(go):
    """A Go program that has said all is answered, also what takes the writer's time, then the server closes."""
    async with go() as peer:
        await here(peer)
        body = json.dumps({"room": "jokes", "message": {"body": some_body()}}).encode()
        posted, echoed = await peer.ask("send-message", body), await peer.ask("echo", b"hi")
        peer.half_close()
        assert (await echoed.next())[2] == b"hi"
        assert (await posted.next())[0] == b"R"
        await peer.ended()


HARM = {
    "mute": [],
    "garbage": [b"GET / HTTP/1.1\r\n\r\n"],
    "other version": [b"02"],
    "half version": [b"0"],
    "half header": [b"01", b"r0001004ec"],
    "half payload": [b"01", b"r0001004echo00000010", b"half"],
    "huge payload": [b"01", b"r0001004echoffffffff"],
    "empty name": [b"01", b"n00000000000"],
    "no hex": [b"01", b"r0001+04echo0000000x"],
}


@pytest.mark.parametrize("said", HARM.values(), ids=HARM)
@alone
async def test_bad_peer_harms_nobody(site, said):
    """Whatever one says or leaves unsaid, through either door, others talk on."""
    _, writer = await asyncio.open_connection(*tcp_url(site).removeprefix("tcp://").split(":"))
    async with connect_websocket(site.websocket_url + "/gotalk/", origin=site.url) as socket:
        writer.writelines(said)
        for each in said:
            await socket.send(each)
        async with GoPeer(tcp_url(site)) as one, BrowserPeer(site.url) as two:
            await here(one)
            body = some_body()
            await ask(two, "send-message", {"room": "animals", "message": {"body": body}})
            await one.hear(lambda: body in bodies(one))
    writer.close()
    await writer.wait_closed()


def test_restart(tmp_path):
    """
    A browser is closed with 4503, never 1000 after which it comes back at once; a Go peer sees the end of the
    stream; what they asked before was answered.
    """
    with Server(tmp_path / "site", environment=TCP) as server:

        @alone
        async def scenario():
            async with (
                GoPeer(tcp_url(server)) as go,
                BrowserPeer(server.url) as browser,
                BrowserPeer(server.url, text=True) as in_text,
            ):
                for peer in (go, browser, in_text):
                    assert await ask(peer, "echo", 1) == 1
                server.process.send_signal(signal.SIGTERM)
                assert [await browser.closed(), await in_text.closed()] == [4503, 4503]
                await go.ended()
                assert [go.fault, browser.fault, in_text.fault] == [None, None, None]

        scenario()
        assert server.process.wait(10) == 0
