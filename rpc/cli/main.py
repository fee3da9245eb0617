"""The subcommands of `gotalk`, and how each of them ends."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from rpc import RpcError
from rpc.cli import bench, listen, notify, request, tap, types
from rpc.cli.failures import DONE, EXIT_CODES, INTERRUPTED, Failure, failure_of
from rpc.cli.options import Parser
from rpc.cli.output import Output
from rpc.log_lines import LineFormatter

SUBCOMMANDS: dict[str, ModuleType] = {
    "request": request,
    "notify": notify,
    "listen": listen,
    "bench": bench,
    "tap": tap,
    "types": types,
}
"""Each module adds its own parser, by `add`."""


def script() -> None:
    """The console script `gotalk`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], prog: str = "gotalk") -> int:
    """Run the subcommand that the arguments name, for the command `prog`; returns the exit code."""
    parser = argparse.ArgumentParser(prog=prog, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(verbosity=1)
    add_subcommands(parser, SUBCOMMANDS)
    parsed = parser.parse_args(arguments)
    log_little(parsed.verbosity)
    return main(parsed)


def add_subcommands(parser: argparse.ArgumentParser, subcommands: Mapping[str, ModuleType]) -> None:
    parser.epilog = EXIT_CODES
    subparsers = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True, parser_class=Parser)
    for module in subcommands.values():
        module.add(subparsers)


def log_little(verbosity: int) -> None:
    """Log warnings, and connections from a verbosity of 2 on: users want the answer, not how it came about."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter())
    logging.basicConfig(handlers=[handler])
    logging.getLogger().setLevel(logging.INFO if verbosity >= 2 else logging.WARNING)


def main(arguments: argparse.Namespace) -> int:
    """Run the subcommand of parsed arguments; returns the exit code."""
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
