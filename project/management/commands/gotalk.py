"""gotalk from the command line: serve, ask, tell, listen, measure, look on."""

import sys
from argparse import ArgumentParser, Namespace
from typing import Any

from django.core.management.base import BaseCommand

from project.cli import serve
from rpc.cli.main import add_subcommands, main


class Command(BaseCommand):
    help = "Speaks gotalk: serves it, or connects to a gotalk server. `gotalk SUBCOMMAND --help` says more."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_subcommands(parser, serve)

    def handle(self, *args: Any, **options: Any) -> None:
        exit_code = main(Namespace(**options))
        if exit_code:
            sys.exit(exit_code)
