"""People: a guest gets an account, a name changes, an account is switched off."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Permission
from django.db import transaction

from chat.models import Act, User
from chat.names import numbered, same_name
from chat.queries.guests import GUEST_NAME, GUEST_USER, guest_key
from chat.queries.identity import open_session
from chat.queries.people import TakenNames, free_name
from chat.services.acts.record import Change, change_of, is_own, made, record, table_of
from chat.services.announcing import announce_after_commit
from chat.services.events import GuestChanged, PersonChanged, SignedOut
from chat.services.guests import note_address


def open_guest_account(session_key: str | None, name: str, network: str | None = None) -> int:
    """
    Give a guest an account, so that what they post has an author; the same one for all sockets of one session.

    A name that somebody took meanwhile is numbered.

    Args:
        network: from where they come, as `chat.queries.guests.client_network` tells it.
    Returns:
        The key of the account.
    """
    with transaction.atomic():
        user_id = _guest_account(session_key, name)
        if network is not None:
            note_address(user_id, network)
    return user_id


def _guest_account(session_key: str | None, name: str) -> int:
    with transaction.atomic():
        session = open_session(session_key) if session_key is not None else None
        known = session.get(GUEST_USER) if session is not None else None
        # It is swept if it was never used.
        if known is not None and User.objects.filter(pk=known).exists():
            return int(known)
        if User.objects.filter(same_name(name)).exists():
            name = numbered(name, TakenNames())
        user = User(username=f"guest-{uuid4().hex}", name=name, is_guest=True)
        user.set_unusable_password()
        user.save()
        if session is not None and session.session_key is not None:
            session[GUEST_USER] = user.pk
            session.save()
            announce_after_commit(GuestChanged(guest_key(session.session_key)))
    return user.pk


def rename(user_id: int, name: str) -> User:
    """
    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        before = {"name": user.name}
        user.name = free_name(name, besides=user_id)
        user.save(update_fields=["name"])
        _record(user, before)
        announce_after_commit(PersonChanged(user_id))
    return user


def rename_guest(session_key: str, name: str) -> str:
    """
    Rename a guest without an account; their session keeps the name.

    Raises:
        BadName: the text cannot be a name.
        OperationError: `name_taken`.
    """
    with transaction.atomic():
        name = free_name(name)
        session = open_session(session_key)
        session[GUEST_NAME] = name
        session.save()
        announce_after_commit(GuestChanged(guest_key(session_key)))
    return name


def open_account(user: User) -> User:
    """Store a new account, or turn a guest's into one."""
    with transaction.atomic():
        user.is_guest = False
        user.save()
        announce_after_commit(PersonChanged(user.pk))
    return user


def change_account(user: User) -> User:
    """Store what an admin changed of a person; their sockets follow."""
    with transaction.atomic():
        was = User.objects.select_for_update().filter(pk=user.pk).values(*RECORDED).first()
        user.save()
        if was is not None:
            _record(user, was)
        else:
            record(Act.Kind.PERSON, made(user, *RECORDED), person_id=user.pk)
        announce_after_commit(PersonChanged(user.pk))
    return user


def end_sessions(user_id: int) -> None:
    """Close a person's sockets, after their password changed; Django ends the sessions themselves."""
    announce_after_commit(SignedOut(user_id=user_id))


def set_active(user_id: int, active: bool) -> None:
    """Switch an account on or off; off closes its sockets."""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        before = {"is_active": user.is_active}
        user.is_active = active
        user.save(update_fields=["is_active"])
        _record(user, before)
        announce_after_commit(PersonChanged(user_id))


def set_permissions(user: User, permissions: Collection[Permission]) -> None:
    """Give a member of the staff exactly these rights in the admin."""
    with transaction.atomic():
        before = _permissions_of(user)
        user.user_permissions.set(permissions)
        after = _permissions_of(user)
        if before != after:
            change = Change(table_of(user), user.pk, {PERMISSIONS: before}, {PERMISSIONS: after})
            record(Act.Kind.PERSON, change, person_id=user.pk)
            announce_after_commit(PersonChanged(user.pk))


PERMISSIONS = "permissions"
RECORDED = (*("username", "name", "language", "is_active", "is_guest", "is_bot", "is_staff", "is_superuser"),)
"""What the log keeps of a person."""


def _permissions_of(user: User) -> list[int]:
    return sorted(user.user_permissions.values_list("pk", flat=True))


def _record(user: User, before: Mapping[str, Any]) -> None:
    if not is_own(user.pk):
        record(Act.Kind.PERSON, change_of(user, before), person_id=user.pk)
