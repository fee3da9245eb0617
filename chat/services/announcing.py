"""After commit, and only then, the others hear of it."""

from functools import partial

from django.db import transaction

from chat.events import AnyEvent
from chat.hub import announce


def announce_after_commit(*events: AnyEvent) -> None:
    for event in events:
        transaction.on_commit(partial(announce, event))
