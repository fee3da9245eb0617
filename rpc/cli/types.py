"""`gotalk types`: what an end can be asked for, as TypeScript."""

import argparse
from pathlib import Path

from rpc.cli.failures import ANSWERED_WITH_ERROR, Failure
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, url
from rpc.cli.output import Output
from rpc.peer.handlers import default_handlers
from rpc.schema.operations import Description, describe
from rpc.schema.typescript import declarations


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "types",
        "Writes TypeScript declarations of this site's operations, or of what runs at URL.\n"
        "The other end must be one that describes itself, as this one does.",
        "manage.py gotalk types --output hubtalk.d.ts",
        run,
    )
    parser.add_argument(
        "url", type=url, nargs="?", metavar="URL", help="tcp, tls, unix, ws or wss (this site, without asking it)"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file (standard output)")
    add_connection_options(parser)


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, RpcError: the other end did not say, or the file cannot be written.
    """
    text = declarations(await _description(arguments))
    path: Path | None = arguments.output
    if path is None:
        output.write(text.encode())
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"Cannot write {path}: {error.strerror}", "output", ANSWERED_WITH_ERROR) from None


async def _description(arguments: argparse.Namespace) -> Description:
    if arguments.url is None:
        return describe(default_handlers)
    async with connected(arguments) as client:
        description: Description = await client.request("$ops", None, Description, timeout=arguments.timeout)
    return description
