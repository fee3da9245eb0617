"""The first rooms of a new site."""

from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand
from django.db import transaction

from chat.models import Room, SiteSettings, User
from chat.services.posts import NewPost, store_posts
from chat.services.rooms import create_room

BOT = "hubtalk"
FIRST_MESSAGES = {
    "animals": "Cats, dogs, the odd axolotl: who keeps you company?",
    "jokes": "I would tell you a UDP joke, but you might not get it.",
    "golang": "What did you build with goroutines this week?",
}


class Command(BaseCommand):
    help = "On an empty site: creates the rooms animals, jokes, golang and lobby, and allows guests."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            if SiteSettings.objects.exists() or Room.objects.exists():
                return
            SiteSettings.objects.create(pk=1, guests_allowed=True, sign_up=SiteSettings.SignUp.OPEN)
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
