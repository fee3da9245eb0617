"""gotalk from the command line."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from project.cli import serve, types
from rpc.cli.main import SUBCOMMANDS, add_subcommands, log_little, main


class Command(BaseCommand):
    help = "Speaks gotalk: serves it, or connects to a gotalk server. `gotalk SUBCOMMAND --help` says more."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_subcommands(parser, {"serve": serve, **SUBCOMMANDS, "types": types})

    def handle(self, *args: Any, **options: Any) -> None:
        arguments = Namespace(**options)
        if arguments.subcommand != "serve":
            log_little(arguments.verbosity)
        exit_code = main(arguments)
        if exit_code:
            sys.exit(exit_code)
