"""A post through any door: the same rights, limits, order and storage for all of them."""

import time
from uuid import UUID, uuid4

from django.conf import settings

from chat.actions import access
from chat.models import Room
from chat.queries import tokens
from chat.realtime.clients import Client
from chat.services.events import Message
from chat.services.posts import NewPost


async def post(
    client: Client, room_name: str, body: str, *, client_id: UUID | None = None, reply_to: int | None = None
) -> Message:
    """
    Store a message of this socket's person; returns it when it is durable.

    The same `client_id` of the same person again returns the first message.

    Raises:
        OperationError: `no_such_room`, `no_such_message` (of `reply_to`), `not_allowed`, and as
            `access.check_body` and `access.check_post`.
        RetryLater: `too_fast`, `slow_mode`, `busy`.
    """
    client.require(tokens.POST)
    runtime, person = client.runtime, client.person
    room = access.find_room(runtime.directory, person, room_name)
    body = access.check_body(body)
    access.check_post(person, room)
    now = time.monotonic()
    if settings.RATE_LIMITS:
        access.check_allowance(person, now)
    access.check_pace(person, room, now)
    author_id = await runtime.account(client)
    who = client.person.identity
    stored = await runtime.post(
        NewPost(
            room_id=room.id,
            room=room.name,
            author_id=author_id,
            author=who.name,
            is_guest=who.is_guest,
            is_bot=who.is_bot,
            body=body,
            client_id=client_id or uuid4(),
            via=client.link.door,
            reply_to=reply_to,
            is_direct=room.kind == Room.Kind.DIRECT,
        )
    )
    return stored.message
