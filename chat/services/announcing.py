"""After commit, and only then, the others hear of it."""

from functools import partial

from django.db import transaction

from chat.realtime.hub import announce
from chat.services.events import AnyEvent


def announce_after_commit(*events: AnyEvent) -> None:
    for event in events:
        transaction.on_commit(partial(announce, event))
