"""`gotalk types`, which knows the operations of this site without asking a server."""

import argparse

from rpc import default_handlers, describe
from rpc.cli import types
from rpc.cli.options import Subparsers, add_connection_options, add_parser, url
from rpc.cli.output import Output


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "types",
        "Writes TypeScript declarations of this site's operations, or of those of the server at URL.\n"
        "The server must describe itself, as this site's does.",
        "%(prog)s --output hubtalk.d.ts",
        run,
    )
    parser.add_argument(
        "url", type=url, nargs="?", metavar="URL", help="tcp, tls, unix, ws or wss (this site, without asking it)"
    )
    types.add_output_option(parser)
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, RpcError: the server did not describe itself, or the file cannot be written.
    """
    if arguments.url is not None:
        await types.run(arguments, output)
    else:
        types.write(describe(default_handlers), arguments, output)
