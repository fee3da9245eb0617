"""Rooms: made, changed, deleted."""

import re
import time
from datetime import datetime
from string import digits
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from chat.models import Act, Membership, Message, Room
from chat.names import BadName, clean_name, looks_marked, marked, name_key, name_look, same_name, unmarked
from chat.services.acts.record import Change, change_of, made, record, table_of
from chat.services.announcing import announce, announce_after_commit
from chat.services.events import Changed, PersonChanged, RoomChanged
from rpc import OperationError

DELETED_AT_ONCE = 1000
"""Messages in one transaction: others wait some hundredths of a second for it."""


def create_room(
    name: str,
    *,
    by: int | None,
    kind: str = Room.Kind.PUBLIC,
    topic: str = "",
    auto_join: bool = True,
    most: int | None = None,
    exist_ok: bool = False,
) -> Room:
    """
    Make a room, owned by the person with key `by`, who owns at most `most`. A private room gets a mark behind its
    name, so that the maker of another one never learns of it. With `exist_ok`, a public room of this name is
    returned as it is.

    Raises:
        BadName: the name is not valid.
        OperationError: `name_taken`, `too_many_rooms`.
    """
    title, name = clean_name(name), _named(name, kind)
    # Everybody may know of a public room, so a private one need not be taken for it.
    existing = Room.objects.filter(same_name(name) | same_name(title) & Q(kind=Room.Kind.PUBLIC)).first()
    if existing is not None:
        return _existing(existing, name, kind, exist_ok=exist_ok)
    if by is not None and most is not None and _owned_by(by) >= most:
        raise OperationError(f"one person may own {most} rooms", code="too_many_rooms")
    try:
        with transaction.atomic():
            room = Room.objects.create(name=name, kind=kind, topic=topic, auto_join=auto_join, created_by_id=by)
            record(Act.Kind.ROOM_MADE, made(room, "name", "kind", "topic", "auto_join"), by=by, room_id=room.pk)
    except IntegrityError:
        # Made by another process since we looked.
        return _existing(Room.objects.filter(same_name(name))[0], name, kind, exist_ok=exist_ok)
    if by is not None:
        Membership.objects.create(room=room, user_id=by, role=Membership.Role.OWNER)
        announce_after_commit(PersonChanged(by))
    announce_after_commit(RoomChanged(room.pk))
    return room


def _owned_by(user_id: int) -> int:
    return Membership.objects.filter(user_id=user_id, role=Membership.Role.OWNER, left=False).count()


def open_direct(one: int, other: int) -> Room:
    """
    The room of two people: always the same, whoever asks. It is in the list of `one` from now on, in the
    other's with the first message.

    Raises:
        OperationError: `name_taken`, from the time before such names were kept back.
    """
    name = direct_name(one, other)
    with transaction.atomic():
        room, created = Room.objects.get_or_create(
            name_key=name_key(name),
            defaults={"name": name, "kind": Room.Kind.DIRECT, "auto_join": False, "created_by_id": one},
        )
        if room.kind != Room.Kind.DIRECT:
            raise OperationError("a room with this name already exists", code="name_taken")
        _, is_new = Membership.objects.get_or_create(room=room, user_id=other, defaults={"left": True})
        Membership.objects.update_or_create(room=room, user_id=one, defaults={"left": False})
        if created or is_new:
            announce_after_commit(RoomChanged(room.pk), PersonChanged(other))
        announce_after_commit(PersonChanged(one))
    return room


def direct_name(one: int, other: int) -> str:
    """What the room of two people is called within; before each of them it bears the other's name."""
    return f"direct {min(one, other)}-{max(one, other)}"


def change_room(room_id: int, *, until: datetime | None = None, reason: str = "", **changes: Any) -> Room:
    """
    Set fields of a room: name, topic, kind, auto_join, archived, read_only, slow_mode_seconds. `until`: for a time.

    The change takes a version of the room, so that a client that was away learns of it.

    Raises:
        BadName: the new name is not valid.
        OperationError: `name_taken`; `not_allowed`, the kind and name of a direct room cannot be changed;
            `no_such_room`.
    """
    with transaction.atomic():
        version, _ = take_versions(room_id)
        room = Room.objects.get(pk=room_id)
        if Room.Kind.DIRECT in (room.kind, changes.get("kind")) and not changes.keys().isdisjoint(_FIXED):
            raise OperationError("the kind and name of a direct room cannot be changed", code="not_allowed")
        before = {field: getattr(room, field) for field in changes}
        for field, value in changes.items():
            kind = changes.get("kind", room.kind)
            setattr(room, field, _named(value, kind, now=room.name) if field == "name" else value)
        if Room.objects.filter(same_name(room.name)).exclude(pk=room_id).exists():
            raise OperationError("a room with this name already exists", code="name_taken", field="name")
        room.save(update_fields=[*changes])
        record(Act.Kind.ROOM, change_of(room, before), room_id=room_id, reason=reason, until=until)
        announce_after_commit(RoomChanged(room_id), Changed(room_id, room.name, version, []))
    return room


