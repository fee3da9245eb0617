"""Messages after their birth: edited, removed, reacted to. (Birth is the writer's: `chat.services.posts`.)"""

from django.db import transaction
from django.utils import timezone

from chat.models import Message, Reaction, Revision
from chat.queries.history import with_reactions
from chat.queries.structs import Message as SentMessage
from chat.services.announcing import announce_after_commit
from chat.services.events import Changed
from chat.services.rooms import take_versions
from rpc import OperationError

MAX_KINDS = 20
"""Of reactions on one message: all of them go to everybody with each new one."""


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
        Revision.objects.create(message=message, body=message.body, changed_by_id=by)
        message.body = body
        message.edited_at = timezone.now()
        return _changed(message, "body", "edited_at")


def remove_message(room_id: int, seq: int, *, by: int | None, reason: str = "") -> SentMessage:
    """
    Leave a tombstone in place of a message; its text is kept as a revision, for the admin only.

    Raises:
        OperationError: `no_such_message`, also when it was removed before.
    """
    with transaction.atomic():
        message = _locked(room_id, seq)
        Revision.objects.create(message=message, body=message.body, changed_by_id=by)
        Reaction.objects.filter(message=message).delete()
        message.body = ""
        message.removed_at = timezone.now()
        message.removed_by_id = by
        message.removal_reason = reason
        return _changed(message, "body", "removed_at", "removed_by", "removal_reason")


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
        raise OperationError("no such message", code="no_such_message")
    return message


def _changed(message: Message, *fields: str) -> SentMessage:
    message.version, _ = take_versions(message.room_id)
    message.save(update_fields=["version", *fields])
    sent = with_reactions([message])[0]
    announce_after_commit(Changed(message.room_id, message.room.name, message.version, [sent]))
    return sent
