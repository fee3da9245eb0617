"""The first rooms of a new site."""

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand
from django.db import transaction

from chat.models import Room, SiteSettings, User
from chat.services.entry.setup import BY_INVITATION, FOR_EVERYONE
from chat.services.posts import NewPost, store_posts
from chat.services.rooms import create_room

BOT = "hubtalk"
FIRST_MESSAGES = {
    "animals": "Cats, dogs, the odd axolotl: who keeps you company?",
    "jokes": "I would tell you a UDP joke, but you might not get it.",
    "golang": "What did you build with goroutines this week?",
}


class Command(BaseCommand):
    help = "On an empty site: creates the rooms animals, jokes, golang and lobby. People come by invitation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--open", action="store_true", help="let guests in, and let everyone sign up")

    def handle(self, *args: Any, open: bool, **options: Any) -> None:
        with transaction.atomic():
            if SiteSettings.objects.exists() or Room.objects.exists():
                return
            SiteSettings.objects.create(pk=1, **(FOR_EVERYONE if open else BY_INVITATION))
            bot = User(username=BOT, name="Hubtalk", is_bot=True)
            bot.set_unusable_password()
            bot.save()
            posts = []
            for name, text in FIRST_MESSAGES.items():
                room = create_room(name, by=None)
                posts.append(NewPost(room.pk, room.name, bot.pk, bot.name, False, True, text, uuid4(), "seed"))
            store_posts(posts)
            # For the text door: it is only in the lists of people who have entered it.
            create_room("lobby", by=None, auto_join=False)
