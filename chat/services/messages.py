"""Messages after their birth: edited, removed, reacted to. (Birth is the writer's: `chat.services.posts`.)"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from chat.models import Act, Message, Reaction, Revision
from chat.queries.history import with_reactions
from chat.queries.structs import Message as SentMessage
from chat.services.acts.record import Change, is_own, record, table_of
from chat.services.announcing import announce_after_commit
from chat.services.events import Changed
from chat.services.rooms import take_versions
from rpc import OperationError

MAX_KINDS = 20
"""Of reactions on one message: all of them go to everybody with each new one."""
REMOVED_AT_ONCE = 100
"""Messages in one transaction: posts elsewhere are stored in between."""


def edit_message(room_id: int, seq: int, body: str, *, by: int) -> SentMessage:
    """
    Give a message a new text; the old one is kept as a revision.

    Raises:
        OperationError: `no_such_message`, also when it was removed.
    """
    with transaction.atomic():
        message = _locked(room_id, seq)
        if message.body == body:
            return with_reactions([message])[0]
        before = _state(message)
        kept = _keep_text(message, by)
        message.body = body
        message.edited_at = timezone.now()
        _record(Act.Kind.EDIT, message, before, kept, by=by)
        return _changed(message, "body", "edited_at")


def remove_message(room_id: int, seq: int, *, by: int | None, reason: str = "") -> SentMessage:
    """
    Leave a tombstone in place of a message; its text is kept as a revision, for the admin only.

    Raises:
        OperationError: `no_such_message`, also when it was removed before.
    """
    with transaction.atomic():
        message = _locked(room_id, seq)
        before = _state(message)
        kept = _keep_text(message, by)
        Reaction.objects.filter(message=message).delete()
        message.body = ""
        message.removed_at = timezone.now()
        message.removed_by_id = by
        message.removal_reason = reason
        _record(Act.Kind.REMOVE, message, before, kept, by=by, reason=reason)
        return _changed(message, "body", "removed_at", "removed_by", "removal_reason")


def remove_some(user_id: int, *, room_id: int | None, since: datetime, by: int | None, reason: str = "") -> int:
    """
    Remove up to `REMOVED_AT_ONCE` messages of a person, none older than `since`, in one room or in all (None).

    Returns:
        How many they were; fewer than `REMOVED_AT_ONCE`: there are no more.
    """
    standing = Message.objects.filter(author_id=user_id, created_at__gte=since, removed_at__isnull=True)
    if room_id is not None:
        standing = standing.filter(room_id=room_id)
    with transaction.atomic():
        found = list(standing.order_by("pk").values_list("room_id", "seq")[:REMOVED_AT_ONCE])
        for room, seq in found:
            # Its author may be faster, in another process.
            with suppress(OperationError):
                remove_message(room, seq, by=by, reason=reason)
    return len(found)


def restore_message(message_id: int, revision_id: int, state: Mapping[str, Any], *, by: int | None) -> None:
    """
    A message has the text of a revision again, and what else `state` has of it, as it was recorded.

    Raises:
        OperationError: `no_such_message`, the room was deleted.
    """
    with transaction.atomic():
        found = Message.objects.select_for_update(of=("self",)).select_related("author", "room")
        message = found.filter(pk=message_id).first()
        revision = Revision.objects.filter(pk=revision_id, message_id=message_id).first()
        if message is None or revision is None:
            raise no_such_message()
        before = _state(message)
        kept = _keep_text(message, by)
        message.body = revision.body
        for name in STATE:
            if name in state:
                setattr(message, name, state[name])
        reactions = [
            Reaction(message=message, user_id=user, emoji=emoji) for user, emoji in state.get(REACTIONS, [])
        ]
        Reaction.objects.bulk_create(reactions, ignore_conflicts=True)
        if state.get("removed_at") is not None:
            Reaction.objects.filter(message=message).delete()
        _record(Act.Kind.EDIT, message, before, kept, by=by)
        _changed(message, "body", *STATE, restored=True)


def react(room_id: int, seq: int, emoji: str, *, by: int, on: bool) -> SentMessage:
    """
    Put a reaction on a message or take it off; doing so twice is as once.

    Raises:
        OperationError: `no_such_message`, also when it was removed; `too_many`, of kinds.
    """
    with transaction.atomic():
        message = _locked(room_id, seq)
        if on:
            kinds = set(Reaction.objects.filter(message=message).values_list("emoji", flat=True).distinct())
            if emoji not in kinds and len(kinds) >= MAX_KINDS:
                raise OperationError(f"a message has at most {MAX_KINDS} kinds of reactions", code="too_many")
            _, moved = Reaction.objects.get_or_create(message=message, user_id=by, emoji=emoji)
        else:
            moved = Reaction.objects.filter(message=message, user_id=by, emoji=emoji).delete()[0] > 0
        return _changed(message) if moved else with_reactions([message])[0]


def _locked(room_id: int, seq: int) -> Message:
    found = Message.objects.select_for_update(of=("self",)).select_related("author", "room")
    message = found.filter(room_id=room_id, seq=seq, removed_at__isnull=True).first()
    if message is None:
        raise no_such_message()
    return message


def no_such_message() -> OperationError:
    return OperationError("no such message", code="no_such_message")


STATE = ("edited_at", "removed_at", "removed_by_id", "removal_reason")
REACTIONS = "reactions"
REVISION = "revision"


def _state(message: Message) -> dict[str, Any]:
    """What the log keeps of a message; its text is kept by a revision."""
    reactions = Reaction.objects.filter(message=message).order_by("pk").values_list("user_id", "emoji")
    return {**{name: getattr(message, name) for name in STATE}, REACTIONS: [list(each) for each in reactions]}


def _keep_text(message: Message, by: int | None) -> int:
    """Returns the key of the revision."""
    return Revision.objects.create(message=message, body=message.body, changed_by_id=by).pk


def _record(
    kind: str, message: Message, before: dict[str, Any], revision: int, *, by: int | None, reason: str = ""
) -> None:
    if is_own(message.author_id, by):
        return
    after = _state(message)
    if before[REACTIONS] == after[REACTIONS]:
        # Others may have reacted since.
        del before[REACTIONS], after[REACTIONS]
    change = Change(table_of(message), message.pk, {**before, REVISION: revision}, after)
    record(kind, change, by=by, person_id=message.author_id, room_id=message.room_id, reason=reason)


def _changed(message: Message, *fields: str, restored: bool = False) -> SentMessage:
    message.version, _ = take_versions(message.room_id)
    message.save(update_fields=["version", *fields])
    sent = with_reactions([message])[0]
    announce_after_commit(Changed(message.room_id, message.room.name, message.version, [sent], restored))
    return sent
