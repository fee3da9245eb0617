"""`gotalk types`: what a server can be asked for, as TypeScript."""

import argparse
from pathlib import Path

from rpc.cli.failures import ANSWERED_WITH_ERROR, Failure
from rpc.cli.options import Subparsers, add_connection_options, add_parser, connected, url
from rpc.cli.output import Output
from rpc.schema.operations import Description
from rpc.schema.typescript import declarations


def add(subparsers: Subparsers) -> None:
    parser = add_parser(
        subparsers,
        "types",
        "Writes TypeScript declarations of the operations of a server.\n"
        "The server must describe itself, as those of this package do.",
        "%(prog)s tcp://127.0.0.1:8001 --output hubtalk.d.ts",
        run,
    )
    parser.add_argument("url", type=url, metavar="URL", help="tcp, tls, unix, ws or wss")
    add_output_option(parser)
    add_connection_options(parser)


def add_output_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="write to a file (standard output)")


async def run(arguments: argparse.Namespace, output: Output) -> None:
    """
    Raises:
        Failure, RpcError: the server did not describe itself, or the file cannot be written.
    """
    async with connected(arguments) as client:
        description: Description = await client.request("$ops", None, Description, timeout=arguments.timeout)
    write(description, arguments, output)


def write(description: Description, arguments: argparse.Namespace, output: Output) -> None:
    """
    Write the declarations to where the option of `add_output_option` says.

    Raises:
        Failure: the file cannot be written.
    """
    text = declarations(description)
    path: Path | None = arguments.output
    if path is None:
        output.write(text.encode())
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"Cannot write {path}: {error.strerror}", "output", ANSWERED_WITH_ERROR) from None
