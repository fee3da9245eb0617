"""Which subcommands there are, and how each of them ends."""

import argparse
import asyncio

from project.cli import bench, listen, notify, request, serve, tap, types
from project.cli.failures import DONE, EXIT_CODES, INTERRUPTED, Failure, failure_of
from project.cli.output import Output
from rpc import RpcError

SUBCOMMANDS = (serve, request, notify, listen, bench, tap, types)


def add_subcommands(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXIT_CODES
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)
    for each in SUBCOMMANDS:
        each.add(subparsers)


def main(arguments: argparse.Namespace) -> int:
    """Run the chosen subcommand; returns the exit code."""
    try:
        return asyncio.run(run(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


async def run(arguments: argparse.Namespace) -> int:
    """The same within a running loop."""
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
