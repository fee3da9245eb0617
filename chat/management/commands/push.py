"""Pushes to one person from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.services.push import FIRST_FREE, payload_of, push
from rpc import OperationError


class Command(BaseCommand):
    help = "Sends JSON with an opcode to all open sockets of a person, and prints how many there are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="name of the person")
        parser.add_argument("opcode", type=int, help=f"{FIRST_FREE} or more")
        parser.add_argument("json", help="the payload; a JSON string is sent without its quotes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = push(options["user"], options["opcode"], payload_of(options["json"]))
        except OperationError as error:
            raise CommandError(error.text) from None
        self.stdout.write(f"sent to {count}")
