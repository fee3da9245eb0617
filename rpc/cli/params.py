"""What a subcommand sends: its JSON argument, or standard input, or bytes as they are."""

import argparse
import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from rpc.cli.failures import usage
from rpc.cli.output import formatted

STANDARD_INPUT = "-"
CHUNK_BYTES = 64 * 1024


def add_params(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("params", nargs="?", metavar="JSON", help="what to send; - reads it from standard input")
    parser.add_argument("--raw", action="store_true", help="send and print raw bytes instead of JSON")


async def payload_of(arguments: argparse.Namespace) -> bytes:
    """
    The payload that the arguments give, or standard input.

    Raises:
        Failure: it is not valid JSON.
    """
    text: str | None = arguments.params
    if text == STANDARD_INPUT:
        payload = b"".join([part async for part in parts_of(raw=True)])
    else:
        payload = b"" if text is None else os.fsencode(text)
    return payload if arguments.raw else checked(payload)


async def parts_of(*, raw: bool) -> AsyncIterator[bytes]:
    """
    Standard input in parts: a line of JSON each, or if `raw` what comes at a time.

    Raises:
        Failure: a line is not valid JSON.
    """
    rest = b""
    while data := await _read_some():
        if raw:
            yield data
            continue
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line.strip():
                yield checked(line)
    if rest.strip():
        yield checked(rest)


def checked(payload: bytes) -> bytes:
    """
    JSON on one line; an empty payload is null.

    Raises:
        Failure: it is not valid JSON.
    """
    json = formatted(payload)
    if json is None:
        shown = payload[:60].decode(errors="replace")
        raise usage(f"Not valid JSON: {shown} (a text needs quotes of its own: '\"hello\"'; or use --raw)")
    return json


async def _read_some() -> bytes:
    """
    What there is to read of standard input, empty at its end.

    Raises:
        Failure: it cannot be read.

    A file cannot be awaited, so a thread reads. The thread is a daemon and bypasses Python's own buffer, whose
    lock it would hold at the end of the process: a terminal may never send anything more.
    """
    if sys.stdin is None:
        raise usage("Cannot read standard input: it is closed")
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bytes] = loop.create_future()
    descriptor = sys.stdin.fileno()

    def take(outcome: bytes | OSError) -> None:
        if future.done():
            return
        if isinstance(outcome, OSError):
            future.set_exception(usage(f"Cannot read standard input: {outcome.strerror}"))
        else:
            future.set_result(outcome)

    def read() -> None:
        outcome: bytes | OSError
        try:
            outcome = os.read(descriptor, CHUNK_BYTES)
        except OSError as error:
            outcome = error
        with suppress(RuntimeError):  # The loop has ended meanwhile.
            loop.call_soon_threadsafe(take, outcome)

    threading.Thread(target=read, daemon=True).start()
    return await future
