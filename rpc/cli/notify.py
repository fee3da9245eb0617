"""`gotalk notify`: send a notification, and wait until it has arrived."""

import argparse
from contextlib import suppress

from rpc import MessageTooBig, RequestFailed, RetryLater
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, url
from rpc.cli.output import Output
from rpc.cli.params import add_params, payload_of


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "notify",
        "Sends a notification.\nIt is done when the server has read it; what the server does with it is unknown.",
        '%(prog)s tcp://127.0.0.1:8001 typing \'{"room": "animals"}\'',
        run,
    )
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls, unix, ws or wss")
    parser.add_argument("name", metavar="NAME", help="name of the notification")
    add_params(parser)
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, RpcError: the notification did not arrive.
    """
    payload = await payload_of(arguments)
    async with connected(arguments) as client:
        client.notify(arguments.name, payload)
        # Messages are read in order: whatever the answer to this is, the notification before it was read.
        with suppress(RequestFailed, RetryLater, MessageTooBig):
            await client.request("$ops", None, bytes, timeout=arguments.timeout, retries=0)
