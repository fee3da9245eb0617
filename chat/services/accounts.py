"""People: a visitor gets a row, a name changes, an account is switched off."""

from collections.abc import Iterable
from functools import cached_property
from uuid import uuid4

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.db.models import Q

from chat.guest_names import GUEST_NAMES
from chat.models import Connection, User
from chat.names import clean_name, free_guest_name, name_key, numbered
from chat.queries.guests import GUEST_NAME, GUEST_USER, visitor_key
from chat.services.announcing import announce_after_commit
from chat.services.events import PersonChanged, SignedOut, VisitorChanged
from rpc import OperationError

LISTED_KEYS = frozenset(map(name_key, GUEST_NAMES))


class TakenNames:
    """The keys of all names in use: by a row, or by a visitor who is here now. Those of our list are read once."""

    def __contains__(self, key: object) -> bool:
        if key in LISTED_KEYS:
            return key in self._listed
        return bool(_keys_in_use([key]))

    @cached_property
    def _listed(self) -> set[str]:
        return _keys_in_use(LISTED_KEYS)


def _keys_in_use(keys: Iterable[object]) -> set[str]:
    of_rows = User.objects.filter(name_key__in=keys).values_list("name_key", flat=True)
    of_visitors = Connection.objects.filter(name_key__in=keys, user__isnull=True)
    return {*of_rows, *of_visitors.values_list("name_key", flat=True)}


def visitor_name() -> str:
    """A random name for a visitor that nobody has now."""
    return free_guest_name(TakenNames())


def free_name(name: str, *, besides: int | None = None) -> str:
    """
    The name as it would be stored, if nobody but the person with key `besides` is called or logs in by it.

    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    name = clean_name(name)
    same = Q(name_key=name_key(name)) | Q(username__iexact=name)
    others = User.objects.all() if besides is None else User.objects.exclude(pk=besides)
    if others.filter(same).exists():
        raise OperationError("this name is taken", code="name_taken", field="name")
    return name


def keep_visitor(session_key: str | None, name: str) -> int:
    """
    Give a visitor a row, so that what he posts has an author; the same row for all sockets of one session.

    A name that somebody took meanwhile is numbered.

    Returns:
        The key of his row.
    """
    with transaction.atomic():
        session = SessionStore(session_key) if session_key is not None else None
        if session is not None and session.get(GUEST_USER) is not None:
            return int(session[GUEST_USER])
        if User.objects.filter(name_key=name_key(name)).exists():
            name = numbered(name, TakenNames())
        user = User(username=f"guest-{uuid4().hex}", name=name, is_guest=True)
        user.set_unusable_password()
        user.save()
        if session is not None and session.session_key is not None:
            session[GUEST_USER] = user.pk
            session.save()
            announce_after_commit(VisitorChanged(visitor_key(session.session_key)))
    return user.pk


def rename(user_id: int, name: str) -> User:
    """
    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        user.name = free_name(name, besides=user_id)
        user.save(update_fields=["name"])
        announce_after_commit(PersonChanged(user_id))
    return user


def rename_visitor(session_key: str, name: str) -> str:
    """
    Rename a visitor who has no row yet; his session keeps the name.

    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    with transaction.atomic():
        name = free_name(name)
        session = SessionStore(session_key)
        session[GUEST_NAME] = name
        session.save()
        announce_after_commit(VisitorChanged(visitor_key(session_key)))
    return name


def open_account(user: User) -> User:
    """Store a new account, or make a guest's row one."""
    with transaction.atomic():
        user.is_guest = False
        user.save()
        announce_after_commit(PersonChanged(user.pk))
    return user


def change_account(user: User) -> User:
    """Store what an admin changed of a person; his sockets follow."""
    with transaction.atomic():
        user.save()
        announce_after_commit(PersonChanged(user.pk))
    return user


def end_sessions(user_id: int) -> None:
    """Close a person's sockets, after his password changed; Django ends the sessions themselves."""
    announce_after_commit(SignedOut(user_id=user_id))


def set_active(user_id: int, active: bool) -> None:
    """Switch an account on or off; off closes its sockets."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(is_active=active)
        announce_after_commit(PersonChanged(user_id))
