"""An act is taken back: each row that it changed is as it was, and everyone hears of it."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from chat.models import (
    FINAL,
    UNDO_DAYS,
    Act,
    Ending,
    Membership,
    Message,
    RateLimit,
    Room,
    Sanction,
    SiteSettings,
    User,
)
from chat.services import accounts, memberships, messages, moderation, rooms, site
from chat.services.acts.record import actor_now, as_one, table_of
from chat.services.announcing import announce_after_commit
from chat.services.events import SettingsChanged
from rpc import OperationError

Fields = dict[str, Any]


def take_back(act_id: int, *, reason: str = "") -> None:
    """
    Let an act not have been: texts, memberships, roles and switches are as they were before it, on every open page.

    It is entered into the log as an act of its own, which can be taken back in turn.

    Raises:
        OperationError: `no_such_act`; `final`, it cannot be taken back; `too_late`; `undone` before;
            `changed_since`, something else changed the same meanwhile, and comes first.
    """
    with transaction.atomic():
        act = Act.objects.select_for_update().filter(pk=act_id).first()
        if act is None:
            raise OperationError("no such entry of the log", code="no_such_act")
        _check(act)
        try:
            with (
                transaction.atomic(),
                as_one(Act.Kind.UNDO, person_id=act.person_id, room_id=act.room_id, reason=reason, undoes=act),
            ):
                for change in reversed(act.changes):
                    _reverse(act, change)
        except IntegrityError:
            raise _changed_since() from None


def take_back_all(bulk: Any, *, reason: str = "") -> int:
    """
    Take back all that was done together, the last first; returns how many acts that were.

    Raises:
        OperationError: as `take_back`; then none of them is.
    """
    with transaction.atomic():
        acts = Act.objects.can_be_undone().filter(bulk=bulk).order_by("-pk")
        keys = list(acts.values_list("pk", flat=True))
        for key in keys:
            take_back(key, reason=reason)
    return len(keys)


def take_back_ended() -> None:
    """Take back what was done for a time that is over; what something else changed since stays."""
    for ending in Ending.objects.filter(at__lte=timezone.now()).order_by("at"):
        with transaction.atomic():
            with suppress(OperationError):
                take_back(ending.act_id, reason="its time is over")
            ending.delete()
            announce_after_commit(SettingsChanged())


def _check(act: Act) -> None:
    if act.kind in FINAL:
        raise OperationError("this cannot be taken back", code="final")
    if act.at < timezone.now() - timedelta(days=UNDO_DAYS):
        raise OperationError(f"this was more than {UNDO_DAYS} days ago", code="too_late")
    if Act.objects.filter(undoes=act).exists():
        raise OperationError("this was taken back before", code="undone")


def _changed_since() -> OperationError:
    return OperationError("this was changed again since: take that back first", code="changed_since")


def _reverse(act: Act, change: Mapping[str, Any]) -> None:
    before, after = change["before"], change["after"]
    if change["table"] == table_of(Membership()):
        _reverse_membership(act, before, after)
        return
    if change["table"] == table_of(RateLimit()):
        _reverse_rate(before, after)
        return
    model, reverse = _REVERSE[change["table"]]
    row = model._default_manager.filter(pk=change["key"]).first()
    if row is None:
        raise _changed_since()
    reverse(row, _as_found(row, before, after) if before is not None else None)


def _as_found(row: Model, before: Fields, after: Fields) -> Fields:
    """
    What the act found, as the database has it: JSON holds a time as text.

    Raises:
        OperationError: `changed_since`, the row is not as the act left it.
    """
    found = {}
    for name, value in before.items():
        if name in _NO_FIELDS:
            found[name] = value
            continue
        field: Any = row._meta.get_field(name)
        if getattr(row, name) != field.to_python(after[name]):
            raise _changed_since()
        found[name] = field.to_python(value)
    return found


_NO_FIELDS = (messages.REACTIONS, messages.REVISION, accounts.PERMISSIONS)


def _reverse_membership(act: Act, before: Fields | None, after: Fields | None) -> None:
    """Found by its person and room: a row that was taken back and made again has another key."""
    assert act.room_id is not None and act.person_id is not None  # an act upon a membership has both
    membership = Membership.objects.filter(room_id=act.room_id, user_id=act.person_id).first()
    if (membership is None) != (after is None):
        raise _changed_since()
    if membership is not None and after is not None:
        # Where it was made, how far they read may have moved since.
        fields = before if before is not None else {name: after[name] for name in ("left", "role")}
        found = _as_found(membership, fields, after)
        before = found if before is not None else None
    memberships.put_back(act.room_id, act.person_id, before)


def _reverse_rate(before: Fields | None, after: Fields | None) -> None:
    """Found by its name: a default has no row."""
    name = (before or after or {})["name"]
    limit = RateLimit.objects.filter(name=name).first()
    if (limit is None) != (after is None):
        raise _changed_since()
    if limit is not None and after is not None:
        _as_found(limit, after, after)
    if before is None:
        site.reset_rates(RateLimit.objects.filter(name=name))
        return
    limit = limit or RateLimit()
    for field, value in before.items():
        setattr(limit, field, value)
    site.set_rate(limit)


def _reverse_sanction(sanction: Any, before: Fields | None) -> None:
    if before is not None and before["lifted_at"] is None:
        moderation.reimpose(sanction)
    elif sanction.lifted_at is None:
        moderation.lift(sanction)
    else:
        raise _changed_since()


def _reverse_message(message: Any, before: Fields | None) -> None:
    assert before is not None  # nobody's post is an act
    messages.restore_message(message.pk, before[messages.REVISION], before, by=actor_now().user_id)


def _reverse_room(room: Any, before: Fields | None) -> None:
    rooms.change_room(room.pk, **(before or {}))


def _reverse_person(user: Any, before: Fields | None) -> None:
    """Nobody is deleted: an account that was made is switched off."""
    fields = {"is_active": False} if before is None else dict(before)
    permissions: Any = fields.pop(accounts.PERMISSIONS, None)
    if permissions is not None:
        accounts.set_permissions(user, list(Permission.objects.filter(pk__in=permissions)))
    for name, value in fields.items():
        setattr(user, name, value)
    if fields:
        accounts.change_account(user)


def _reverse_site(settings: Any, before: Fields | None) -> None:
    site.change_settings(**(before or {}))


_REVERSE = {
    "sanction": (Sanction, _reverse_sanction),
    "message": (Message, _reverse_message),
    "room": (Room, _reverse_room),
    "user": (User, _reverse_person),
    "sitesettings": (SiteSettings, _reverse_site),
}
