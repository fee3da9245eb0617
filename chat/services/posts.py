"""How posts become rows: many in one transaction, repeats found, versions counted."""

from typing import Any
from uuid import UUID

import msgspec
from django.db import connection
from django.utils import timezone

from chat.models import Message
from chat.queries.history import sent_message
from chat.queries.structs import Message as SentMessage
from chat.queries.structs import instant
from chat.services.memberships import bring_back
from chat.services.rooms import take_versions
from rpc import OperationError

MAX_BODY_CHARS = 16_000
MAX_BODY_BYTES = 3 * MAX_BODY_CHARS
"""As UTF-8: a text of that many Chinese characters fits, one of emoji does not."""
"""Longest text of a message: four times a long mail; history pages of 200 stay under the payload limit."""


class NewPost(msgspec.Struct, frozen=True):
    """A post that access has allowed. `client_id` is chosen by the sender; (author, client_id) is its identity."""

    room_id: int
    room: str
    author_id: int
    author: str
    is_guest: bool
    is_bot: bool
    body: str
    client_id: UUID
    via: str
    reply_to: int | None = None
    is_direct: bool = False
    """In a direct room, which the message shows again to the person who hid it."""


class Stored(msgspec.Struct, frozen=True):
    """A post as it stands in the database; `created` is false when it was there before."""

    room: str
    message: SentMessage
    created: bool


def store_posts(posts: list[NewPost]) -> list[Stored | OperationError]:
    """
    Store the posts that are new; the answers stand in the order of `posts`.

    To be called within a transaction. A post whose (author, client_id) exists, in the database or earlier in
    the list, answers the first one. A post that cannot be stored is answered with the reason and stops no
    other: `no_such_room`, the room was deleted; `no_such_message`, it replies to what never was in the room.

    Raises:
        IntegrityError: another process stored one of the client ids at the same time; call again.
    """
    known: dict[tuple[int, UUID], SentMessage | OperationError] = {**_already_stored(posts)}
    fresh: dict[tuple[int, UUID], NewPost] = {}
    for post in posts:
        if _identity(post) not in known:
            fresh.setdefault(_identity(post), post)
    by_room: dict[int, list[NewPost]] = {}
    for post in fresh.values():
        by_room.setdefault(post.room_id, []).append(post)
    # Rooms in the order of their keys: two processes then lock them in the same order.
    for room_id in sorted(by_room):
        for post, answer in zip(by_room[room_id], _store_in_room(room_id, by_room[room_id]), strict=True):
            known[_identity(post)] = answer
    direct = {post.room_id for post in fresh.values() if post.is_direct}
    if direct:
        bring_back(direct)
    answers = [known[_identity(post)] for post in posts]
    return [
        answer
        if isinstance(answer, OperationError)
        else Stored(post.room, answer, created=fresh.get(_identity(post)) is post)
        for post, answer in zip(posts, answers, strict=True)
    ]


def _identity(post: NewPost) -> tuple[int, UUID]:
    return post.author_id, post.client_id


def _already_stored(posts: list[NewPost]) -> dict[tuple[int, UUID], SentMessage]:
    client_ids = [_CLIENT_ID.get_db_prep_value(post.client_id, connection) for post in posts]
    with connection.cursor() as cursor:
        cursor.execute(f"{_FIND} ({', '.join(['%s'] * len(client_ids))})", client_ids)
        keys = [key for (key,) in cursor.fetchall()]
    if not keys:
        return {}
    rows = Message.objects.filter(pk__in=keys).select_related("author")
    wanted = {_identity(post) for post in posts}
    return {
        (row.author_id, row.client_id): sent_message(row, is_guest=row.author.is_guest, is_bot=row.author.is_bot)
        for row in rows
        if (row.author_id, row.client_id) in wanted
    }


def _store_in_room(room_id: int, posts: list[NewPost]) -> list[SentMessage | OperationError]:
    missing = _missing_of({post.reply_to for post in posts if post.reply_to is not None}, room_id)
    try:
        messages = iter(_insert(room_id, [post for post in posts if post.reply_to not in missing]))
    except OperationError as refusal:
        return [refusal for _ in posts]
    return [
        OperationError("no such message", code="no_such_message", field="reply_to")
        if post.reply_to in missing
        else next(messages)
        for post in posts
    ]


def _missing_of(seqs: set[int], room_id: int) -> set[int]:
    """Which of the seqs no message of the room ever had; a removed one keeps its own."""
    if not seqs:
        return seqs
    return seqs - set(Message.objects.filter(room_id=room_id, seq__in=seqs).values_list("seq", flat=True))


_FIND = f"SELECT id FROM {Message._meta.db_table} WHERE client_id IN"
_COLUMNS = [
    "room_id",
    "seq",
    "version",
    "number",
    "author_id",
    "author_name",
    "body",
    "client_id",
    "reply_to",
    "via",
    "created_at",
    "removal_reason",
]
_CLIENT_ID = Message._meta.get_field("client_id")
_INSERT = f"INSERT INTO {Message._meta.db_table} ({', '.join(_COLUMNS)}) VALUES "
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"


def _insert(room_id: int, posts: list[NewPost]) -> list[SentMessage]:
    """
    Insert new posts of one room.

    The statements of this module that every message waits for are SQL, not the ORM's: they take a third of
    the time.

    Raises:
        OperationError: `no_such_room`.
    """
    version, number = take_versions(room_id, len(posts), posts=len(posts))
    if not posts:
        return []
    now = timezone.now()
    stored_at = connection.ops.adapt_datetimefield_value(now)
    at = instant(now)
    values: list[Any] = []
    for offset, post in enumerate(posts, start=1 - len(posts)):
        seq = version + offset
        client_id = _CLIENT_ID.get_db_prep_value(post.client_id, connection)
        values += (
            *(room_id, seq, seq, number + offset, post.author_id, post.author, post.body, client_id),
            *(post.reply_to, post.via, stored_at, ""),
        )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT + ", ".join([_ROW] * len(posts)) + " RETURNING seq, id", values)
        ids = dict(cursor.fetchall())
    return [
        SentMessage(
            id=ids[version + offset],
            room_id=room_id,
            seq=version + offset,
            version=version + offset,
            number=number + offset,
            author=post.author,
            author_id=post.author_id,
            is_guest=post.is_guest,
            is_bot=post.is_bot,
            body=post.body,
            at=at,
            client_id=str(post.client_id),
            via=post.via,
            reply_to=post.reply_to,
        )
        for offset, post in enumerate(posts, start=1 - len(posts))
    ]
