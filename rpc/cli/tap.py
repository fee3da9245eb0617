"""`gotalk tap`: print the messages between a client and a server."""

import argparse
import codecs
import sys
from datetime import UTC, datetime

import msgspec

from rpc.cli.failures import NOT_CONNECTED, Failure, printable, usage
from rpc.cli.options import Subparsers, add_json_option, add_parser, count, reason, ssl_context, url
from rpc.cli.output import Output, formatted
from rpc.cli.relay import Relay
from rpc.cli.traffic import Seen, Sender
from rpc.protocol.payloads import to_json

FAULTS = ("abnormal", "unsupported version", "invalid message", "timeout")
ARROWS: dict[Sender, str] = {"client": "→", "server": "←"}


class Entry(msgspec.Struct, omit_defaults=True):
    """What --json prints; `payload` is the same text as without it."""

    time: str
    """ISO 8601 with milliseconds, in UTC; sorted as text it is sorted in time."""
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
        "Listens on LISTEN_URL, connects each client on to URL, and prints their messages, a line each:\n"
        "time, connection, → from the client or ← from the server, type, id, name, size, payload.\n"
        "Bytes pass unchanged, even if they are not gotalk. WebSockets cannot be tapped.",
        "%(prog)s tcp://127.0.0.1:9001 tcp://127.0.0.1:8001",
        run,
    )
    parser.add_argument("listen_url", type=url, metavar="LISTEN_URL", help="tcp (port 0: a free one) or unix")
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls or unix")
    parser.add_argument(
        "--max-payload", type=count, default=200, metavar="CHARS", help="shorten payloads to this length (200)"
    )
    parser.add_argument("--ca", metavar="FILE", help="certificates to trust, for tls (the system's)")
    parser.add_argument("--insecure", action="store_true", help="do not check the certificate, for tls")
    add_json_option(parser, "print JSON objects, also for errors")


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure: it cannot listen there.
    """

    def seen(connection: int, sender: Sender, what: Seen) -> None:
        entry = _entry(connection, sender, what, arguments.max_payload)
        output.line(to_json(entry) if arguments.json else _text(entry).encode())

    listen_url = arguments.listen_url.url
    try:
        relay = await Relay.listen(arguments.listen_url, arguments.url, seen, ssl=ssl_context(arguments))
    except ValueError as error:
        raise usage(str(error)) from None
    except OSError as error:
        raise Failure(f"Cannot listen on {listen_url}: {reason(error)}", "cannot_listen", NOT_CONNECTED) from None
    with output.watched():
        async with relay:
            # Not among the messages: a program that reads those wants nothing else.
            print(f"Tapping {arguments.url.url} at {relay.url}", file=sys.stderr, flush=True)
            await output.gone.wait()


def _entry(connection: int, sender: Sender, what: Seen, max_chars: int) -> Entry:
    return Entry(
        time=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
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


def _text(entry: Entry) -> str:
    words = [
        datetime.fromisoformat(entry.time).astimezone().strftime("%H:%M:%S.%f")[:-3],
        f"#{entry.connection}",
        ARROWS[entry.sender],
        entry.type,
    ]
    for value in (entry.id, entry.name, entry.size):
        if value is not None:
            words.append(printable(str(value)))
    if entry.retry_after_ms is not None:
        words.append(f"after {entry.retry_after_ms} ms")
    if entry.load is not None:
        words.append(f"load {entry.load} sent {entry.sent_at}")
    if entry.code is not None:
        words.append(f"{entry.code} {FAULTS[entry.code] if entry.code < len(FAULTS) else ''}".rstrip())
    if entry.reason is not None:
        words.append(f"({printable(entry.reason)})")
    if entry.payload is not None:
        words.append(entry.payload)
    return " ".join(words)


def _shown_id(id: bytes) -> str:
    """Ids are opaque: text where it is plain, as most are, otherwise hex."""
    return id.decode() if id.isascii() and id.isalnum() else id.hex()


def _shown(what: Seen, max_chars: int) -> str:
    """A payload as JSON on one line, as text, or as hex; … stands for the rest."""
    payload = what.payload
    whole = len(payload) == what.size
    json = formatted(payload) if whole else None
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(payload if json is None else json, final=whole)
        shown = printable(text)
    except UnicodeDecodeError:
        shown = payload.hex()
    return shown if whole and len(shown) <= max_chars else shown[:max_chars] + "…"
