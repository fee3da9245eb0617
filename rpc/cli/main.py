"""Which subcommands there are, and how each of them ends."""

import argparse
import asyncio
import logging
from collections.abc import Sequence
from types import ModuleType

from rpc import RpcError
from rpc.cli import bench, listen, notify, request, tap, types
from rpc.cli.failures import DONE, EXIT_CODES, INTERRUPTED, Failure, failure_of
from rpc.cli.options import Parser
from rpc.cli.output import Output

SUBCOMMANDS = (request, notify, listen, bench, tap, types)
ALONE = ("request", "notify", "listen", "bench", "tap")
"""Those that need nothing of the site."""


def add_subcommands(parser: argparse.ArgumentParser, *more: ModuleType) -> None:
    parser.epilog = EXIT_CODES
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True, parser_class=Parser)
    for each in (*more, *SUBCOMMANDS):
        each.add(subparsers)


def run_alone(arguments: Sequence[str]) -> int | None:
    """
    Run a subcommand that needs nothing of the site without loading it, which takes much longer than an answer.

    Returns:
        The exit code; None if the site is needed.
    """
    if not arguments or arguments[0] not in ALONE:
        return None
    parser = argparse.ArgumentParser(prog="manage.py gotalk")
    parser.set_defaults(verbosity=1)
    add_subcommands(parser)
    return main(parser.parse_args(arguments))


def main(arguments: argparse.Namespace) -> int:
    """Run the chosen subcommand; returns the exit code."""
    if arguments.subcommand != "serve":
        # Who calls another end wants its answer, not how the connection fared.
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger().setLevel(logging.INFO if arguments.verbosity >= 2 else logging.WARNING)
    try:
        return asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


async def _run(arguments: argparse.Namespace) -> int:
    output = Output()
    try:
        try:
            await arguments.run(arguments, output)
            output.check()
        except RpcError as error:
            raise failure_of(error) from error
    except Failure as failure:
        failure.report(as_json=arguments.json)
        return failure.exit_code
    return DONE
