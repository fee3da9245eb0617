"""`gotalk listen`: print the notifications of a server."""

import argparse
import asyncio
import base64
from collections.abc import Collection

import msgspec

from rpc import Handlers
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, count, url
from rpc.cli.output import Output, formatted
from rpc.protocol.payloads import to_json


class Notified(msgspec.Struct, omit_defaults=True):
    """A line of output; bytes that are not valid JSON are in `base64`."""

    name: str
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    base64: str | None = None


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "listen",
        'Prints each notification as a line of JSON: {"name": …, "params": …}.\n'
        "It goes on until it is interrupted or the connection ends. Bytes that are not valid JSON are base64.",
        "%(prog)s tcp://127.0.0.1:8001 newmsg changed",
        run,
    )
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls, unix, ws or wss")
    parser.add_argument("names", nargs="*", metavar="NAME", help="print only notifications with these names")
    parser.add_argument("--count", type=count, metavar="N", help="stop after N notifications")
    parser.add_argument("--reconnect", action="store_true", help="connect again whenever the connection is lost")
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, ConnectionClosed: there is no connection, or it ended.
    """
    printer = _Printer(output, arguments.names, arguments.count)
    handlers = Handlers()
    handlers.notification("", inline=True)(printer.notified)
    with output.watched():
        async with connected(arguments, handlers, reconnect=arguments.reconnect) as client:
            closed = asyncio.create_task(client.wait_closed())
            enough = asyncio.create_task(printer.enough.wait())
            unread = asyncio.create_task(output.gone.wait())
            try:
                await asyncio.wait([closed, enough, unread], return_when=asyncio.FIRST_COMPLETED)
                if not enough.done() and not unread.done():
                    raise closed.result()
            finally:
                for task in (closed, enough, unread):
                    task.cancel()


class _Printer:
    def __init__(self, output: Output, names: Collection[str], count: int | None) -> None:
        self.enough = asyncio.Event()
        self._output = output
        self._names = frozenset(names)
        self._missing = count

    def notified(self, name: str, payload: bytes) -> None:
        if self.enough.is_set() or (self._names and name not in self._names):
            return
        json = formatted(payload)
        if json is None:
            line = Notified(name, base64=base64.b64encode(payload).decode())
        else:
            line = Notified(name, msgspec.Raw(json))
        self._output.line(to_json(line))
        if self._missing is not None:
            self._missing -= 1
            if not self._missing:
                self.enough.set()
