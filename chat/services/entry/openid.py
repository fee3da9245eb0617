"""
People who log in at an OpenID provider.

They are told by the provider's own name and the key that it gives them, which never changes and is never given to
another (OpenID Connect Core 1.0, section 5.7). E-mail addresses and names do not tell: people change them, and some
providers let them choose.
"""

from collections.abc import Iterable
from uuid import uuid4

from django.db import IntegrityError, transaction

from chat.models import OpenIdentity, User
from chat.names import MAX_NAME_CHARS, BadName, clean_name, numbered
from chat.queries.people import TakenNames, free_name, new_guest_name
from chat.services import accounts
from rpc import OperationError

TRIES = 3
"""For a name that somebody takes at the same moment."""


def person_of(issuer: str, subject: str) -> User | None:
    identity = OpenIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject).first()
    return identity.user if identity is not None else None


def open_account(issuer: str, subject: str, names: Iterable[str], guest: User | None) -> User:
    """
    The account of somebody who is here for the first time; that of a guest becomes theirs, with what they wrote.

    They have no password, and are called by the first of `names` that can be a name here, with a number if somebody
    else is called or looks so.
    """
    user = guest or User()
    user.username = f"openid-{uuid4().hex}"
    user.set_unusable_password()
    for remaining in reversed(range(TRIES)):
        user.name = _free(names, user)
        try:
            with transaction.atomic():
                accounts.open_account(user)
                OpenIdentity.objects.create(user=user, issuer=issuer, subject=subject)
            break
        except IntegrityError:
            if not remaining:
                raise
            # Or they came twice at once.
            known = person_of(issuer, subject)
            if known is not None:
                return known
    return user


def _free(names: Iterable[str], user: User) -> str:
    for each in (*names, user.name):
        try:
            name = clean_name(each[:MAX_NAME_CHARS])
            return free_name(name, besides=user.pk)
        except BadName:
            continue
        except OperationError:
            return numbered(name, TakenNames())
    return new_guest_name()
