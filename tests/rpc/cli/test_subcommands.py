"""`gotalk`: what it prints, where, and with which exit code."""

import asyncio
import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import contextmanager

import pytest

from rpc import Handlers, OperationError, Peer, RetryLater, serve
from rpc.cli.main import run
from tests.deadlines import DEADLINE
from tests.server import ROOT

handlers = Handlers()
heard: "queue.Queue[tuple[str, bytes]]" = queue.Queue()


@handlers.opened
async def opened(peer: Peer) -> None:
    peer.notify("greeting", {"text": "hello 🎉"})
    peer.notify("bytes", b"\xff\n")
    peer.notify("greeting", "again")


@handlers.request("echo", inline=True)
def echo(payload: bytes) -> bytes:
    return payload


@handlers.request("refuse", inline=True)
def refuse() -> None:
    raise OperationError("no such \x1b[31mroom", "no_such_room", "room")


@handlers.request("later", inline=True)
def later() -> None:
    raise RetryLater(60_000, "you are posting too fast", "too_fast")


@handlers.request("never")
async def never() -> None:
    await asyncio.Event().wait()


@handlers.request("close me")
async def close_me(peer: Peer) -> None:
    peer.close(4403, "as you wish")


@handlers.stream("upper")
async def upper(parts: AsyncIterator[str]) -> AsyncIterator[str]:
    async for part in parts:
        yield part.upper()


@handlers.stream("double")
async def double(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for part in parts:
        yield part * 2


@handlers.stream("first")
async def first(parts: AsyncIterator[int]) -> int:
    return await anext(parts)


@handlers.notification("", inline=True)
def notified(name: str, payload: bytes) -> None:
    heard.put((name, payload))


@contextmanager
def listening(url, ssl=None):
    """The URL of a server with these handlers, in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def wait(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(DEADLINE)

    try:
        server = wait(serve(url, handlers, ssl=ssl))
        yield server.url
        wait(server.close())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(DEADLINE)
        loop.close()


@pytest.fixture(scope="module")
def url():
    with listening("tcp://127.0.0.1:0") as url:
        yield url


@pytest.fixture(autouse=True)
def log_level():
    """The command sets that of its whole process."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


@pytest.fixture
def gotalk(capsysbinary):
    """Runs a subcommand in this process; returns the exit code and what it wrote to standard output and error."""

    def run_here(*arguments):
        try:
            code = run(arguments)
        except SystemExit as end:
            code = end.code
        written = capsysbinary.readouterr()
        return code, written.out, written.err

    return run_here


@pytest.fixture
def standard_input(monkeypatch, tmp_path):
    """Puts bytes into standard input."""
    with open(tmp_path / "input", "w+b") as file:

        def put(data):
            file.write(data)
            file.seek(0)
            monkeypatch.setattr(sys, "stdin", file)

        yield put


def process(*arguments, stdout=subprocess.PIPE, **options):
    """The command as people run it; what Python would complain about at its end is heard too."""
    return subprocess.Popen(
        [sys.executable, "-c", "from rpc.cli.main import script; script()", *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        **options,
    )


def finished(process):
    """The exit code and what is still unread of standard output and error."""
    with process:
        out, err = process.communicate(timeout=DEADLINE)
    return process.returncode, out, err


# --- request -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (['"hello"'], b'"hello"\n'),
        ([], b"null\n"),
        (
            ['{"a": [1, 2.50],\n "é": 123456789012345678901234567890}'],
            '{"a":[1,2.50],"é":123456789012345678901234567890}\n'.encode(),
        ),
        (["--pretty", '{"a":[]}'], b'{\n  "a": []\n}\n'),
        (["--raw", "a\nb"], b"a\nb"),
        (["--raw"], b""),
    ],
)
def test_request(gotalk, url, arguments, printed):
    """The result is JSON on one line, with numbers and letters as they are; or bytes as they are."""
    assert gotalk("request", url, "echo", *arguments) == (0, printed, b"")


def test_request_from_standard_input(gotalk, url, standard_input):
    """What - stands for is read to its end."""
    standard_input(b'{"text":\n "' + b"x" * 100_000 + b'"}\n')
    assert gotalk("request", url, "echo", "-") == (0, b'{"text":"' + b"x" * 100_000 + b'"}\n', b"")


