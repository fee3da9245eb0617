"""
Each act of a moderator or admin goes into the log, in the transaction of what it changes.

Who acts, and from where, is known where a request comes in, and needed where a row is changed, many calls below. So
it is not handed from one to the other: `acting` holds it while the request is worked off.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db.models import Model

from chat.models import Act, Ending, Room, User
from chat.services.announcing import announce_after_commit
from chat.services.events import SettingsChanged

MAX_REASON_CHARS = 200
ADMIN = "admin"
"""The door of the Django admin."""


class Actor(NamedTuple):
    """Who acts: the key of a person (None: the server, or a command), and the address and the door they came by."""

    user_id: int | None
    address: str
    door: str
    bulk: UUID
    """Of all that one request does."""
    reason: str = ""
    """What they gave as the reason for the whole request."""


class Change(NamedTuple):
    """What an act did to one row: the fields that differ; None for no row."""

    table: str
    key: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_actor: ContextVar[Callable[[], Actor] | None] = ContextVar("actor", default=None)
_collected: ContextVar[list[Change] | None] = ContextVar("collected", default=None)


@contextmanager
def acting(actor: Callable[[], Actor]) -> Iterator[None]:
    """What is done within is this actor's doing; they are asked for when something is."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def actor_now(by: int | None = None) -> Actor:
    """Who acts now; where nobody is known, the person with key `by`."""
    known = _actor.get()
    return known() if known is not None else Actor(by, "", "", uuid4())


def is_own(user_id: int, by: int | None = None) -> bool:
    """Whether a person does this to themselves, in the chat: that is no act of a moderator."""
    actor = actor_now(by)
    return actor.user_id == user_id and actor.door != ADMIN


def change_of(row: Model, before: Mapping[str, Any]) -> Change | None:
    """What differs of a row from the fields that it had; None if nothing does."""
    differs = {name: value for name, value in before.items() if getattr(row, name) != value}
    if not differs:
        return None
    return Change(table_of(row), row.pk, differs, {name: getattr(row, name) for name in differs})


def made(row: Model, *fields: str) -> Change:
    """A row that was not there before."""
    return Change(table_of(row), row.pk, None, {name: getattr(row, name) for name in fields})


def table_of(row: Model) -> str:
    """What the log calls the table of a row."""
    name = row._meta.model_name
    assert name is not None
    return name


def record(
    kind: str,
    *changes: Change | None,
    by: int | None = None,
    person_id: int | None = None,
    room_id: int | None = None,
    reason: str = "",
    until: datetime | None = None,
    undoes: Act | None = None,
) -> None:
    """
    Enter what was done; to be called within the transaction that does it.

    Args:
        changes: those that are None do not count; an act that should change something and did not is not entered.
        by: who does it, where no request says so.
        until: when the server takes it back by itself.
    """
    real = [change for change in changes if change is not None]
    if changes and not real:
        return
    collected = _collected.get()
    if collected is not None:
        collected.extend(real)
        return
    actor = actor_now(by)
    act = Act.objects.create(
        kind=kind,
        by_id=actor.user_id,
        by_name=_name_of(User, actor.user_id),
        address=actor.address[:64],
        door=actor.door,
        person_id=person_id,
        person_name=_name_of(User, person_id),
        room_id=room_id,
        room_name=_name_of(Room, room_id),
        changes=[change._asdict() for change in real],
        reason=(reason or actor.reason)[:MAX_REASON_CHARS],
        bulk=actor.bulk,
        undoes=undoes,
    )
    if until is not None:
        Ending.objects.create(act=act, at=until)
        announce_after_commit(SettingsChanged())


@contextmanager
def as_one(kind: str, **what: Any) -> Iterator[None]:
    """What is recorded within is one entry, of this kind; `what` as for `record`."""
    changes: list[Change] = []
    before = _collected.set(changes)
    try:
        yield
    finally:
        _collected.reset(before)
    record(kind, *changes, **what)


def _name_of(model: type[User | Room], key: int | None) -> str:
    if key is None:
        return ""
    return model._default_manager.filter(pk=key).values_list("name", flat=True).first() or ""