def delete_room(room_id: int) -> None:
    """
    Delete a room with all that was said in it, its memberships and sanctions; deleting it twice is as once.

    Not to be called within a transaction. A room may hold millions of messages: they go a few at a time, so
    that posts elsewhere are stored in between, and meanwhile the room is archived.
    """
    with transaction.atomic():
        Room.objects.filter(pk=room_id).update(archived=True)
        announce_after_commit(RoomChanged(room_id))
    while _delete_messages(room_id):
        pass
    with transaction.atomic():
        # Whoever took a version of the room is waited for, and whoever wants one finds it gone.
        room = Room.objects.select_for_update().filter(pk=room_id).first()
        if room is None:
            return
        gone = Change(table_of(room), room_id, {"name": room.name, "kind": room.kind, "posts": room.posts}, None)
        record(Act.Kind.ROOM_DELETED, gone, room_id=room_id)
        room.delete()
        announce_after_commit(RoomChanged(room_id))


def _delete_messages(room_id: int) -> bool:
    """Delete the oldest `DELETED_AT_ONCE` messages and what hangs on them; returns whether there were so many."""
    began = time.monotonic()
    oldest = Message.objects.filter(room_id=room_id).order_by("seq").values_list("pk", flat=True)
    keys = list(oldest[:DELETED_AT_ONCE])
    # Without their texts.
    Message.objects.filter(pk__in=keys).only("pk").delete()
    if len(keys) < DELETED_AT_ONCE:
        return False
    # Half of the time is the others'.
    time.sleep(time.monotonic() - began)
    return True


def take_versions(room_id: int, count: int = 1, *, posts: int = 0) -> tuple[int, int]:
    """
    Take the room's next `count` versions, `posts` of them for posts; returns its version and posts after.

    To be called within a transaction: the row stays locked until its end, so versions are committed in order.

    Raises:
        OperationError: `no_such_room`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_VERSIONS, [count, posts, room_id])
        row = cursor.fetchone()
    if row is None:
        raise no_such_room(room_id)
    version, number = row
    return version, number


_TAKE_VERSIONS = (
    f"UPDATE {Room._meta.db_table} SET version = version + %s, posts = posts + %s WHERE id = %s"
    " RETURNING version, posts"
)


def no_such_room(room_id: int) -> OperationError:
    """The refusal for a room that was deleted; every process that still knows it looks again."""
    announce(RoomChanged(room_id))
    return OperationError("no such room", code="no_such_room")


def _named(name: str, kind: str, *, now: str = "") -> str:
    """
    The name that a room of a kind gets, which is called `now`.

    Raises:
        BadName: the text cannot be a name, or is reserved.
    """
    name = clean_name(name)
    if name == now:
        return now
    if kind != Room.Kind.PRIVATE:
        return not_kept(name)
    title = not_kept(unmarked(name))
    return now if unmarked(now) == title else marked(title)


def not_kept(name: str) -> str:
    """
    Raises:
        BadName: the name is reserved for a direct or private room, or looks so, whether there is one or not.
    """
    if looks_marked(name):
        raise BadName("this name is reserved for private rooms")
    if _DIRECT.fullmatch(name_look(name)):
        raise BadName("this name is reserved for direct rooms")
    return name


_DIGITS = f"[{''.join(map(name_look, digits))}]+"
_DIRECT = re.compile(f"{name_look('direct')} {_DIGITS}-{_DIGITS}")
_FIXED = {"name", "kind"}


def _existing(room: Room, name: str, kind: str, *, exist_ok: bool) -> Room:
    if exist_ok and room.kind == Room.Kind.PUBLIC == kind and room.name_key == name_key(name):
        return room
    raise OperationError("a room with this name already exists", code="name_taken", field="name")