def test_raw_request_from_standard_input(gotalk, url, standard_input):
    """Not a byte is added or lost."""
    standard_input(bytes(range(256)))
    assert gotalk("request", url, "echo", "-", "--raw") == (0, bytes(range(256)), b"")


def test_closed_standard_input(gotalk, url, monkeypatch):
    """There is nothing to read from."""
    monkeypatch.setattr(sys, "stdin", None)
    assert gotalk("request", url, "echo", "-") == (2, b"", b"Cannot read standard input: it is closed\n")


def test_standard_output_that_is_full(url):
    """What could not be written is an error, also for who listens."""
    for arguments in (("request", url, "echo"), ("listen", url)):
        with open("/dev/full", "wb") as full:
            command = process(*arguments, stdout=full)
        assert finished(command) == (1, None, b"Cannot write to standard output: No space left on device\n")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence", "object"),
    [
        (
            ["refuse"],
            1,
            b"no such \\x1b[31mroom (field room)\n",
            {"error": "no such \x1b[31mroom", "code": "no_such_room", "field": "room"},
        ),
        (
            ["nothing"],
            1,
            b'unknown operation "nothing"\n',
            {"error": 'unknown operation "nothing"', "code": "unknown_operation"},
        ),
        (
            ["later", "--timeout", "0.2"],
            1,
            b"you are posting too fast, retry after 10000 ms\n",
            {"error": "you are posting too fast", "code": "too_fast", "retry_after_ms": 10000},
        ),
        (
            ["echo", "hello"],
            2,
            b"Not valid JSON: hello (a text needs quotes of its own: '\"hello\"'; or use --raw)\n",
            {
                "error": "Not valid JSON: hello (a text needs quotes of its own: '\"hello\"'; or use --raw)",
                "code": "usage",
            },
        ),
        (
            ["close me"],
            3,
            b"connection closed (4403) as you wish\n",
            {"error": "connection closed (4403) as you wish", "code": "connection_closed"},
        ),
        (
            ["never", "--timeout", "0.05"],
            4,
            b"never: no answer within 0.05 s\n",
            {"error": "never: no answer within 0.05 s", "code": "timeout"},
        ),
    ],
)
def test_request_that_fails(gotalk, url, arguments, code, sentence, object):
    """A sentence or, with --json, an object; nothing on standard output."""
    assert gotalk("request", url, *arguments) == (code, b"", sentence)
    failed, out, err = gotalk("request", url, *arguments, "--json")
    assert (failed, out, json.loads(err)) == (code, b"", object)


def test_nobody_is_there(gotalk):
    """It says who is not, and why."""
    with listening("tcp://127.0.0.1:0") as gone:
        pass
    assert gotalk("request", gone, "echo") == (3, b"", f"Cannot connect to {gone}: Connection refused\n".encode())
    code, _, err = gotalk("request", "unix:///nowhere/gotalk.sock", "echo", "--json")
    assert (code, json.loads(err)) == (
        3,
        {
            "error": "Cannot connect to unix:///nowhere/gotalk.sock: No such file or directory",
            "code": "cannot_connect",
        },
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["http://127.0.0.1", "echo"], b"is not an address"),
        (["tcp://127.0.0.1", "echo", "--timeout", "0"], b"is not a number of seconds"),
        (["ws://127.0.0.1", "echo", "--header", "nonsense"], b"is not a header"),
        (["tcp://127.0.0.1", "echo", "--header", "A: b"], b"--header goes with ws:// and wss:// only"),
        (["unix:///x", "echo", "--insecure"], b"--ca and --insecure go with tls:// and wss:// only"),
        (["tls://127.0.0.1", "echo", "--ca", "/nowhere"], b"--ca /nowhere: No such file or directory"),
        (["tcp://127.0.0.1"], b"required: OP"),
    ],
)
def test_usage(gotalk, arguments, says):
    """Nothing is sent, and the sentence says what is wrong."""
    code, out, err = gotalk("request", *arguments)
    assert (code, out) == (2, b"")
    assert says in err


