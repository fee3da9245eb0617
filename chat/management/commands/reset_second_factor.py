"""The way back in for a superuser who lost their app and their recovery codes: whoever has the machine may."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.models import User
from chat.services.entry.second_factors import reset


class Command(BaseCommand):
    help = "Takes a person's second factor away: they log in by their password alone, and may set up another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="what the person logs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError("nobody logs in with this name")
        if not reset(user, by=None):
            raise CommandError("this person has no second factor")
        self.stdout.write(f"{user.username} logs in by their password alone now")
