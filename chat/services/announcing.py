"""After commit, and only then, the others hear of it: through a publisher that is given to this floor."""

from collections.abc import Callable
from functools import partial

from django.db import transaction

from chat.services.events import AnyEvent

Publish = Callable[[AnyEvent], bool]
"""Hands an event to every serving process, from any thread; returns False when none can have heard it."""


def _publish_nowhere(event: AnyEvent) -> bool:
    return False


_publish: Publish = _publish_nowhere


def publish_through(publish: Publish) -> None:
    """From now on events go through `publish`; `chat.apps` gives it the hub."""
    global _publish
    _publish = publish


def announce(event: AnyEvent) -> bool:
    """Announce at once; returns False when no process can have heard it."""
    return _publish(event)


def announce_after_commit(*events: AnyEvent) -> None:
    for event in events:
        transaction.on_commit(partial(announce, event))