def test_certificates(gotalk, certificate, server_context):
    """They are checked against the system's, a given file's, or on demand not at all."""
    with listening("tls://127.0.0.1:0", server_context) as url:
        assert gotalk("request", url, "echo", "--ca", str(certificate[0])) == (0, b"null\n", b"")
        assert gotalk("request", url, "echo", "--insecure") == (0, b"null\n", b"")
        code, _, err = gotalk("request", url, "echo")
        assert code == 3
        assert b"its certificate is not trusted (self-signed certificate)" in err


# --- request --stream --------------------------------------------------------------------------------------


def test_stream(gotalk, url, standard_input):
    """Each line of standard input is a part, and each part of the result a line; empty lines are none."""
    standard_input(b'"a"\n\n"b"\n"c"')
    assert gotalk("request", url, "upper", "-", "--stream") == (0, b'"A"\n"B"\n"C"\n', b"")


def test_stream_of_bytes(gotalk, url, standard_input):
    """They are parts as they are read."""
    standard_input(b"a\nb")
    assert gotalk("request", url, "double", "-", "--stream", "--raw") == (0, b"a\nba\nb", b"")


def test_single_request_for_a_stream(gotalk, url):
    """What is given on the command line is the only part."""
    assert gotalk("request", url, "upper", '"a"', "--stream") == (0, b'"A"\n', b"")


def test_stream_that_is_answered_early(gotalk, url, monkeypatch):
    """Standard input that never ends is not waited for."""
    reading, writing = os.pipe()
    with open(reading, "rb") as stdin, open(writing, "wb", buffering=0) as ours:
        monkeypatch.setattr(sys, "stdin", stdin)
        ours.write(b"1\n")
        assert gotalk("request", url, "first", "-", "--stream") == (0, b"1\n", b"")


def test_line_of_a_stream_that_is_not_json(gotalk, url, standard_input):
    """It ends the stream."""
    standard_input(b'"a"\nb\n')
    code, _, err = gotalk("request", url, "upper", "-", "--stream")
    assert code == 2
    assert err.startswith(b"Not valid JSON: b ")


def test_stream_that_is_refused(gotalk, url, standard_input):
    """The server's words, once."""
    standard_input(b"1\n2\n")
    assert gotalk("request", url, "echo", "-", "--stream") == (1, b"", b"not a stream operation\n")


# --- notify and listen -------------------------------------------------------------------------------------


def test_notify(gotalk, url):
    """It has been read when the command ends."""
    assert gotalk("notify", url, "typing", '{"room": "animals"}') == (0, b"", b"")
    assert heard.get_nowait() == ("typing", b'{"room":"animals"}')
    assert gotalk("notify", url, "bytes", "--raw", "é") == (0, b"", b"")
    assert heard.get_nowait() == ("bytes", "é".encode())


def test_notify_of_a_name_that_is_none(gotalk, url):
    """The wire has no place for it."""
    assert gotalk("notify", url, "") == (2, b"", b"a name has 1 to 255 bytes, not 0\n")


def test_listen(gotalk, url):
    """A line for each notification; what is not valid JSON stands as base64."""
    assert gotalk("listen", url, "--count", "3") == (
        0,
        '{"name":"greeting","params":{"text":"hello 🎉"}}\n'
        '{"name":"bytes","base64":"/wo="}\n'
        '{"name":"greeting","params":"again"}\n'.encode(),
        b"",
    )


def test_listen_for_names(gotalk, url):
    """Others are not printed and do not count."""
    assert gotalk("listen", url, "bytes", "nothing", "--count", "1") == (
        0,
        b'{"name":"bytes","base64":"/wo="}\n',
        b"",
    )


def test_listen_until_the_connection_ends():
    """What it printed stays, the reason is an error."""
    with listening("tcp://127.0.0.1:0") as url:
        listener = process("listen", url, "bytes")
        assert listener.stdout.readline() == b'{"name":"bytes","base64":"/wo="}\n'
    assert finished(listener) == (3, b"", b"connection closed (4503) restarting\n")


def test_interrupted_listener(url):
    """Lines are there at once; the signal ends it with 130 and no traceback."""
    listener = process("listen", url, "bytes")
    assert listener.stdout.readline() == b'{"name":"bytes","base64":"/wo="}\n'
    listener.send_signal(signal.SIGINT)
    assert finished(listener) == (130, b"", b"")


def test_listener_that_nobody_reads(url):
    """It ends when the pipe is closed, though nothing more comes to be written."""
    listener = process("listen", url)
    listener.stdout.readline()
    listener.stdout.close()
    listener.stdout = None
    assert finished(listener) == (0, None, b"")


