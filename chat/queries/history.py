"""Reading a room's messages: pages of its history, and what changed since a version."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated

import msgspec
from django.db.models import QuerySet

from chat.models import Message, Reaction, Room
from chat.queries.sizes import MAX_LIST_BYTES, fitting
from chat.queries.structs import Message as SentMessage
from chat.queries.structs import instant
from rpc import OperationError

PAGE = 50
MAX_PAGE = 200

MAX_SEQ = 2**63 - 1
"""What the database can hold."""

Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SEQ)]
"""A seq or a version as every door decodes it."""


def page(
    room_id: int,
    *,
    before_seq: int | None = None,
    after_seq: int | None = None,
    around_seq: int | None = None,
    limit: int = PAGE,
) -> list[SentMessage]:
    """
    A page of the room's messages, oldest first: the newest, or those next to a seq. Those that are not within
    `MAX_LIST_BYTES` are left for another page, so that a short page says nothing of what lies beyond it.
    """
    limit = max(1, min(limit, MAX_PAGE))
    messages = Message.objects.filter(room_id=room_id)
    if around_seq is not None:
        older = with_reactions(_newest(messages.filter(seq__lt=around_seq), limit // 2))
        newer = with_reactions(_oldest(messages.filter(seq__gte=around_seq), limit - limit // 2))
        half = MAX_LIST_BYTES // 2
        return [*older[len(older) - fitting(older[::-1], half) :], *newer[: fitting(newer, half)]]
    if after_seq is not None:
        newer = with_reactions(_oldest(messages.filter(seq__gt=after_seq), limit))
        return newer[: fitting(newer)]
    if before_seq is not None:
        messages = messages.filter(seq__lt=before_seq)
    older = with_reactions(_newest(messages, limit))
    return older[len(older) - fitting(older[::-1]) :]


def changes_since(
    room_id: int, version: int, limit: int = MAX_PAGE, max_bytes: int = MAX_LIST_BYTES
) -> tuple[int, list[SentMessage], bool]:
    """
    The messages of a room that are new or changed since `version`, in the order of their change: as many as
    `limit` and `max_bytes` allow, and one at least.

    Returns:
        The version that the answer brings one to, the messages, and whether there are more.
    Raises:
        OperationError: `no_such_room`, it was deleted.
    """
    # The room's version is read before the messages: what changes in between is answered again, never missed.
    current = Room.objects.filter(pk=room_id).values_list("version", flat=True).first()
    if current is None:
        raise OperationError("no such room", code="no_such_room")
    if current == version:
        return current, [], False
    rows = Message.objects.filter(room_id=room_id, version__gt=version).order_by("version")
    changed = with_reactions(rows.select_related("author")[: limit + 1])
    count = min(limit, fitting(changed, max_bytes))
    if len(changed) > count:
        return changed[count - 1].version, changed[:count], True
    return max(current, changed[-1].version if changed else 0), changed, False


def with_reactions(rows: Iterable[Message]) -> list[SentMessage]:
    """The rows, each with its author loaded, as doors show them."""
    messages = list(rows)
    reactions: dict[int, dict[str, list[int]]] = defaultdict(dict)
    found = Reaction.objects.filter(message__in=messages).order_by("pk")
    for message_id, emoji, user_id in found.values_list("message_id", "emoji", "user_id"):
        reactions[message_id].setdefault(emoji, []).append(user_id)
    return [
        sent_message(row, is_guest=row.author.is_guest, is_bot=row.author.is_bot, reactions=reactions.get(row.pk))
        for row in messages
    ]


def sent_message(
    row: Message, *, is_guest: bool, is_bot: bool, reactions: dict[str, list[int]] | None = None
) -> SentMessage:
    """The message as doors show it; `reactions` are {emoji: [user keys]}."""
    return SentMessage(
        id=row.pk,
        room_id=row.room_id,
        seq=row.seq,
        version=row.version,
        number=row.number,
        author=row.author_name,
        author_id=row.author_id,
        is_guest=is_guest,
        is_bot=is_bot,
        body=row.body,
        at=instant(row.created_at),
        client_id=str(row.client_id),
        via=row.via,
        reply_to=row.reply_to,
        edited_at=instant(row.edited_at) if row.edited_at is not None else None,
        deleted=row.removed_at is not None,
        reactions=reactions or {},
    )


def posts_up_to(room_id: int, seq: int) -> tuple[int, int]:
    """The last post of a room with at most this seq: its seq and number; zeros before the first."""
    posts = Message.objects.filter(room_id=room_id, seq__lte=seq).order_by("-seq")
    return posts.values_list("seq", "number").first() or (0, 0)


def _oldest(messages: QuerySet[Message], limit: int) -> list[Message]:
    return list(messages.select_related("author").order_by("seq")[:limit])


def _newest(messages: QuerySet[Message], limit: int) -> list[Message]:
    return list(messages.select_related("author").order_by("-seq")[:limit])[::-1]
