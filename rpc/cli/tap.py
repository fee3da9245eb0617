"""`gotalk tap`: look on while a client and a server talk."""

import argparse
import codecs
import sys
import time
from datetime import UTC, datetime

import msgspec

from rpc.cli.failures import NOT_CONNECTED, Failure, printable, usage
from rpc.cli.options import Subparsers, add_json_option, add_parser, count, reason, ssl_context, url
from rpc.cli.output import Output, formatted
from rpc.cli.relay import Seen, Sender, tap
from rpc.protocol.payloads import to_json

FAULTS = ("abnormal", "unsupported version", "invalid message", "timeout")
ARROWS: dict[Sender, str] = {"client": "→", "server": "←"}


class Line(msgspec.Struct, omit_defaults=True):
    """What --json prints; `payload` is shown as it would be else."""

    time: datetime
    connection: int
    sender: Sender = msgspec.field(name="from")
    type: str
    id: str | None = None
    name: str | None = None
    size: int | None = None
    payload: str | None = None
    retry_after_ms: int | None = None
    load: int | None = None
    sent_at: int | None = None
    code: int | None = None
    reason: str | None = None


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "tap",
        "Listens on LISTEN_URL, connects each client on to URL, and prints what they say, a line each:\n"
        "time, connection, → from the client or ← from the server, type, id, name, size, payload.\n"
        "Bytes pass unchanged, also those that are no gotalk. WebSockets cannot be tapped.",
        "manage.py gotalk tap tcp://127.0.0.1:9001 tcp://127.0.0.1:8001",
        run,
    )
    parser.add_argument("listen_url", type=url, metavar="LISTEN_URL", help="tcp (port 0: a free one) or unix")
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls or unix")
    parser.add_argument(
        "--max-payload", type=count, default=200, metavar="CHARS", help="cut payloads after so many (200)"
    )
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust, for tls (the system's)")
    parser.add_argument("--insecure", action="store_true", help="check no certificate, for tls")
    add_json_option(parser, "print JSON objects; errors too")


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure: it cannot listen there.
    """

    def seen(connection: int, sender: Sender, what: Seen) -> None:
        line = _line(connection, sender, what, arguments.max_payload)
        output.line(to_json(line) if arguments.json else _text(line).encode())

    listen_url = arguments.listen_url.url
    try:
        made = await tap(arguments.listen_url, arguments.url, seen, ssl=ssl_context(arguments))
    except ValueError as error:
        raise usage(str(error)) from None
    except OSError as error:
        raise Failure(f"Cannot listen on {listen_url}: {reason(error)}", "cannot_listen", NOT_CONNECTED) from None
    with output.watched():
        async with made:
            # Not among the messages: whoever reads those wants nothing else.
            print(f"Tapping {arguments.url.url} at {made.url}", file=sys.stderr, flush=True)
            await output.gone.wait()


def _line(connection: int, sender: Sender, what: Seen, max_chars: int) -> Line:
    return Line(
        time=datetime.fromtimestamp(round(time.time(), 3), UTC),
        connection=connection,
        sender=sender,
        type=what.type,
        id=None if what.id is None else _shown_id(what.id),
        name=what.name,
        size=what.size,
        payload=_shown(what, max_chars) if what.payload else None,
        retry_after_ms=what.retry_after_ms,
        load=what.load,
        sent_at=what.sent_at,
        code=what.code,
        reason=what.reason,
    )


def _text(line: Line) -> str:
    words = [
        line.time.astimezone().strftime("%H:%M:%S.%f")[:-3],
        f"#{line.connection}",
        ARROWS[line.sender],
        line.type,
    ]
    for value in (line.id, line.name, line.size):
        if value is not None:
            words.append(printable(str(value)))
    if line.retry_after_ms is not None:
        words.append(f"after {line.retry_after_ms} ms")
    if line.load is not None:
        words.append(f"load {line.load} sent {line.sent_at}")
    if line.code is not None:
        words.append(f"{line.code} {FAULTS[line.code] if line.code < len(FAULTS) else ''}".rstrip())
    if line.reason is not None:
        words.append(f"({printable(line.reason)})")
    if line.payload is not None:
        words.append(line.payload)
    return " ".join(words)


def _shown_id(id: bytes) -> str:
    """Ids are opaque: text as most choose it, else hex."""
    return id.decode() if id.isascii() and id.isalnum() else id.hex()


def _shown(what: Seen, max_chars: int) -> str:
    """A payload as JSON on one line, as text, else as hex; the sign … stands for the rest."""
    payload = what.payload
    whole = len(payload) == what.size
    json = formatted(payload) if whole else None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(payload if json is None else json, final=whole)
        shown = printable(text)
    except UnicodeDecodeError:
        shown = payload.hex()
    return shown if whole and len(shown) <= max_chars else shown[:max_chars] + "…"