# --- bench and types ---------------------------------------------------------------------------------------


def test_bench(gotalk, url):
    """Requests a second, and times."""
    code, out, err = gotalk("bench", url, "--seconds", "0.05", "--clients", "2", "--pipeline", "3")
    assert (code, err) == (0, b"")
    assert re.fullmatch(
        rb"\d+ requests/s: \d+ in 0\.\d\d s, clients 2, in flight each 3\n"
        rb"p50 [\d.]+ ms  p90 [\d.]+ ms  p99 [\d.]+ ms  max [\d.]+ ms\n"
        rb"errors 0\n",
        out,
    )


def test_bench_of_what_fails(gotalk, url):
    """Errors are counted by code, and are an error; as JSON too."""
    code, out, err = gotalk("bench", url, "refuse", "--seconds", "0.01", "--json")
    figures = json.loads(out)
    count = figures["errors"]["no_such_room"]
    assert code == 1
    assert (figures["requests"], figures["p50_ms"], figures["errors"]) == (0, None, {"no_such_room": count})
    assert json.loads(err)["error"] == f"Not every request was answered with a result: no_such_room {count}"


def test_types(gotalk, url, tmp_path):
    """The server is asked; they go to standard output or a file."""
    code, written, err = gotalk("types", url)
    assert (code, err) == (0, b"")
    assert b"\n  never: { params: null; result: null };\n" in written
    assert gotalk("types", url, "--output", str(tmp_path / "server.d.ts")) == (0, b"", b"")
    assert (tmp_path / "server.d.ts").read_bytes() == written


# --- tap ---------------------------------------------------------------------------------------------------


@contextmanager
def tapping(url, *options):
    """A tap in front of a URL, and where it listens."""
    tap = process("tap", "tcp://127.0.0.1:0", url, *options)
    with tap:
        found = re.fullmatch(rb"Tapping \S+ at (\S+)\n", tap.stderr.readline())
        yield tap, found[1].decode()
        tap.kill()


def lines_until(tap, last):
    """What is printed, up to the line that ends with `last`."""
    lines = []
    while not lines or last not in lines[-1]:
        lines.append(tap.stdout.readline())
    return b"".join(lines).decode()


def test_tap(gotalk, url):
    """Each message is a line, and nobody notices."""
    with tapping(url, "--max-payload", "20") as (tap, between):
        assert gotalk("request", between, "echo", '{"text": "A longer one"}') == (
            0,
            b'{"text":"A longer one"}\n',
            b"",
        )
        seen = lines_until(tap, "← result".encode())
        tap.send_signal(signal.SIGINT)
        assert finished(tap)[::2] == (130, b"")
    for line in (
        "→ version 01",
        '→ request 0001 echo 23 {"text":"A longer on…',
        "← version 01",
        "← notification bytes 2 ff0a",
        '← result 0001 23 {"text":"A longer on…',
    ):
        assert re.search(rf"^\d\d:\d\d:\d\d\.\d{{3}} #1 {re.escape(line)}$", seen, re.MULTILINE), seen


def test_tap_as_json(gotalk, url):
    """Each line is an object; its time has milliseconds, also those that are none, and sorts as text."""
    with tapping(url, "--json") as (tap, between):
        assert gotalk("request", between, "echo", "1")[0] == 0
        seen = [json.loads(line) for line in lines_until(tap, b'"result"').splitlines()]
    times = [each.pop("time") for each in seen]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", each) for each in times)
    assert [each for each in seen if each["type"] in ("request", "result")] == [
        {
            "connection": 1,
            "from": "client",
            "type": "request",
            "id": "0001",
            "name": "echo",
            "size": 1,
            "payload": "1",
        },
        {
            "connection": 1,
            "from": "server",
            "type": "result",
            "id": "0001",
            "size": 1,
            "payload": "1",
        },
    ]


def test_tap_of_a_websocket(gotalk):
    """It is refused with a sentence."""
    assert gotalk("tap", "tcp://127.0.0.1:0", "ws://127.0.0.1:8000/gotalk/") == (
        2,
        b"",
        b"a tap reads byte streams (tcp, tls, unix), not ws://\n",
    )
